"""`status`: how the box is."""

from __future__ import annotations

import sqlite3

from agent.commands.registry import Call, Handler, Outcome
from agent.journal.rows import IS_OPEN


def _queue(db: sqlite3.Connection, besides: int) -> int:
    row = db.execute(
        f"SELECT count(*) FROM commands WHERE {IS_OPEN} AND state <> 'received'"  # noqa: S608 - our own
        " AND n <> ?",
        (besides,),
    ).fetchone()
    return int(row[0])


async def _run(call: Call) -> Outcome:
    survey = await call.services.link.survey()
    signal_dbm = survey.signal_dbm if survey else None
    return Outcome.ok(
        reg=survey.registration if survey else "unknown",
        op=(survey.operator or "") if survey else "",
        rssi="unknown" if signal_dbm is None else signal_dbm,
        up=int(call.services.uptime_s()),
        queue=await call.services.journal.read(lambda db: _queue(db, call.n)),
    )


STATUS = Handler(
    name="status",
    summary="tells registration, operator, signal (dBm), uptime and waiting commands",
    run=_run,
    read_only=True,
    resource="modem",
)
