"""Dialogue: that somebody answers AT, and does not repeat what is said."""

from __future__ import annotations

from typing import Final

from agent.doctor.check import Check
from agent.doctor.context import Patient
from agent.doctor.finding import Result, error, good, note, skipped, warning
from agent.doctor.line import AgentLine, DirectLine, NotPassedOnError, UnreadyError
from agent.doctor.port import OPENS
from at import commands
from at.bringup.bringup import accepted
from at.errors import CommandTimeoutError

__all__ = ["ANSWERS", "CHECKS"]

ANSWERS: Final = "dialogue: answers AT"
PATIENCE_S: Final = 5.0


async def _answers(patient: Patient) -> Result:
    if patient.agent_has_modem:
        return await _through_agent(patient)
    modem = patient.modem
    assert modem is not None  # noqa: S101 - the check before
    try:
        await modem.resynchronise(PATIENCE_S)
    except CommandTimeoutError:
        if modem.bytes_in:
            told = f"{modem.bytes_in} octets came, but no answer to AT"
            return error(told, "set modem.baudrate, or name another port of the modem")
        told = f"not one octet in {PATIENCE_S:g} s"
        return error(told, "name another port of the modem, check its supply, restart it")
    patient.line = DirectLine(modem)
    return good("OK")


async def _through_agent(patient: Patient) -> Result:
    assert patient.client is not None  # noqa: S101 - agent_has_modem
    line = AgentLine(patient.client, patient.tap)
    try:
        await line.ask(commands.ATTENTION)
    except NotPassedOnError as problem:
        return skipped(f"the running agent passes on no AT lines: {problem}")
    except UnreadyError as problem:
        return error(str(problem), "wait until the agent has a modem that is ready")
    patient.line = line
    return good("OK, through the running agent")


async def _echo(patient: Patient) -> Result:
    """Switch echo off and error numbers on, until the modem's next restart."""
    modem = patient.modem
    if modem is None:
        return good("the running agent has switched it off")
    was_on, patient.echo = patient.echo, False
    taken = await accepted(modem, commands.ECHO_OFF)
    patient.echo = False
    await accepted(modem, commands.ERRORS_BY_NUMBER)
    if not taken:
        return error("ATE0 is refused, and the agent needs it", "name the modem's own AT port")
    if patient.echo:
        return warning("it stays on, whatever is said", "ATE0&W by hand may switch it off")
    return note("was on; off until the modem restarts") if was_on else good("off")


CHECKS: Final = (
    Check("dialogue", "answers AT", _answers, needs=(OPENS,), means="no-modem"),
    Check("dialogue", "echo", _echo, needs=(ANSWERS,)),
)
