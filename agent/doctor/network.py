"""Network: radio, registration in each domain, signal, operator."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from agent.doctor.check import Check
from agent.doctor.context import Patient, Registration
from agent.doctor.dialogue import ANSWERS
from agent.doctor.finding import Result, error, good, note, skipped, warning
from agent.doctor.identity import attempt
from agent.doctor.sim import STATE
from at import commands, fields
from at.bringup.status import STATUS, TECHNOLOGY
from at.command import Command

__all__ = ["CHECKS", "RADIO"]

RADIO: Final = "network: radio"
WEAK_DBM: Final = -105  # below it, messages begin to need several tries
DENIED: Final = 3
DOMAINS: Final = {"circuits": "+CREG", "packets": "+CGREG", "LTE": "+CEREG"}

# TS 24.008 §10.5.3.6 and TS 24.301 §9.9.3.9, where a person can do something about it.
CAUSES: Final = {
    2: "SIM unknown to its network: is it activated?",
    3: "SIM not accepted: is it activated, is the plan paid?",
    6: "modem not accepted: its IMEI is blocked",
    7: "no data service for this SIM: ask for it at the SIM's portal",
    8: "no service at all for this SIM: is it activated?",
    11: "no roaming agreement with this operator: choose another (+COPS)",
    12: "not allowed in this area: choose another operator (+COPS)",
    13: "no roaming in this area: enable roaming at the SIM's portal",
    14: "no data service in this network: choose another operator (+COPS)",
    15: "no cell that is allowed here: choose another operator (+COPS)",
    17: "failure of the network: wait",
    22: "the network is congested: wait",
}
ASK_OPERATOR: Final = "ask who sold the SIM whether it is activated and may be used here"


async def _radio(patient: Patient) -> Result:
    level = await attempt(patient, commands.FUNCTIONALITY)
    if level is None:
        return note("the modem does not tell")
    if level != 1:
        return error(f"off (+CFUN: {level})", "modem-agent at AT+CFUN=1 --force")
    return good("on")


def _asking(name: str) -> Command[Registration]:
    """The query of one domain, with the cause where the modem tells it (after +CREG=3)."""
    plain = commands.registration(name)

    def parse(lines: tuple[str, ...]) -> Registration:
        answer = plain.parse(lines)
        values = [value for line in lines for value in fields.split(line)]
        cause = fields.number(values[6]) if len(values) > 6 and answer.status == DENIED else None
        return Registration(answer.status, answer.technology, cause)

    return Command(plain.line, parse, plain.timeout_s, info=plain.info)


def _registration(name: str) -> Callable[[Patient], Awaitable[Result]]:
    async def run(patient: Patient) -> Result:
        if not patient.registrations:  # all at first: one that serves makes good for the others
            for one in DOMAINS.values():
                answer = await attempt(patient, _asking(one))
                if answer is not None:
                    patient.registrations[one] = answer
        return await _judged(patient, name)

    return run


async def _judged(patient: Patient, name: str) -> Result:
    answer = patient.registrations.get(name)
    if answer is None:
        return note("the modem does not know this domain")
    told = STATUS.get(answer.status, "unknown")
    if answer.registered:
        technology = TECHNOLOGY.get(-1 if answer.technology is None else answer.technology)
        return good(f"{told}, {technology}" if technology else told)
    remedy = "wait a minute; check the antenna, the plan, and that a network is in reach"
    if answer.status == DENIED:
        told, remedy = await _denied(patient, answer)
    if patient.registered:
        return note(f"{told} here, registered in another domain")
    return error(told, remedy)


async def _denied(patient: Patient, answer: Registration) -> tuple[str, str]:
    if answer.cause is not None:
        return f"denied, cause {answer.cause}", CAUSES.get(answer.cause, ASK_OPERATOR)
    report = await attempt(patient, commands.EXTENDED_ERROR)
    return f"denied ({report or 'the modem does not tell why'})", ASK_OPERATOR


async def _signal(patient: Patient) -> Result:
    for command in (commands.SIGNAL, commands.EXTENDED_SIGNAL):
        answer = await attempt(patient, command)
        if answer is not None and answer.dbm is not None:
            break
    else:
        return warning("none that the modem knows of", "check the antenna and its plug")
    told = f"{answer.dbm} dBm"
    if answer.dbm < WEAK_DBM:
        return warning(f"{told}, weak", "another place, or a better antenna")
    return good(told)


async def _operator(patient: Patient) -> Result:
    if not patient.registered:
        return skipped("not registered")
    answer = await attempt(patient, commands.OPERATOR)
    if answer is None or not answer.name:
        return note("the modem does not tell")
    return good(answer.name)


CHECKS: Final = (
    Check("network", "radio", _radio, needs=(ANSWERS,)),
    *(
        Check("network", f"registration for {domain}", _registration(name), needs=(STATE, RADIO))
        for domain, name in DOMAINS.items()
    ),
    Check("network", "signal", _signal, needs=(RADIO, ANSWERS)),
    Check("network", "operator", _operator, needs=(STATE, RADIO), limit_s=15.0),
)
