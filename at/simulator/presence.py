"""Tells whether a program has a terminal open, from the kernel's own notices."""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
from pathlib import Path

_OPEN, _CLOSE_WRITE, _CLOSE_NOWRITE = 0x20, 0x08, 0x10
_EVENT = struct.Struct("iIII")


def _seen_open(path: str) -> bool:
    """Whether another process that may be looked into has path open."""
    own = str(os.getpid())
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and process.name != own:
            with contextlib.suppress(OSError):  # it is another user's, or has just ended
                for descriptor in (process / "fd").iterdir():
                    if str(descriptor.readlink()) == path:
                        return True
    return False


class Presence:
    """Counts opens and closes of path by inotify(7), from now on.

    known: False where the kernel gives no notices; then the terminal counts as open always.
    """

    def __init__(self, path: str) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self.path = path
        self.opened = 0
        self._count = 0
        self.fd = -1
        if hasattr(libc, "inotify_init1"):
            self.fd = int(libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        if self.fd >= 0:
            mask = _OPEN | _CLOSE_WRITE | _CLOSE_NOWRITE
            if libc.inotify_add_watch(self.fd, os.fsencode(path), mask) < 0:
                self.close()
        self.known = self.fd >= 0

    def update(self) -> bool:
        """Read the notices there are; True: the terminal is open in some program."""
        closed = False
        while self.fd >= 0:
            try:
                data = os.read(self.fd, 4096)
            except BlockingIOError:
                break
            closed |= self._take(data)
        # Equal notices in a row are told once, so a count that comes to nothing is looked into.
        if closed and self._count <= 0:
            self._count = int(_seen_open(self.path))
        return self._count > 0 or not self.known

    def _take(self, data: bytes) -> bool:
        closed = False
        at = 0
        while at < len(data):
            _, mask, _, length = _EVENT.unpack_from(data, at)
            at += _EVENT.size + length
            if mask & _OPEN:
                self._count += 1
                self.opened += 1
            elif mask & (_CLOSE_WRITE | _CLOSE_NOWRITE):
                self._count -= 1
                closed = True
        return closed

    def close(self) -> None:
        """Stop watching."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
