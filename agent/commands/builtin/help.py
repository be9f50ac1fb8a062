"""`help`: what can be asked of this box."""

from __future__ import annotations

from agent.commands.registry import Call, Handler, Outcome
from agent.payload.arguments import ArgSpec


async def _run(call: Call) -> Outcome:
    services = call.services
    enabled = [h for h in services.registry if services.config.commands[h.name].enabled]
    topic = call.args.get("topic")
    if topic is None:
        return Outcome.ok(commands=",".join(handler.name for handler in enabled))
    for handler in enabled:
        if handler.name == str(topic).lower():
            return Outcome.ok(**{name: spec.type for name, spec in handler.arguments.items()})
    return Outcome.error(f"no command {topic}", reason="bad-args")


HELP = Handler(
    name="help",
    summary="lists the commands, or a command's arguments",
    run=_run,
    arguments={"topic": ArgSpec("string")},
    read_only=True,
)
