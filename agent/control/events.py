"""`events`: every verdict and state change as it happens."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from agent.control.agent import Agent
from agent.control.wire import Fields, Tell
from agent.system.events import Event

__all__ = ["events"]

QUEUE_MAX: Final = 1000  # events kept for a client that reads slowly; then some are lost to it


async def events(agent: Agent, fields: Fields, tell: Tell) -> dict[str, Any]:
    """Tell events, one answer each, until the client ends. kind: only these.

    lost: of an answer, how many were dropped before it because the client did not read.
    """
    kind = fields.optional("kind")
    fields.end()
    queue: asyncio.Queue[Event] = asyncio.Queue(QUEUE_MAX)
    lost = 0

    def hear(event: Event) -> None:
        nonlocal lost
        if kind is not None and event.kind != kind:
            return
        if queue.full():
            lost += 1
        else:
            queue.put_nowait(event)

    stop = agent.events.watch(hear)
    try:
        await tell({"following": True})
        while True:
            event = await queue.get()
            dropped, lost = lost, 0
            await tell({"event": _body(event), **({"lost": dropped} if dropped else {})})
    finally:
        stop()


def _body(event: Event) -> dict[str, Any]:
    names = ("at", "kind", "id", "state", "verdict", "reason", "detail")
    return {name: getattr(event, name) for name in names}
