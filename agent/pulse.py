"""Whether every loop still meets its own deadline: the watchdog is fed only while all do."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["Pulse"]


class Pulse:
    """Deadlines by loop. Waiting for a device or a broker is progress; a loop that hangs is not."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._deadlines: dict[str, float] = {}

    def beat(self, name: str, within_s: float | None) -> None:
        """Promise the next beat within so many seconds; None: it waits for the world outside."""
        if within_s is None:
            self._deadlines.pop(name, None)
        else:
            self._deadlines[name] = self._monotonic() + within_s

    def late(self) -> list[str]:
        """Return the names of the loops that missed their deadline."""
        now = self._monotonic()
        return [name for name, deadline in self._deadlines.items() if deadline < now]
