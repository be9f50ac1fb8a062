"""`history`, `road` and `explain`: what the journal has, and what it would have."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import Any, Final

from agent.control.agent import Agent
from agent.control.following import Bell
from agent.control.wire import Fields, RequestError, Tell
from agent.inbound.explain import arrival_of, explain
from agent.journal import history as journal
from agent.journal import timeline as roads
from agent.journal.history import Filters, Item, Key
from at.errors import EncodeError

__all__ = ["explain_text", "history", "road"]

AT_ONCE: Final = 50  # items read in one go: commits wait for no longer than that takes
REMEMBERED: Final = 50  # the newest items whose changes are told again while following


def filters(fields: Fields) -> Filters:
    """Take the filters of `history` from a request."""
    message = fields.number("message", None, 1, 2**53)
    values = {
        name: fields.optional(name)
        for name in ("sender", "channel", "state", "verdict", "id", "command")
    }
    since, until = fields.time("since"), fields.time("until")
    limit = int(fields.number("limit", 20, 1, journal.LIMIT_MAX) or 20)
    try:
        return Filters(
            since=since,
            until=until,
            message=None if message is None else int(message),
            limit=limit,
            **values,
        )
    except ValueError as error:
        raise RequestError("usage", str(error)) from None


async def history(agent: Agent, fields: Fields, tell: Tell) -> dict[str, Any]:
    """Tell the items that match, oldest first, one answer each; the last answer counts them.

    follow: go on with what comes, and with what changes of what was told, until the client ends.
    """
    wanted = filters(fields)
    follow = fields.flag("follow", default=False)
    fields.end()
    watched = replace(wanted, limit=max(wanted.limit, REMEMBERED))
    with Bell(agent) as bell:
        keys = await agent.journal.look(lambda db: journal.find(db, wanted))
        told: dict[Key, Item] = {}
        await _tell_items(agent, keys, told, tell)
        changes = 0
        while follow:
            await bell.wait()
            # The journal has one connection: what it has not changed, nobody has.
            before, changes = changes, await agent.journal.read(lambda db: db.total_changes)
            if changes == before:
                continue
            keys = await agent.journal.look(lambda db: journal.find(db, watched))
            # What was older than the first answer's items stays untold.
            horizon = min(told.values(), key=_age, default=None)
            await _tell_items(agent, keys, told, tell, horizon=horizon)
        return {"count": len(keys)}


def _age(item: Item) -> str:
    return str(item["received_at"])


async def _tell_items(
    agent: Agent,
    keys: list[Key],
    told: dict[Key, Item],
    tell: Tell,
    *,
    horizon: Item | None = None,
) -> None:
    for start in range(0, len(keys), AT_ONCE):
        some = keys[start : start + AT_ONCE]
        items = await agent.journal.look(lambda db, k=some: journal.details(db, k))  # type: ignore[misc]
        for item in items:
            key = Key(item["kind"], item["n"])
            if told.get(key) == item:
                continue
            if key not in told and horizon is not None and _age(item) < _age(horizon):
                continue
            told[key] = item
            await tell({"item": item})


async def road(agent: Agent, fields: Fields, tell: Tell) -> dict[str, Any]:
    """Tell the road of each message with an id, or of one message, one answer each."""
    id_ = fields.optional("id")
    message = fields.number("message", None, 1, 2**53)
    fields.end()
    if (id_ is None) == (message is None):
        raise RequestError("usage", "exactly one of id and message is needed")
    wanted = Filters(id=id_, message=None if message is None else int(message), limit=100)

    def read(db: sqlite3.Connection) -> list[tuple[Item, list[Item]]]:
        return [(item, roads.road(db, item)) for item in journal.selected(db, wanted)]

    found = await agent.journal.look(read)
    for item, steps in found:
        await tell({"item": item, "steps": steps})
    return {"count": len(found)}


async def explain_text(agent: Agent, fields: Fields) -> dict[str, Any]:
    """Say what would become of a text from a sender, had it come just now; nothing is written."""
    text = fields.text("text")
    sender = fields.optional("from")
    channel = fields.text("channel", "sms")
    fields.end()
    if channel not in ("sms", "mqtt", "console"):
        raise RequestError("usage", "channel is sms, mqtt or console")
    try:
        arrival = arrival_of(text, agent.config, channel=channel, sender=sender, now=agent.now())
    except EncodeError as error:
        raise RequestError("usage", f"from: {error.detail}") from None
    return await agent.journal.look(lambda db: explain(db, agent.judge, agent.config, arrival))
