"""`history`: the last verdicts."""

from __future__ import annotations

import sqlite3

from agent.commands.registry import Call, Handler, Outcome, Value
from agent.payload.arguments import ArgSpec


def _last(db: sqlite3.Connection, besides: int, count: int) -> dict[str, Value]:
    rows = db.execute(
        "SELECT m.id, m.verdict, m.reason, c.command, c.state FROM messages m"
        " LEFT JOIN commands c ON c.n = m.command"
        " WHERE m.command IS NULL OR m.command <> ? ORDER BY m.n DESC LIMIT ?",
        (besides, count),
    )
    told: dict[str, Value] = {}
    for number, (id_, verdict, reason, name, state) in enumerate(rows, 1):
        words = (state if verdict == "accepted" else verdict, reason, name, id_)
        told[str(number)] = " ".join(word for word in words if word)
    return told


async def _run(call: Call) -> Outcome:
    count = int(call.args["n"])
    told = await call.services.journal.read(lambda db: _last(db, call.n, count))
    return Outcome.ok(**told)


HISTORY = Handler(
    name="history",
    summary="tells the last verdicts, the newest first",
    run=_run,
    arguments={"n": ArgSpec("integer", min=1, max=20, default=5)},
    read_only=True,
)
