"""The table of the control socket's operations."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from agent.control.agent import Agent
from agent.control.commands import follow, known, send
from agent.control.confirm import confirm
from agent.control.events import events
from agent.control.modem import at
from agent.control.records import explain_text, history, road
from agent.control.sms import send_sms
from agent.control.status import Status
from agent.control.wire import Fields, Tell

__all__ = ["Operation", "operations"]

# Takes the request's keys and a way to answer before the end; returns the last answer.
Operation = Callable[[Fields, Tell], Awaitable[dict[str, Any]]]


def operations(agent: Agent) -> Mapping[str, Operation]:
    """Return every operation by name, bound to an agent."""
    return {
        "status": _at_once(Status(agent)),
        "send": partial(send, agent),
        "follow": partial(follow, agent),
        "commands": _at_once(partial(known, agent)),
        "sms": partial(send_sms, agent),
        "at": _at_once(partial(at, agent)),
        "history": partial(history, agent),
        "road": partial(road, agent),
        "explain": _at_once(partial(explain_text, agent)),
        "events": partial(events, agent),
        "confirm": _at_once(partial(confirm, agent)),
    }


def _at_once(function: Callable[[Fields], Awaitable[dict[str, Any]]]) -> Operation:
    """Make an operation of a function that has one answer only."""

    async def operation(fields: Fields, _: Tell) -> dict[str, Any]:
        return await function(fields)

    return operation
