"""Whether every loop still meets its own deadline: the watchdog is fed only while all do."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

__all__ = ["Pulse"]


class Pulse:
    """Deadlines of the work in hand. Waiting for the world is progress; work that hangs is not."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._deadlines: dict[object, tuple[str, float]] = {}

    @contextlib.contextmanager
    def during(self, work: str, within_s: float) -> Iterator[None]:
        """Promise that the block ends within so many seconds."""
        token = object()
        self._deadlines[token] = (work, self._monotonic() + within_s)
        try:
            yield
        finally:
            del self._deadlines[token]

    def late(self) -> list[str]:
        """Return the works that missed their deadline."""
        now = self._monotonic()
        return [work for work, deadline in self._deadlines.values() if deadline < now]
