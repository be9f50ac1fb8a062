"""`set`: applies properties, in the order of the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from agent.commands import properties
from agent.commands.registry import Call, Handler, Outcome, Value
from agent.config.model import PropertyConfig

__all__ = ["from_config"]


async def _run(call: Call) -> Outcome:
    result: dict[str, Value] = {}
    failure: Outcome | None = None
    for name, config in call.services.config.properties.items():
        if name not in call.args:
            continue
        if failure is not None:
            result[name] = "skipped"
            continue
        outcome = await properties.apply(config, call.args[name], call, call.services.now())
        if outcome.state == "succeeded":
            result.update(outcome.result)
        else:
            failure = replace(outcome, detail=f"{name}: {outcome.detail}".removesuffix(": "))
            result[name] = outcome.reason
    return replace(failure, result=result) if failure else Outcome.ok(**result)


def from_config(configured: Mapping[str, PropertyConfig]) -> Handler:
    """Return the handler with the configured properties as its arguments."""
    return Handler(
        name="set",
        summary="applies properties",
        run=_run,
        arguments={
            name: replace(config.spec, required=False, default=None)
            for name, config in configured.items()
        },
        resource="properties",
        needs_argument=True,
        timeout_s=sum(config.timeout_s + 10.0 for config in configured.values()) + 10.0,
    )
