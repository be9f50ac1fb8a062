"""`restart`: starts the agent anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.commands.registry import Call, Handler, Outcome, Services
from agent.config.loader import load
from agent.config.model import ConfigError

if TYPE_CHECKING:
    from agent.journal.rows import CommandRow


async def _run(call: Call) -> Outcome | None:
    source = call.services.config.source
    if source is not None:
        try:
            load(source)
        except ConfigError as error:
            # The agent that comes after could not start, and nobody could command it any more.
            return Outcome.error(f"the configuration is not usable: {error.problems[0]}")
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
