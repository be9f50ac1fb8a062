"""Commands that the configuration defines: an argument vector to run."""

from __future__ import annotations

from agent.commands.registry import Call, Handler, Outcome
from agent.config.model import CommandConfig
from agent.payload.request import Refused
from agent.payload.templates import render_argv
from agent.system import process

__all__ = ["from_config", "outcome_of"]


def outcome_of(completed: process.Completed) -> Outcome:
    """Return a program's end as an outcome: `exit-<n>`, `timeout`, or its output."""
    output = completed.output
    if completed.timed_out:
        return Outcome("timed-out", reason="timeout", detail=_last_line(output))
    if completed.status is None:
        return Outcome.error(output)
    if completed.status != 0:
        return Outcome.error(_last_line(output), reason=f"exit-{completed.status}")
    return Outcome.ok(**({"output": output} if output else {}))


def _last_line(output: str) -> str:
    return output.rsplit("\n", 1)[-1]


def from_config(config: CommandConfig) -> Handler:
    """Return the handler of a `[command.NAME]` table with `exec`."""

    async def run(call: Call) -> Outcome:
        try:
            argv = render_argv(config.exec, call.args)
        except Refused as error:
            return Outcome.error(error.refusal.detail, reason=error.refusal.reason)
        return outcome_of(await process.run(argv, timeout_s=config.timeout_s, id_=call.id))

    return Handler(
        name=config.name,
        summary="configured command",
        run=run,
        arguments=config.args,
        read_only=bool(config.read_only),
        idempotent=bool(config.idempotent),
        # child.run keeps the command's deadline; this one only bounds its ending.
        timeout_s=config.timeout_s + 2 * process.TERM_GRACE_S,
    )
