"""Profile: what differs from vendor to vendor, as data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from at import commands
from at.command import Command, UrcSpec

NEVER: Final = re.compile(r"(?!)")


@dataclass(frozen=True, slots=True)
class Setup:
    """A setting that bring-up makes; an error is no reason to stop.

    line: the command. ask, shows: sent first, and the setting is left alone where an answer has
    this text in it: some settings are written to flash each time.
    """

    line: str
    ask: str = ""
    shows: str = ""


@dataclass(frozen=True, slots=True)
class UsbPort:
    """A USB interface that speaks AT: hexadecimal ids as sysfs shows them, product "" for any."""

    vendor: str
    product: str
    interface: int


@dataclass(frozen=True, slots=True)
class Profile:
    """One vendor's habits. Every field has the standard's behaviour as its default.

    manufacturer, model: searched in the answers of +CGMI and +CGMM; both must be found.
    iccid: commands that may give the SIM's number, in order of trial.
    pin_tries: how many tries are left, where the modem can tell.
    setup: settings made after the echo is off, before the SIM is looked at.
    storages: message memories, the best first. reset: the rung of the recovery ladder.
    power_off: before the supply is cut. gap_s: rest between an unsolicited code and a command.
    urcs: codes of its own; chatter: lines it says that mean nothing here.
    charsets: for text mode, the best first (TS 27.007 §5.5): GSM reads every character but cannot
    send the escaped ones, IRA has only ASCII.
    unknown_send: +CMS ERROR numbers after which the message may have gone out all the same.
    ports: USB interfaces that are good AT ports, the best first; vendors: USB vendors of modems.
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
    setup: tuple[Setup, ...] = ()
    storages: tuple[str, ...] = ("SM", "ME", "MT")
    reset: Command[None] = commands.RESTART
    power_off: Command[None] | None = None
    gap_s: float = 0.0
    urcs: tuple[UrcSpec[Any], ...] = ()
    chatter: re.Pattern[str] = NEVER
    charsets: tuple[str, ...] = ("UCS2", "GSM", "IRA", "HEX")
    unknown_send: frozenset[int] = frozenset({500})
    ports: tuple[UsbPort, ...] = ()
    vendors: frozenset[str] = frozenset()
