"""`send` and `follow`: a command from the console, and what becomes of it."""

from __future__ import annotations

import secrets
import sqlite3
from typing import Any, Final

from agent.control.agent import Agent
from agent.control.following import Bell, changes
from agent.control.wire import Fields, RequestError, Tell
from agent.inbound.message import Arrival
from agent.journal.rows import CommandRow, command, find_command
from agent.journal.states import COMMAND
from agent.payload.arguments import ArgSpec

__all__ = ["follow", "known", "send"]

WAIT_MAX_S: Final = 30 * 86400.0

_PROVEN: Final = ""  # the id space of whatever the console may name


async def send(agent: Agent, fields: Fields, tell: Tell) -> dict[str, Any]:
    """Take a command in as the console's, and follow it to its end.

    text: the payload, in any form. id: what to call it, where the payload brings none; one is
    made up otherwise. wait: false answers as soon as it is journalled. timeout_s: bounds the wait;
    the command goes on.
    """
    text = fields.text("text")
    id_ = fields.identifier("id")
    wait = fields.flag("wait", default=True)
    timeout_s = fields.number("timeout_s", None, 0, WAIT_MAX_S)
    fields.end()
    arrival = Arrival(
        channel="console",
        received_at=agent.now(),
        text=text,
        id=id_ or secrets.token_hex(6),
    )
    with Bell(agent, "command") as bell:
        recorded = await agent.intake.admit(arrival)
        judged = recorded.judgement
        verdict = {
            "verdict": judged.verdict,
            "reason": judged.reason,
            "detail": judged.detail,
            "message": recorded.message,
        }
        if recorded.command is None:
            return {**verdict, "id": judged.id or None, "state": None}
        n = recorded.command
        row = await agent.journal.read(lambda db: command(db, n))
        if not wait:
            return {**verdict, **_told(row)}
        if row.state not in COMMAND.final:
            await tell({**verdict, **_told(row)})
        return {**verdict, **await _follow(agent, bell, row, tell, timeout_s)}


async def follow(agent: Agent, fields: Fields, tell: Tell) -> dict[str, Any]:
    """Follow a command that was accepted before. id: its id; space: "open" for an unproven one."""
    id_ = fields.text("id")
    space = fields.text("space", _PROVEN)
    timeout_s = fields.number("timeout_s", None, 0, WAIT_MAX_S)
    fields.end()
    with Bell(agent, "command") as bell:
        row = await agent.journal.read(lambda db: find_command(db, space, id_))
        if row is None:
            raise RequestError("failed", f"no command {id_} was accepted")
        await tell(_told(row))
        return await _follow(agent, bell, row, tell, timeout_s)


async def known(agent: Agent, fields: Fields) -> dict[str, Any]:
    """List the commands of this agent, with their arguments and the channels they are open to."""
    fields.end()
    commands = []
    for handler in agent.registry:
        rule = agent.config.commands[handler.name]
        commands.append(
            {
                "name": handler.name,
                "summary": handler.summary,
                "enabled": rule.enabled,
                "channels": list(rule.channels),
                "read_only": handler.read_only,
                "arguments": {name: _schema(spec) for name, spec in handler.arguments.items()},
            }
        )
    return {"device": agent.config.device.id, "commands": commands}


def _schema(spec: ArgSpec) -> dict[str, Any]:
    names = ("type", "min", "max", "pattern", "choices", "default", "required")
    values = {name: getattr(spec, name) for name in names}
    return {name: value for name, value in values.items() if value not in (None, False, ())}


async def _follow(
    agent: Agent, bell: Bell, row: CommandRow, tell: Tell, timeout_s: float | None
) -> dict[str, Any]:
    """Tell each change of a command whose present state has been told; return its last."""

    def read(db: sqlite3.Connection) -> dict[str, Any]:
        return _told(command(db, row.n))

    told = _told(row)
    if told["ended"]:
        return told
    async for told in changes(agent, bell, read, timeout_s=timeout_s, known=row.state):
        if told["state"] in COMMAND.final:
            break
        await tell(told)
    return told


def _told(row: CommandRow) -> dict[str, Any]:
    ended = row.state in COMMAND.final
    return {
        "id": row.id,
        "command": row.command,
        "state": row.state,
        "ended": ended,
        "reason": row.reason,
        "detail": row.detail,
        "result": dict(row.result),
        "due_at": row.due_at,
        "finished_at": row.finished_at,
    }
