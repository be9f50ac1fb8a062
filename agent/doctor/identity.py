"""Identity: whose modem it is, and which profile that makes."""

from __future__ import annotations

from typing import Final, TypeVar

from agent.doctor.check import Check
from agent.doctor.context import Patient
from agent.doctor.dialogue import ANSWERS
from agent.doctor.finding import Result, good, note, warning
from at import commands, profiles
from at.command import Command
from at.errors import CommandError, ReplyError

__all__ = ["CHECKS", "MODEL", "attempt"]

R = TypeVar("R")
MODEL: Final = "identity: model"


async def attempt(patient: Patient, command: Command[R]) -> R | None:
    """Ask what a modem need not know; None where it does not."""
    assert patient.line is not None  # noqa: S101 - whoever asks needs "answers AT"
    try:
        return await patient.line.ask(command)
    except (CommandError, ReplyError):
        return None


async def _model(patient: Patient) -> Result:
    asked = (commands.MANUFACTURER, commands.MODEL, commands.FIRMWARE)
    manufacturer, model, firmware = [await attempt(patient, one) or "" for one in asked]
    patient.profile = profiles.choose(manufacturer, model)
    patient.model = " ".join(word for word in (manufacturer, model, firmware) if word)
    if not patient.model:
        return warning("it does not say", "is this the modem's own AT port?")
    if patient.modem is not None:
        patient.modem.adopt(patient.profile)
    return good(patient.model)


async def _profile(patient: Patient) -> Result:
    assert patient.profile is not None  # noqa: S101 - the check before
    chosen = patient.profile.name
    wanted = patient.config.modem.profile if patient.config is not None else "auto"
    if wanted not in {"auto", chosen}:
        return warning(f"{wanted} is configured, {chosen} fits", 'modem.profile = "auto"')
    if patient.profile is profiles.GENERIC:
        return note("generic: only what the standard promises is used")
    return good(chosen)


async def _imei(patient: Patient) -> Result:
    number = await attempt(patient, commands.IMEI)
    if not number:
        return warning("it does not say", 'port = "auto" could not find this modem again')
    return good(number)


CHECKS: Final = (
    Check("identity", "model", _model, needs=(ANSWERS,)),
    Check("identity", "profile", _profile, needs=(MODEL,)),
    Check("identity", "IMEI", _imei, needs=(ANSWERS,)),
)
