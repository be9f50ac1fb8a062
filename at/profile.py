"""Profile: what differs from vendor to vendor, as data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from at import commands
from at.command import Command, UrcSpec

NEVER: Final = re.compile(r"(?!)")


@dataclass(frozen=True, slots=True)
class Profile:
    """One vendor's habits. Every field has the standard's behaviour as its default.

    manufacturer, model: searched in the answers of +CGMI and +CGMM; both must be found.
    iccid: commands that may give the SIM's number, in order of trial.
    pin_tries: how many tries are left, where the modem can tell.
    setup: lines sent after the echo is off; an error is no reason to stop.
    storages: message memories, the best first. reset: the rung of the recovery ladder.
    power_off: before the supply is cut. gap_s: rest between an unsolicited code and a command.
    urcs: codes of its own. charsets: for text mode, the best first (TS 27.007 §5.5): GSM reads
    every character but cannot send the escaped ones, IRA has only ASCII.
    unknown_send: +CMS ERROR numbers after which the message may have gone out all the same.
    """

    name: str
    manufacturer: re.Pattern[str] = NEVER
    model: re.Pattern[str] = re.compile("")
    iccid: tuple[Command[str], ...] = (
        commands.iccid("+CCID"),
        commands.iccid("+ICCID"),
        commands.iccid("+QCCID"),
        commands.ICCID_FILE,
    )
    pin_tries: tuple[Command[commands.PinTries], ...] = (commands.PIN_TRIES,)
    setup: tuple[str, ...] = ()
    storages: tuple[str, ...] = ("SM", "ME", "MT")
    reset: Command[None] = commands.RESTART
    power_off: Command[None] | None = None
    gap_s: float = 0.0
    urcs: tuple[UrcSpec[Any], ...] = ()
    charsets: tuple[str, ...] = ("UCS2", "GSM", "IRA", "HEX")
    unknown_send: frozenset[int] = frozenset({500})
