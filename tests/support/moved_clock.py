"""A wall clock of one process's own, which the test moves while the process runs.

    clock = MovedClock(tmp_path)
    clock.set(datetime(1970, 1, 1, 0, 5, tzinfo=UTC))
    with Agent(tmp_path, env=clock.env) as agent:
        clock.move(7 * 86400)  # one step ahead, as NTP makes it

CLOCK_REALTIME, time(), gettimeofday() and what stands on them (`datetime.now`, SQLite's 'now') are
moved, in its children too as long as they keep the environment. CLOCK_MONOTONIC, CLOCK_BOOTTIME,
sleeps and the time stamps of files are not. The clock starts right, and runs on where it was moved.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

__all__ = ["MovedClock"]

SOURCE = Path(__file__).with_suffix(".c")
_OFFSET = struct.Struct("=q")  # nanoseconds
_MICROSECOND = timedelta(microseconds=1)


class MovedClock:
    """The wall clock of what is started with `env`. Skips the test where there is no C compiler.

    folder: for the library and the offset; both may be used by several processes.
    """

    def __init__(self, folder: Path) -> None:
        self._offset = folder / "moved-clock"
        self._ahead = timedelta()
        self._write()
        library = _compiled(folder / "moved-clock.so")
        self.env: Mapping[str, str] = {
            "LD_PRELOAD": str(library),
            "MOVED_CLOCK": str(self._offset),
        }

    def now(self) -> datetime:
        """Return what the processes read from it."""
        return datetime.now(UTC) + self._ahead

    def move(self, offset_s: float) -> None:
        """Step it by so many seconds from where it stands; negative: back."""
        self._ahead += timedelta(seconds=offset_s)
        self._write()

    def set(self, moment: datetime) -> None:
        """Step it to an aware time."""
        self._ahead = moment - datetime.now(UTC)
        self._write()

    def _write(self) -> None:
        # In place: the file is mapped by those who read it.
        with self._offset.open("r+b" if self._offset.exists() else "w+b", buffering=0) as file:
            file.write(_OFFSET.pack(self._ahead // _MICROSECOND * 1000))


def _compiled(library: Path) -> Path:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler (Debian: gcc libc6-dev)")
    if not library.exists():
        command = [compiler, "-O1", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        if "No such file" in done.stderr:
            pytest.skip("a C compiler without the C library's headers (Debian: libc6-dev)")
        assert done.returncode == 0, done.stderr
    return library
