"""The world's time: it runs faster than the host's where that is asked for, and can be advanced."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from datetime import UTC, datetime, timedelta

__all__ = ["WorldClock"]


class WorldClock:
    """Time as the platforms see it. Use inside a running event loop.

    speed: seconds of the world for one second of the host. `advance` lets time pass at once:
    whoever sleeps wakes in the order of the moments it waits for.
    """

    def __init__(self, speed: float = 1.0, start: datetime | None = None) -> None:
        if speed <= 0:
            raise ValueError("speed must be above 0")
        self._loop = asyncio.get_running_loop()
        self._speed = speed
        self._start = start or datetime.now(UTC)
        self._began_s = self._loop.time()
        self._advanced_s = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self._timer: asyncio.TimerHandle | None = None

    def elapsed_s(self) -> float:
        """Return how much time has passed in the world."""
        return (self._loop.time() - self._began_s) * self._speed + self._advanced_s

    def now(self) -> datetime:
        """Return the world's time, aware, in UTC."""
        return self._start + timedelta(seconds=self.elapsed_s())

    async def sleep(self, seconds: float) -> None:
        """Wait for so much time of the world."""
        waiting = self._loop.create_future()
        heapq.heappush(self._sleepers, (self.elapsed_s() + seconds, next(self._order), waiting))
        self._plan()
        await waiting

    async def advance(self, seconds: float) -> None:
        """Let time pass at once; who wakes on the way sees the moment that it waited for."""
        if seconds < 0:
            raise ValueError("time goes forward only")
        goal_s = self.elapsed_s() + seconds
        while self._sleepers and self._sleepers[0][0] <= goal_s:
            self._advanced_s += max(0.0, self._sleepers[0][0] - self.elapsed_s())
            self._wake()
            for _ in range(3):  # who woke acts, and may sleep again within the time that passes
                await asyncio.sleep(0)
        self._advanced_s += max(0.0, goal_s - self.elapsed_s())
        self._plan()

    def _wake(self) -> None:
        self._timer = None
        now_s = self.elapsed_s()
        while self._sleepers and self._sleepers[0][0] <= now_s + 1e-6:
            _, _, waiting = heapq.heappop(self._sleepers)
            if not waiting.done():
                waiting.set_result(None)
        self._plan()

    def _plan(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._sleepers:
            wait_s = max(0.0, self._sleepers[0][0] - self.elapsed_s()) / self._speed
            self._timer = self._loop.call_later(wait_s, self._wake)
