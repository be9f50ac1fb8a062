"""Tells whether a program has a terminal open, from the kernel's own notices."""

from __future__ import annotations

import ctypes
import os
import struct

_OPEN, _CLOSE_WRITE, _CLOSE_NOWRITE = 0x20, 0x08, 0x10
_EVENT = struct.Struct("iIII")


class Presence:
    """Counts opens and closes of path by inotify(7), from now on.

    known: False where the kernel gives no notices; then the terminal counts as open always.
    """

    def __init__(self, path: str) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
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
        while self.fd >= 0:
            try:
                data = os.read(self.fd, 4096)
            except BlockingIOError:
                break
            at = 0
            while at < len(data):
                _, mask, _, length = _EVENT.unpack_from(data, at)
                at += _EVENT.size + length
                if mask & _OPEN:
                    self._count += 1
                    self.opened += 1
                elif mask & (_CLOSE_WRITE | _CLOSE_NOWRITE):
                    self._count -= 1
        return self._count > 0 or not self.known

    def close(self) -> None:
        """Stop watching."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
