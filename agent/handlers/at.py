"""`at`: one AT line to the modem; off by default."""

from __future__ import annotations

from agent import at_lines
from agent.arguments import ArgSpec
from agent.handlers.registry import Call, Handler, Outcome
from at import commands
from at.errors import AtError


async def _run(call: Call) -> Outcome:
    try:
        checked = at_lines.check(str(call.args["line"]))
    except at_lines.RefusedLineError as error:
        return Outcome.error(str(error), reason="bad-args")
    try:
        lines = await call.services.link.send(commands.raw(checked.line))
    except AtError as error:
        return Outcome.error(str(error))
    return Outcome.ok(answer=" / ".join(lines))


AT = Handler(
    name="at",
    summary="sends an AT line to the modem and tells the answer",
    run=_run,
    arguments={"line": ArgSpec("string", min=1, max=200, required=True)},
    resource="modem",
    timeout_s=200.0,
)
