"""Where the control socket stands: modes, stale and living sockets, who may speak."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.control import socket_path
from agent.control.socket_path import ControlBusyError, ControlError, Peer


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    return tmp_path / "run" / "control.sock"


@pytest.fixture
def bound(path: Path) -> Iterator[socket.socket]:
    listener = socket_path.bind(path)
    yield listener
    listener.close()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_the_owner_can_reach_it(path: Path, bound: socket.socket) -> None:
    assert mode(path) == 0o600
    assert mode(path.parent) == 0o700
    assert socket_path.group_of(path) is None


def test_group_reaches_it_in_a_folder_of_the_service_manager(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder to another group")
    path.parent.mkdir(mode=0o750)
    os.chown(path.parent, -1, 12345)
    path.parent.chmod(0o750)
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(path.parent))
    with socket_path.bind(path):
        assert mode(path) == 0o660
        assert path.stat().st_gid == 12345
        assert socket_path.group_of(path) == 12345


def test_umask_does_not_open_it(path: Path) -> None:
    before = os.umask(0)
    try:
        with socket_path.bind(path):
            assert mode(path) == 0o600
    finally:
        os.umask(before)


def test_stale_socket_is_replaced(path: Path) -> None:
    socket_path.bind(path).close()  # as SIGKILL leaves it
    with socket_path.bind(path) as listener, socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        listener.accept()[0].close()


def test_living_socket_is_left_alone_and_its_holder_named(path: Path, bound: socket.socket) -> None:
    with pytest.raises(ControlBusyError, match=f"process {os.getpid()}"):
        socket_path.bind(path)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))


def test_something_else_in_the_way_is_not_removed(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("precious")
    with pytest.raises(ControlError, match="no socket"):
        socket_path.bind(path)
    assert path.read_text() == "precious"


def test_folder_that_everybody_may_write_to_is_refused(path: Path) -> None:
    path.parent.mkdir()
    path.parent.chmod(0o777)
    with pytest.raises(ControlError, match="everybody"):
        socket_path.bind(path)


@pytest.mark.parametrize("by_link", [False, True])
def test_a_folder_that_a_stranger_took_first_is_refused_with_the_remedy(
    path: Path, tmp_path: Path, by_link: bool
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    victim = tmp_path / "victim"
    victim.mkdir(mode=0o700)
    if by_link:
        path.parent.symlink_to(victim)
    else:
        path.parent.mkdir()
    os.chown(path.parent, 12345, 12345, follow_symlinks=False)
    with pytest.raises(ControlError, match=r"another user \(uid 12345\); set control.socket"):
        socket_path.bind(path)
    assert list(victim.iterdir()) == []


def test_a_link_of_ones_own_leads_to_the_folder(path: Path, tmp_path: Path) -> None:
    (tmp_path / "private").mkdir(mode=0o700)
    path.parent.symlink_to(tmp_path / "private")  # as systemd makes them for DynamicUser=
    socket_path.bind(path).close()


def test_path_too_long_is_an_error_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 120) / "control.sock"
    with pytest.raises(ControlError, match=r"control\.sock: .*too long"):
        socket_path.bind(path)


def test_end_removes_the_socket(path: Path) -> None:
    socket_path.unbind(socket_path.bind(path), path)
    assert not path.exists()


def test_end_leaves_the_socket_of_a_successor(path: Path) -> None:
    first = socket_path.bind(path)
    path.unlink()
    with socket_path.bind(path):
        socket_path.unbind(first, path)
        assert path.exists()


def test_peer_is_who_the_kernel_says(path: Path, bound: socket.socket) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        with bound.accept()[0] as connection:
            peer = socket_path.peer_of(connection)
    assert (peer.pid, peer.uid) == (os.getpid(), os.geteuid())
    assert set(os.getgroups()) <= peer.groups


@pytest.mark.parametrize(
    ("peer", "group", "may"),
    [
        (Peer(1, 500, frozenset({500})), None, True),  # the agent's own user
        (Peer(1, 0, frozenset({0})), None, True),
        (Peer(1, 501, frozenset({501})), None, False),
        (Peer(1, 501, frozenset({501, 77})), 77, True),  # a member of the socket's group
        (Peer(1, 501, frozenset({501})), 77, False),
        (Peer(1, 65534, frozenset({65534})), 77, False),
    ],
)
def test_owner_root_and_members_of_the_group_may_speak(
    peer: Peer, group: int | None, may: bool
) -> None:
    assert socket_path.may_speak(peer, uid=500, group=group) is may
