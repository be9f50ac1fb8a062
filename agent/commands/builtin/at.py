"""`at`: one AT line to the modem; off by default."""

from __future__ import annotations

from agent.commands.registry import Call, Handler, Outcome
from agent.modem import line_filter
from agent.payload.arguments import ArgSpec
from at import commands
from at.errors import AtError


async def _run(call: Call) -> Outcome:
    try:
        checked = line_filter.check(str(call.args["line"]))
    except line_filter.RefusedLineError as error:
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
