"""Messages: the way out, the room they come into, and how they are announced."""

from __future__ import annotations

from typing import Final

from agent.doctor.check import Check
from agent.doctor.context import Patient
from agent.doctor.finding import Result, error, good, note, warning
from agent.doctor.identity import attempt
from agent.doctor.sim import STATE
from at import commands
from at.bringup import negotiation
from at.errors import CommandError

__all__ = ["CHECKS"]

NEARLY: Final = 0.8  # of a memory: the agent empties it, so something keeps it from doing so
HANDED_OVER: Final = frozenset({2, 3})  # TS 27.005 §3.4.1 <mt>
MODES: Final = {False: "PDU mode", True: "text mode"}


async def _centre(patient: Patient) -> Result:
    number = await attempt(patient, commands.SERVICE_CENTRE)
    if number is None:
        return note("the modem does not tell")
    if not number.strip("+"):
        remedy = "modem-agent at 'AT+CSCA=\"NUMBER\"' --force, with the number of the SIM's network"
        return error("none: no message can be sent", remedy)
    return good(number)


async def _storage(patient: Patient) -> Result:
    memories = await attempt(patient, commands.MEMORIES)
    if not memories and await attempt(patient, commands.MEMORIES_OFFERED) is None:
        told = "+CPMS is refused: messages are looked for where the modem keeps them by itself"
        return warning(told, "send it a message; modem-agent history shows whether it came")
    if not memories:
        return note("the modem does not tell")
    rows = {memory.storage: memory for memory in memories}
    told = ", ".join(f"{row.storage} {row.used} of {row.total}".strip() for row in rows.values())
    fullest = max(rows.values(), key=lambda row: row.used / row.total if row.total else 0.0)
    remedy = "the agent reads and deletes them; modem-agent history shows what it does"
    if patient.modem is not None:
        remedy = "start the agent: it reads and deletes them"
    if not fullest.total:
        return error(f"{told}: no room for any message", "another SIM; messages cannot be stored")
    if fullest.total and fullest.used >= fullest.total:
        return error(f"{told}: full, the network keeps what comes", remedy)
    if fullest.used >= NEARLY * fullest.total > 0:
        return warning(f"{told}: nearly full", remedy)
    return good(told)


async def _format(patient: Patient) -> Result:
    wanted = patient.config.modem.sms_mode if patient.config is not None else "auto"
    offered = await attempt(patient, commands.MESSAGE_FORMATS)
    text_mode = await attempt(patient, commands.MESSAGE_FORMAT)
    missing = {"pdu": "0", "text": "1"}.get(wanted)
    if offered is not None and missing is not None and missing not in offered:
        return error(f"{wanted} is configured, the modem has it not", 'modem.sms_mode = "auto"')
    text_wanted = wanted == "text" or (
        wanted == "auto" and offered is not None and "0" not in offered
    )
    if patient.modem is not None and (refused := await _refused(patient, text_wanted, text_mode)):
        return refused
    if text_mode is None:
        return note("the modem does not tell")
    told = MODES[text_mode]
    if patient.modem is not None:
        return good(f"{told} now; the agent sets what is configured ({wanted})")
    if wanted != "auto" and text_mode != (wanted == "text"):
        remedy = "modem-agent send modem-reset; does another program use this modem?"
        return warning(f"{told}, though {wanted} is configured", remedy)
    return good(told)


async def _refused(patient: Patient, text_mode: bool, now: bool | None) -> Result | None:
    """Set the mode that the agent would set, and the one in force again; None: it is taken."""
    assert patient.line is not None  # noqa: S101 - "state" was reached
    try:
        await patient.line.ask(commands.message_format(text_mode))
    except CommandError as problem:
        if problem.temporary:
            return warning(f"not yet: {problem}", "try again in a minute")
        remedy = "name the modem's own AT port; the agent cannot work without this"
        return error(f"refused: {problem}", remedy)
    if now is not None and now != text_mode:
        await attempt(patient, commands.message_format(now))
    return None


async def _announcing(patient: Patient) -> Result:
    told = await attempt(patient, commands.INDICATIONS)
    if told is None and await attempt(patient, commands.INDICATIONS_OFFERED) is None:
        told_so = "+CNMI is refused: nothing is announced, messages are found by polling"
        return warning(told_so, "another firmware may have it; modem.poll_s says how often")
    if told is None:
        return note("the modem does not tell")
    shown = ",".join("" if value is None else str(value) for value in told)
    poll = "messages are found by polling (modem.poll_s)"
    if patient.modem is None:
        how = told[1] if len(told) > 1 else None
        if how == 1 or how in HANDED_OVER:
            return good(f"{shown}: {'stored and announced' if how == 1 else 'handed over'}")
        return warning(f"{shown}: nothing is announced; {poll}", "modem-agent send modem-reset")
    offered = await attempt(patient, commands.INDICATIONS_OFFERED)
    best = negotiation.indications(offered)[:1]
    if not best or len(best[0]) < 2 or best[0][1] == 0:
        return note(f"{shown}; the modem announces nothing: {poll}")
    return good(f"{shown} now; the agent sets {','.join(map(str, best[0]))}")


CHECKS: Final = (
    Check("messages", "service centre", _centre, needs=(STATE,)),
    Check("messages", "storage", _storage, needs=(STATE,)),
    Check("messages", "format", _format, needs=(STATE,)),
    Check("messages", "announcing", _announcing, needs=(STATE,)),
)
