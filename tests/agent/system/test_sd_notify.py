"""sd_notify as datagrams, against a socket that stands for the service manager."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.system import sd_notify


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    """The address as in $NOTIFY_SOCKET, and the socket that listens there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        if request.param == "path":
            address = str(tmp_path / "notify")
            listening.bind(address)
        else:
            address = f"@modem-agent-test-{secrets.token_hex(8)}"
            listening.bind("\0" + address[1:])
        listening.setblocking(False)
        yield address, listening


def test_every_message_is_one_datagram(manager: tuple[str, socket.socket]) -> None:
    address, listening = manager
    env = {"NOTIFY_SOCKET": address}
    assert sd_notify.ready("waiting for a modem", env)
    assert sd_notify.status("registered", env)
    assert sd_notify.watchdog(env)
    assert sd_notify.stopping(env=env)
    assert [listening.recv(4096) for _ in range(4)] == [
        b"READY=1\nSTATUS=waiting for a modem",
        b"STATUS=registered",
        b"WATCHDOG=1",
        b"STOPPING=1",
    ]


def test_a_status_cannot_smuggle_in_another_assignment(manager: tuple[str, socket.socket]) -> None:
    address, listening = manager
    sd_notify.status("operator\nWATCHDOG=trigger\r\n" + "x" * 500, {"NOTIFY_SOCKET": address})
    datagram = listening.recv(4096)
    assert datagram.startswith(b"STATUS=operator WATCHDOG=trigger x")
    assert b"\n" not in datagram
    assert len(datagram) <= len("STATUS=") + sd_notify.STATUS_MAX


def test_an_empty_status_is_not_sent(manager: tuple[str, socket.socket]) -> None:
    address, listening = manager
    assert not sd_notify.status(" \n", {"NOTIFY_SOCKET": address})
    with pytest.raises(BlockingIOError):
        listening.recv(4096)


def test_a_full_queue_neither_blocks_nor_raises(manager: tuple[str, socket.socket]) -> None:
    address, listening = manager
    sent = 0
    while sd_notify.watchdog({"NOTIFY_SOCKET": address}):
        sent += 1
        assert sent < 100_000
    assert sent > 0
    assert listening.recv(4096) == b"WATCHDOG=1"
    assert sd_notify.watchdog({"NOTIFY_SOCKET": address})


@pytest.mark.parametrize("address", ["", "vsock:2:1234", "/nowhere/notify", "@nobody-listens"])
def test_without_a_manager_nothing_happens(address: str) -> None:
    assert not sd_notify.ready(env={"NOTIFY_SOCKET": address})
    assert not sd_notify.ready(env={})


def test_the_watchdog_period_is_read_for_this_process_only() -> None:
    env = {"NOTIFY_SOCKET": "/run/notify", "WATCHDOG_USEC": "30000000"}
    assert sd_notify.watchdog_period_s(env) == 30.0
    assert sd_notify.watchdog_period_s({**env, "WATCHDOG_PID": str(os.getpid())}) == 30.0
    assert sd_notify.watchdog_period_s({**env, "WATCHDOG_PID": "1"}) is None


@pytest.mark.parametrize("usec", ["", "0", "-5", "soon", "٣"])
def test_no_usable_period_is_no_watchdog(usec: str) -> None:
    assert sd_notify.watchdog_period_s({"NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": usec}) is None
    assert sd_notify.watchdog_period_s({"WATCHDOG_USEC": "30000000"}) is None
