"""`modem-reset`: restarts the modem."""

from __future__ import annotations

from agent.commands.registry import Call, Handler, Outcome


async def _run(call: Call) -> Outcome:
    link = call.services.link
    if link.state != "ready":
        return Outcome.error(f"modem {link.state}: {link.reason}")
    link.reset(f"modem-reset {call.id}")
    await link.wait_ready()
    return Outcome.ok()


MODEM_RESET = Handler(
    name="modem-reset",
    summary="restarts the modem; told when it is ready again",
    run=_run,
    resource="modem",
    timeout_s=240.0,
)
