"""The simulated modem's pending actions as explicit values, ordered by due time."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(order=True, slots=True)
class Timer:
    """due_s: in the modem's own time; name: what it is for; action: called once at due_s."""

    due_s: float
    order: int
    name: str = field(compare=False)
    action: Callable[[], None] = field(compare=False)
    cancelled: bool = field(compare=False, default=False)


class Timers:
    """A heap of timers; the owner says what time it is."""

    def __init__(self) -> None:
        self._heap: list[Timer] = []
        self._order = 0

    def at(self, due_s: float, name: str, action: Callable[[], None]) -> Timer:
        """Add a timer; equal due times fire in the order they were added."""
        self._order += 1
        timer = Timer(due_s, self._order, name, action)
        heapq.heappush(self._heap, timer)
        return timer

    def cancel(self, name: str) -> None:
        """Forget every timer of that name."""
        for timer in self._heap:
            if timer.name == name:
                timer.cancelled = True

    @property
    def due_s(self) -> float | None:
        """When the next timer is due; None: nothing is pending."""
        while self._heap and self._heap[0].cancelled:
            heapq.heappop(self._heap)
        return self._heap[0].due_s if self._heap else None

    def pop(self, now_s: float) -> Timer | None:
        """Take the earliest timer that is due at now_s."""
        due_s = self.due_s
        if due_s is None or due_s > now_s:
            return None
        return heapq.heappop(self._heap)
