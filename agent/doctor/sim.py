"""SIM: its state, the tries it has left, its number. A PIN is never tried here."""

from __future__ import annotations

import asyncio
from typing import Final

from agent.doctor.check import Check
from agent.doctor.context import Patient
from agent.doctor.finding import Result, error, good, note, skipped, warning
from agent.doctor.identity import MODEL, attempt
from agent.modem.pin_store import pin_memory
from at import commands
from at.bringup.sim import ABSENT, BUSY, KEPT_TRIES, lock_remedy, meaning, told_by
from at.errors import CommandError

__all__ = ["CHECKS", "STATE"]

STATE: Final = "SIM: state"
NO_SIM_REMEDY: Final = "put one in the right way round, or check its holder"
BUSY_TRIES: Final = 8
BUSY_PAUSE_S: Final = 0.5


async def _state(patient: Patient) -> Result:
    try:
        told, state = await _settled(patient)
    except CommandError as problem:
        return _silent(problem)
    if state == ABSENT:
        return error(f"no SIM ({told})", NO_SIM_REMEDY)
    if state == BUSY:
        return error(f"{told}, and stays so", "restart the modem")
    patient.sim = state
    if state == "READY":
        return good(told)
    if state == "SIM PIN":
        return await _locked(patient)
    wanted = "its PUK (SIM PUK)" if state == "SIM PUK" else told
    return error(f"it wants {wanted}", lock_remedy(state))


def _silent(problem: CommandError) -> Result:
    """What an error means where the state was asked for."""
    state = told_by(problem)
    if state == ABSENT:
        return error("no SIM", NO_SIM_REMEDY)
    if state == BUSY:
        return error("busy, and stays so", "restart the modem")
    if not state:
        return note(f"the modem does not tell ({problem.result})")
    return error(str(problem), "try another SIM; it may not be seated, or be broken")


async def _settled(patient: Patient) -> tuple[str, str]:
    """What +CPIN? says once the card has woken up, and what that means (sim.meaning)."""
    assert patient.line is not None  # noqa: S101 - "answers AT" was a success
    for left in reversed(range(BUSY_TRIES)):
        try:
            told = await patient.line.ask(commands.SIM_STATE)
            if not left or meaning(told) != BUSY:
                return told, meaning(told)
        except CommandError as problem:
            state = told_by(problem)
            if problem.name.lower().endswith("required"):
                return problem.name, state
            if not left or state != BUSY:
                raise
        await asyncio.sleep(BUSY_PAUSE_S)
    raise AssertionError("the last try returns or raises")


async def _locked(patient: Patient) -> Result:
    file = patient.config.modem.pin_file if patient.config is not None else None
    if file is None:
        return error("it wants its PIN", "set modem.pin_file, or take the PIN off the SIM")
    journal = patient.journal_path
    if journal is not None:
        memory = journal.with_name("refused-pins.json")
        if pin_memory(memory).refused(await _number(patient) or ""):
            remedy = f"correct {file}, then remove {memory}"
            return error("it has refused the PIN; the agent does not try again", remedy)
    return note(f"it wants its PIN, which the agent enters ({file})", stops=True)


async def _tries(patient: Patient) -> Result:
    assert patient.profile is not None  # noqa: S101 - "model" was a success
    if not patient.sim:
        return skipped("no SIM that answers")
    for command in patient.profile.pin_tries:
        left = await attempt(patient, command)
        if left is not None and left.pin is not None:
            break
    else:
        return note("the modem does not tell")
    told = f"{left.pin} for the PIN" + (f", {left.puk} for the PUK" if left.puk else "")
    if left.pin <= KEPT_TRIES:
        remedy = "the agent does not spend the last two: enter the right PIN once by hand"
        return warning(told, remedy)
    return good(told)


async def _iccid(patient: Patient) -> Result:
    if not patient.sim:
        return skipped("no SIM that answers")
    number = await _number(patient)
    if number is None:
        return warning("the modem does not tell", "a refused PIN cannot be remembered for this SIM")
    return good(number)


async def _number(patient: Patient) -> str | None:
    assert patient.profile is not None  # noqa: S101 - "model" was a success
    for command in patient.profile.iccid:
        number = await attempt(patient, command)
        if number is not None:
            return number
    return None


CHECKS: Final = (
    Check("SIM", "state", _state, needs=(MODEL,)),
    Check("SIM", "tries left", _tries, needs=(MODEL,)),
    Check("SIM", "ICCID", _iccid, needs=(MODEL,)),
)
