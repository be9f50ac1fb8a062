"""One direction of a serial line at its real speed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

BITS_A_BYTE = 10  # start, eight data bits, stop
STEP_S = 0.002  # bytes move in steps of about this long
EARLY_S = 0.001  # the loop wakes this much early; the rest is slept exactly
BACKLOG = 1 << 20  # bytes kept for a line nobody reads; more is lost


class PacedLine:
    """Hands bytes to sink when a line of that speed would have carried them.

    Deadlines follow from one another, so the speed is exact on average however late the loop
    wakes. baud: None for no pacing. It is for one event loop.
    """

    def __init__(self, baud: int | None, sink: Callable[[bytes], None]) -> None:
        self.baud = baud
        self._sink = sink
        self._held = bytearray()
        self._free_at_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def empty(self) -> bool:
        """Nothing is on the line."""
        return not self._held

    def put(self, data: bytes, *, between_lines: bool = False) -> None:
        """Send data; between_lines: after the line that is being sent, not after everything."""
        if self.baud is None and not self._held:
            self._sink(data)
            return
        end = self._held.find(b"\n") + 1 if between_lines else 0
        if end:
            self._held[end:end] = data
        elif len(self._held) < BACKLOG:
            self._held += data
        if self._timer is None:
            self._free_at_s = max(self._free_at_s, asyncio.get_running_loop().time())
            self._plan()

    def clear(self) -> None:
        """Lose what is on the line."""
        self._held.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _plan(self) -> None:
        self._timer = None
        if not self._held:
            return
        byte_s = BITS_A_BYTE / self.baud if self.baud else 0.0
        count = min(len(self._held), max(1, int(STEP_S / byte_s)) if byte_s else len(self._held))
        self._free_at_s += count * byte_s
        self._timer = asyncio.get_running_loop().call_at(
            self._free_at_s - EARLY_S, self._move, count
        )

    def _move(self, count: int) -> None:
        remaining = self._free_at_s - asyncio.get_running_loop().time()
        if remaining > 0:
            time.sleep(min(remaining, EARLY_S))
        data = bytes(self._held[:count])
        del self._held[:count]
        self._plan()
        self._sink(data)
