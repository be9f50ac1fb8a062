"""Tells a condition that lasts: once, then at growing intervals, and when it changes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

__all__ = ["Lasting"]

AGAIN_AFTER_S: Final = (60.0, 600.0, 3600.0, 6 * 3600.0, 24 * 3600.0)


class Lasting:
    """Says whether a condition that is met again and again is to be told now."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._condition: str | None = None
        self._told = 0
        self._next_s = 0.0

    def is_news(self, condition: str) -> bool:
        """Whether to tell: it is another condition than before, or its next time has come."""
        now = self._now()
        if condition != self._condition:
            self._condition, self._told = condition, 0
        elif now < self._next_s:
            return False
        self._next_s = now + AGAIN_AFTER_S[min(self._told, len(AGAIN_AFTER_S) - 1)]
        self._told += 1
        return True

    def end(self) -> bool:
        """Note that it is over; returns whether there was a condition."""
        was, self._condition = self._condition, None
        return was is not None
