"""`at`: one AT line to the modem; off by default."""

from __future__ import annotations

from agent.arguments import ArgSpec
from agent.handlers.registry import Call, Handler, Outcome
from at.errors import AtError


async def _run(call: Call) -> Outcome:
    try:
        lines = await call.services.link.ask(str(call.args["line"]))
    except AtError as error:
        return Outcome.error(str(error))
    except ValueError as error:
        return Outcome.error(str(error), reason="bad-args")
    return Outcome.ok(answer=" / ".join(lines))


AT = Handler(
    name="at",
    summary="sends an AT line to the modem and tells the answer",
    run=_run,
    arguments={"line": ArgSpec("string", min=1, max=200, required=True)},
    resource="modem",
    timeout_s=200.0,
)
