"""`ping`: is anybody there?"""

from __future__ import annotations

from agent.commands.registry import Call, Handler, Outcome


async def _run(call: Call) -> Outcome:
    return Outcome.ok(up=int(call.services.uptime_s()))


PING = Handler(name="ping", summary="answers with the agent's uptime", run=_run, read_only=True)
