"""`get`: reads one property."""

from __future__ import annotations

from collections.abc import Mapping

from agent.commands import properties
from agent.commands.registry import Call, Handler, Outcome
from agent.config.model import PropertyConfig
from agent.payload.arguments import ArgSpec

__all__ = ["from_config"]


async def _run(call: Call) -> Outcome:
    return await properties.read(call.services.config.properties[str(call.args["name"])], call)


def from_config(configured: Mapping[str, PropertyConfig]) -> Handler:
    """Return the handler; it knows the configured properties only."""
    return Handler(
        name="get",
        summary="tells a property's value",
        run=_run,
        arguments={"name": ArgSpec("string", choices=tuple(configured), required=True)},
        read_only=True,
        resource="properties",
        timeout_s=120.0,
    )
