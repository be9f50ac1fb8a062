"""Where the control socket stands and who may reach it: binding, stale sockets, peers."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.control.folder import ForeignFolderError, check_folder

__all__ = [
    "ControlBusyError",
    "ControlError",
    "Peer",
    "bind",
    "group_of",
    "may_speak",
    "peer_of",
    "unbind",
]

BACKLOG: Final = 16
OWNER_ONLY: Final = 0o600
WITH_GROUP: Final = 0o660
_PEERCRED: Final = struct.Struct("3i")
_SO_PEERGROUPS: Final = 59  # Linux 4.13, asm-generic/socket.h; not in Python's socket module


class ControlError(Exception):
    """The control socket cannot be made."""


class ControlBusyError(ControlError):
    """Another agent listens there."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end of a Unix socket, as the kernel says; groups: all of them."""

    pid: int
    uid: int
    groups: frozenset[int]


def bind(path: Path) -> socket.socket:
    """Return a listening socket at path; only its owner (or also its group) can connect.

    The group may where the service manager made the folder and lets a group other than root's
    into it (RUNTIME_DIRECTORY, RuntimeDirectoryMode=0750). A stale socket is replaced; raises
    ControlBusyError where somebody listens, ControlError for whatever else stands in the way.
    """
    try:
        folder = _folder(path.parent)
        _make_way(path)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    except OSError as error:
        raise ControlError(f"{path}: {error.strerror}") from error
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        aside.unlink(missing_ok=True)
        # Linux gives the file the mode of the socket: it is never open to more than these.
        os.fchmod(listener.fileno(), OWNER_ONLY)
        listener.bind(str(aside))
        if _is_for_group(folder):
            if aside.stat().st_gid != folder.st_gid:  # the service may not chown, and need not
                os.chown(aside, -1, folder.st_gid)
            aside.chmod(WITH_GROUP)
        listener.listen(BACKLOG)
        aside.replace(path)  # at once: nobody finds a socket that does not listen yet
    except OSError as error:
        listener.close()
        with contextlib.suppress(OSError):
            aside.unlink()
        reason = error.strerror or str(error)  # "AF_UNIX path too long" has no number
        raise ControlError(f"{path}: {reason}") from error
    return listener


def unbind(listener: socket.socket, path: Path) -> None:
    """Close a listener and remove its socket, unless another agent has put its own there."""
    listener.close()
    with contextlib.suppress(OSError):
        if not _listener_at(path):
            path.unlink()


def peer_of(connection: socket.socket) -> Peer:
    """Return who connected; raises OSError where the kernel does not tell."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEERCRED.size)
    pid, uid, gid = _PEERCRED.unpack(raw)
    groups = {gid}
    with contextlib.suppress(OSError):  # an older kernel: the primary group alone
        # Python's limit: 256 groups.
        listed = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, 1024)
        groups.update(struct.unpack(f"{len(listed) // 4}I", listed))
    return Peer(pid, uid, frozenset(groups))


def may_speak(peer: Peer, *, uid: int, group: int | None) -> bool:
    """Whether a peer may use the socket: the agent's own user, root, a member of the group.

    uid: the agent's; group: of the socket where its mode lets the group in, else None.
    """
    return peer.uid in (uid, 0) or (group is not None and group in peer.groups)


def group_of(path: Path) -> int | None:
    """Return the group that the socket's mode lets in, None where it is for its owner alone."""
    found = path.stat()
    return found.st_gid if found.st_mode & stat.S_IWGRP else None


def _folder(folder: Path) -> os.stat_result:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.stat()
    try:
        check_folder(folder, found)
    except ForeignFolderError as error:
        raise ControlError(str(error)) from None
    return found


def _is_for_group(folder: os.stat_result) -> bool:
    made_for_us = bool(os.environ.get("RUNTIME_DIRECTORY"))
    enters = bool(folder.st_mode & stat.S_IXGRP)
    return made_for_us and enters and folder.st_gid != 0


def _make_way(path: Path) -> None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise ControlError(f"{path}: something that is no socket is in the way")
    holder = _listener_at(path)
    if holder:
        raise ControlBusyError(
            f"{path}: another agent listens there ({holder}); stop it first, or give this one "
            "another control.socket"
        )
    path.unlink()


def _listener_at(path: Path) -> str:
    """Return who listens at a socket, "" for nobody."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as probe:
        try:
            probe.connect(str(path))
        except OSError as error:
            # EAGAIN: so many connections wait there that somebody must be listening.
            return "busy" if error.errno == errno.EAGAIN else ""
        return f"process {peer_of(probe).pid}"
