"""`info`: what this box is."""

from __future__ import annotations

from agent import __version__
from agent.commands.registry import Call, Handler, Outcome


async def _run(call: Call) -> Outcome:
    identity = call.services.link.identity
    return Outcome.ok(
        version=__version__,
        model=identity.model if identity else "",
        firmware=identity.firmware if identity else "",
        imei=identity.imei if identity else "",
        iccid=(identity.iccid or "") if identity else "",
    )


INFO = Handler(name="info", summary="tells version, modem and SIM", run=_run, read_only=True)
