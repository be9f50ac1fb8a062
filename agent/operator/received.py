"""What `operator listen` received, kept in a file of JSON lines for `operator send --wait`."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from agent.operator.inventory import Device

__all__ = ["Log", "read", "texts_of"]

KEPT: Final = 10_000  # lines
SIZE_MAX: Final = 8 * 1024 * 1024  # octets; beyond them the older half goes


class Log:
    """The file, mode 0600; one process at a time writes it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        self._descriptor = os.open(path, flags, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._descriptor)
            raise OSError(f"{path}: another listener writes it") from None

    def close(self) -> None:
        """Let another process write it."""
        os.close(self._descriptor)

    def append(self, event: dict[str, Any]) -> None:
        """Write one event; on disk when this returns. Raises OSError."""
        if os.fstat(self._descriptor).st_size > SIZE_MAX:
            self._shorten()
        os.write(self._descriptor, (json.dumps(event) + "\n").encode())
        os.fsync(self._descriptor)

    def _shorten(self) -> None:
        lines = self._path.read_bytes().splitlines(keepends=True)
        os.ftruncate(self._descriptor, 0)
        os.write(self._descriptor, b"".join(lines[len(lines) // 2 :]))


def read(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the last events, oldest first; a line that is being written is passed over."""
    try:
        lines = path.read_bytes().splitlines()[-KEPT:]
    except OSError:
        return
    for line in lines:
        with contextlib.suppress(ValueError):
            event = json.loads(line)
            if isinstance(event, dict):
                yield event


def texts_of(path: Path, device: Device) -> list[tuple[str, str]]:
    """Give (id, text) of what this device sent, the newest first.

    A push need not name the SIM as the inventory does (ConnectivityPRO's has no ICCID): what no
    device is known for may be this one's.
    """
    found = [
        (str(event.get("id")), str(event.get("text")))
        for event in read(path)
        if event.get("platform") == device.account.platform
        and event.get("device") in (device.name, None)
        and event.get("direction") == "from_sim"
    ]
    return found[::-1]
