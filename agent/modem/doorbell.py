"""The doorbell of the inbox: it says "go and look", never what there is."""

from __future__ import annotations

import asyncio
from typing import Final

__all__ = ["EVERYWHERE", "HANDED_OVER", "Bell"]

HANDED_OVER: Final = ("", 0)  # the hint of a message that is stored nowhere
EVERYWHERE: Final = ("", -1)  # the hint to look at all that is stored


class Bell:
    """The doorbell: rung by announcements, by a new connection, by the slow timer.

    A ring may name where to look (storage, index); a ring that does not means: look everywhere.
    """

    def __init__(self) -> None:
        self._hints: set[tuple[str, int]] = set()
        self._rung = asyncio.Event()
        self._later: asyncio.TimerHandle | None = None

    def ring(self, hint: tuple[str, int] | None = None) -> None:
        """Ring, with or without a hint."""
        self._hints.add(EVERYWHERE if hint is None else hint)
        self._rung.set()

    def ring_later(self, after_s: float) -> None:
        """Ring without a hint after a while; a ring that is due sooner stays."""
        loop = asyncio.get_running_loop()
        due = loop.time() + after_s
        if (
            self._later is not None
            and not self._later.cancelled()
            and loop.time() < (self._later.when()) <= due
        ):
            return
        self._later = loop.call_at(due, self.ring)

    async def wait(self, timeout_s: float) -> frozenset[tuple[str, int]]:
        """Return the hints since the last call; EVERYWHERE is among them after a time-out."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._rung.wait()
        except TimeoutError:
            self._hints.add(EVERYWHERE)
        hints = frozenset(self._hints)
        self._hints.clear()
        self._rung.clear()
        return hints
