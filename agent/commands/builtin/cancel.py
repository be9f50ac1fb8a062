"""`cancel`: takes back a command that has not begun."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from agent.commands.registry import Call, Handler, Outcome
from agent.journal.rows import command, find_command, move_command
from agent.payload.arguments import ArgSpec
from agent.system.events import Event


def _cancel(db: sqlite3.Connection, call: Call, now: datetime) -> Outcome:
    target = str(call.args["target"])
    # The spaces of one id may hold a proven and an unproven command: the proven one is meant.
    row = find_command(db, "", target) or find_command(db, "open", target)
    if row is None:
        return Outcome.error(f"no command {target}")
    if row.state == "cancelled" and row.detail == f"by {call.id}":
        return Outcome.ok()  # done by this very command, before a crash
    if row.state not in ("accepted", "scheduled"):
        return Outcome.error(f"{target} is {row.state}")
    values = {"reason": "cancelled", "detail": f"by {call.id}", "finished_at": now}
    move_command(db, row.n, "cancel", values)
    call.services.planner.outcome(db, command(db, row.n), now)
    return Outcome.ok()


async def _run(call: Call) -> Outcome:
    services, now = call.services, call.services.now()

    def announce(outcome: Outcome) -> None:
        if outcome.state == "succeeded":
            detail = f"by {call.id}"
            services.events.tell(
                Event(
                    now,
                    "command",
                    id=str(call.args["target"]),
                    state="cancelled",
                    reason="cancelled",
                    detail=detail,
                )
            )
        services.wake()

    return await services.journal.commit(lambda db: _cancel(db, call, now), then=announce)


CANCEL = Handler(
    name="cancel",
    summary="takes back a command that has not begun",
    run=_run,
    arguments={"target": ArgSpec("string", pattern=r"[A-Za-z0-9._:-]{1,36}", required=True)},
    idempotent=True,
)
