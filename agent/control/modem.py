"""`at`: one AT line of somebody's own through the running modem."""

from __future__ import annotations

from typing import Any, Final

from agent.control.agent import Agent
from agent.control.wire import Fields, RequestError
from agent.modem import line_filter
from at import commands
from at.errors import AtError, CommandError, CommandTimeoutError

__all__ = ["at"]

TIMEOUT_S: Final = 30.0
TIMEOUT_MAX_S: Final = 300.0  # a scan for networks takes minutes


async def at(agent: Agent, fields: Fields) -> dict[str, Any]:
    """Send one AT line in its turn; the answer's lines and its final result code.

    line: with or without "AT". force: also what changes settings that the driver relies on; the
    modem is then brought up anew. An answer of ERROR is an answer.
    """
    line = fields.text("line")
    force = fields.flag("force", default=False)
    timeout_s = fields.number("timeout_s", TIMEOUT_S, 0.1, TIMEOUT_MAX_S) or TIMEOUT_S
    fields.end()
    if "console" not in agent.config.commands["at"].channels:
        raise RequestError("denied", "[command.at] is not open to the console")
    try:
        checked = line_filter.check(line, force=force)
    except line_filter.RefusedLineError as error:
        raise RequestError("denied", str(error), forcible=error.forcible) from None
    try:
        lines = await agent.link.send(commands.raw(checked.line, timeout_s))
        final = "OK"
    except CommandError as error:
        lines, final = (), error.result
    except CommandTimeoutError as error:
        raise RequestError("failed", str(error)) from error
    except AtError as error:
        raise RequestError("unavailable", str(error)) from error
    finally:
        if checked.unsettles:
            agent.link.renew(f"AT{checked.name} at the console")
    return {"lines": list(lines), "final": final, "renewed": checked.unsettles}
