"""`restart`: starts the agent anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.handlers.registry import Call, Handler, Outcome, Services

if TYPE_CHECKING:
    from agent.rows import CommandRow


async def _run(call: Call) -> Outcome | None:
    call.services.request_restart()
    return None  # told by the process that comes after this one


async def _finish(_row: CommandRow, _services: Services) -> Outcome | None:
    return Outcome.ok()


RESTART = Handler(
    name="restart",
    summary="starts the agent anew; told after the start",
    run=_run,
    resource="system",
    finish=_finish,
)
