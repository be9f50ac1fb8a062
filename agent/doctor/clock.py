"""Clock: what the network says the time is, and whether this machine's can be trusted."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from agent.doctor.check import Check
from agent.doctor.context import Patient
from agent.doctor.dialogue import ANSWERS
from agent.doctor.finding import Result, good, note, warning
from agent.doctor.identity import attempt
from agent.system import network_time
from agent.system.clock import Clock, iso
from agent.system.ntp import Ntp
from at import commands

__all__ = ["CHECKS"]

OFF_S: Final = 300.0  # what the system's clock may be off the network's
NO_MARKER: Final = Path(os.devnull) / "none"


async def _network(patient: Patient) -> Result:
    text = await attempt(patient, commands.CLOCK)
    clock = Clock(NO_MARKER)
    reading = network_time.read(text or "")
    if reading is None:
        told = f"the modem says {text!r}" if text else "the modem does not tell"
        return note(f"none ({told})", "not every network tells it")
    moment = reading.moment
    patient.network_time = True
    off_s = (clock.wall() - moment).total_seconds()
    if abs(off_s) > OFF_S:
        remedy = "which one is wrong? timedatectl shows whether the system's is synchronised"
        told = f"{iso(moment)}, the system's clock is {off_s:+.0f} s off"
        return warning(told, remedy)
    return good(iso(moment))


async def _trusted(patient: Patient) -> Result:
    if patient.status is not None:
        trusted = bool(patient.status["clock"]["trusted"])
        who = "the running agent trusts it"
    else:
        clock = Clock()
        await Ntp(clock).ask()
        trusted = clock.trusted() is not None or patient.network_time
        who = "synchronised" if not patient.network_time else "set against the network's time"
    if trusted:
        return good(who)
    remedy = "enable an NTP client: `exp` and absolute times are refused until then"
    return warning("not synchronised", remedy)


CHECKS: Final = (
    Check("clock", "network time", _network, needs=(ANSWERS,)),
    Check("clock", "trusted", _trusted),
)
