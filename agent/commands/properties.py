"""Properties of the box: how one is applied and how it is read."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from agent.commands.configured import outcome_of
from agent.commands.registry import Call, Outcome, Value
from agent.config.model import PropertyConfig
from agent.payload.request import Refused
from agent.payload.templates import render_argv, render_value
from agent.system import process
from agent.system.clock import iso

__all__ = ["apply", "last_applied", "read"]


async def apply(config: PropertyConfig, value: Value, call: Call, now: datetime) -> Outcome:
    """Apply one property and remember the value; an Outcome without result on failure."""
    if config.exec:
        try:
            argv = render_argv(config.exec, {"value": value})
        except Refused as error:
            return Outcome.error(error.refusal.detail, reason=error.refusal.reason)
        outcome = outcome_of(await process.run(argv, timeout_s=config.timeout_s, id_=call.id))
        if outcome.state != "succeeded":
            return outcome
    text = render_value(value)

    def remember(db: sqlite3.Connection) -> None:
        db.execute(
            "INSERT OR REPLACE INTO properties VALUES (?, ?, ?)", (config.name, text, iso(now))
        )

    # Lazy: if it is lost, so is the command's outcome, and the command ends as interrupted.
    await call.services.journal.commit(remember, lazy=True)
    return Outcome.ok(**{config.name: text})


def last_applied(db: sqlite3.Connection, name: str) -> str | None:
    """Return the value that was applied last."""
    row = db.execute("SELECT value FROM properties WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])


async def read(config: PropertyConfig, call: Call) -> Outcome:
    """Read one property: by its `get_exec`, else the last applied value."""
    if config.get_exec:
        outcome = outcome_of(
            await process.run(config.get_exec, timeout_s=config.timeout_s, id_=call.id)
        )
        if outcome.state != "succeeded":
            return outcome
        return Outcome.ok(**{config.name: outcome.result.get("output", "")})
    value = await call.services.journal.read(lambda db: last_applied(db, config.name))
    if value is None:
        return Outcome.error(f"{config.name} was never set")
    return Outcome.ok(**{config.name: value})
