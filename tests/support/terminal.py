"""A person at a terminal: a real pty, keys pressed, the screen read."""

from __future__ import annotations

import contextlib
import os
import re
import select
import subprocess
import time
import tty
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self


class Terminal:
    """The master's side of a pty. path: of the slave, for a program that opens a serial line."""

    def __init__(self, *, raw: bool = False) -> None:
        self._master, self._slave = os.openpty()
        if raw:
            tty.setraw(self._slave)
        self.path = Path(os.ttyname(self._slave))
        self.shown = ""
        self._read_to = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.hang_up()

    def start(
        self, command: Sequence[str], *, env: Mapping[str, str], cwd: Path
    ) -> subprocess.Popen[bytes]:
        """Start a program whose terminal this is."""
        return subprocess.Popen(
            command,
            env=env,
            cwd=cwd,
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            start_new_session=True,
        )

    def hang_up(self) -> None:
        """Close both sides: the program sees the end of its terminal."""
        for descriptor in (self._master, self._slave):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def type(self, keys: str | bytes) -> None:
        os.write(self._master, keys.encode() if isinstance(keys, str) else keys)

    def wait_for(self, pattern: str, *, timeout_s: float = 10.0) -> str:
        """Return what matches, seen since the last call; raises TimeoutError."""
        deadline = time.monotonic() + timeout_s
        while True:
            match = re.compile(pattern).search(self.shown, self._read_to)
            if match:
                self._read_to = match.end()
                return match[0]
            ready, _, _ = select.select([self._master], [], [], deadline - time.monotonic())
            if not ready or time.monotonic() > deadline:
                raise TimeoutError(f"not seen: {pattern!r} in {self.shown[self._read_to :]!r}")
            try:
                self.shown += os.read(self._master, 4096).decode(errors="replace")
            except OSError:
                raise TimeoutError(f"ended without {pattern!r}: {self.shown!r}") from None
