"""Waiting for a row of the journal to change: events ring, the row itself is what is told."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, Final, Self

from agent.control.agent import Agent
from agent.system.events import Event

__all__ = ["Bell", "changes"]

LOOK_S: Final = 2.0  # also look without an event: the journal is the record, events are not


class Bell:
    """Rings at events of some kinds; a context manager."""

    def __init__(self, agent: Agent, *kinds: str) -> None:
        self._agent = agent
        self._kinds = kinds
        self._rung = asyncio.Event()
        self._stop: Callable[[], None] | None = None

    def __enter__(self) -> Self:
        self._stop = self._agent.events.watch(self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        if self._stop is not None:
            self._stop()

    def _hear(self, event: Event) -> None:
        if not self._kinds or event.kind in self._kinds:
            self._rung.set()

    async def wait(self, timeout_s: float = LOOK_S) -> None:
        """Return at the next event, or the one that came since the last call, or in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._rung.wait()
        self._rung.clear()


async def changes(
    agent: Agent,
    bell: Bell,
    read: Callable[[sqlite3.Connection], dict[str, Any]],
    *,
    timeout_s: float | None,
    known: str | None = None,
) -> AsyncIterator[dict[str, Any]]:
    """Yield what `read` finds whenever its `state` has changed, for at most timeout_s.

    known: a state that need not be told again; None: the first is told too.
    """
    told: object = known
    end = None if timeout_s is None else time.monotonic() + timeout_s
    while True:
        found = await agent.journal.read(read)
        if found["state"] != told:
            told = found["state"]
            yield found
        left_s = LOOK_S if end is None else end - time.monotonic()
        if left_s <= 0:
            return
        await bell.wait(min(left_s, LOOK_S))
