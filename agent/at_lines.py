"""Which AT lines a person may send through the agent's modem, and which would break it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

__all__ = ["Line", "RefusedLineError", "check"]

LINE_MAX: Final = 400  # characters; modules take 256 to 556

# Never: no answer that the driver could recognise would come, or a prompt that it cannot serve.
_NEVER: Final = {
    "A/": "it repeats a line that was the agent's",
    "D": "a call would take the port into data mode",
    "A": "a call would take the port into data mode",
    "O": "it takes the port into data mode",
    "+CGDATA": "it takes the port into data mode",
    "+CMUX": "it turns the port into a multiplexer",
    "+CMGS": "it asks for a text: modem-agent sms send TO TEXT sends an SMS",
    "+CMGW": "it asks for a text, which cannot be given here",
    "+CMGC": "it asks for a text, which cannot be given here",
    "+CIPSEND": "it asks for a text, which cannot be given here",
    "+QISEND": "it asks for a text, which cannot be given here",
    "+QCMGS": "it asks for a text, which cannot be given here",
    "+QFUPL": "it asks for a text, which cannot be given here",
    "+CIPMODE": "it takes the port into data mode",
    "S0": "a call would be answered, and take the port into data mode",
    "+CNMA": "it may ask for a text, and acknowledges what the agent has not journalled",
}
_LOSES: Final = "a message that the agent has not journalled could be lost"
_SETTINGS: Final = "the driver relies on this setting"
_CARD: Final = "it may change the card, or spend tries of its PIN"
_PORT: Final = "the port may change its meaning, or fall asleep"
_SIM: Final = "tries are counted, and the last ones lock the SIM"
_POWER: Final = "modem-agent send modem-reset resets the modem with care"
# Only with `force`; the modem is brought up anew afterwards.
_RISKY: Final = {
    "+CMGD": _LOSES,
    "+QMGDA": _LOSES,
    "+CMGDA": _LOSES,
    "+CPMS": _SETTINGS,
    "+CNMI": _SETTINGS,
    "+CMGF": _SETTINGS,
    "+CSMS": _SETTINGS,
    "+CSDH": _SETTINGS,
    "+CSCS": _SETTINGS,
    "+CSMP": _SETTINGS,
    "+CSCA": _SETTINGS,
    "+CMMS": _SETTINGS,
    "+CMEE": _SETTINGS,
    "+IPR": _SETTINGS,
    "+IFC": _SETTINGS,
    "+ICF": _SETTINGS,
    "+CRES": _SETTINGS,
    "+CSCB": _SETTINGS,
    "+CMSS": "it sends an SMS that no budget counts",
    "+CSIM": _CARD,
    "+CGLA": _CARD,
    "+CRSM": _CARD,
    "+CRLA": _CARD,
    "+CSCLK": _PORT,
    "+QSCLK": _PORT,
    "+UPSV": _PORT,
    "^U2DIAG": _PORT,
    "^SETPORT": _PORT,
    "#USBCFG": _PORT,
    "!USBCOMP": _PORT,
    "+CUSBPIDSWITCH": _PORT,
    "S": _SETTINGS,
    "E": _SETTINGS,
    "Q": _SETTINGS,
    "V": _SETTINGS,
    "Z": _SETTINGS,
    "&F": _SETTINGS,
    "&W": _SETTINGS,
    "&C": _SETTINGS,
    "&D": _SETTINGS,
    "&K": _SETTINGS,
    "S3": _SETTINGS,
    "S4": _SETTINGS,
    "S5": _SETTINGS,
    "+CPIN": _SIM,
    "+CPIN2": _SIM,
    "+CPWD": _SIM,
    "+CLCK": _SIM,
    "+CFUN": _POWER,
    "+CPOF": _POWER,
    "+CPWROFF": _POWER,
    "+CRESET": _POWER,
    "+QPOWD": _POWER,
    "^RESET": _POWER,
    "#REBOOT": _POWER,
    "!RESET": _POWER,
    "!POWERDOWN": _POWER,
    "#SHDN": _POWER,
    "#ENHRST": _POWER,
    "^SMSO": _POWER,
    "+QRST": _POWER,
    "+NRB": _POWER,
    "$QCPWRDN": _POWER,
    "^CPIN": _SIM,
    "*CPIN": _SIM,
    "^CARDLOCK": _SIM,
}

_EXTENDED = re.compile(r"[+^#!$%*_\\@&?-][A-Z0-9_]*", re.IGNORECASE)
_BASIC = re.compile(r"(S[0-9]+|[&\\%]?[A-Z])([0-9]*)(=[0-9]*|\?)?", re.IGNORECASE)
_QUOTED = re.compile(r'"[^"]*"')
# Reading a file, a record, a status or a response of the card (TS 27.007 §8.18, TS 102.221).
_READS_CARD = re.compile(
    r"\+(?:CRSM=|CRLA=[0-9]+,)0*(?:176|178|192|203|242)(?:,[^+^#!$%*]*)?", re.IGNORECASE
)
_ZEROS = re.compile("S0+(?=[0-9])")  # S00 is S0
_BLANKS = re.compile(r"\s+")
_HIDDEN = re.compile(r"[+^#!$%*][A-Z][A-Z0-9]+", re.IGNORECASE)


class RefusedLineError(Exception):
    """A line that is not sent. forcible: it would be, for somebody who insists."""

    def __init__(self, text: str, *, forcible: bool) -> None:
        super().__init__(text)
        self.forcible = forcible


@dataclass(frozen=True, slots=True)
class Line:
    """A line that may be sent: what follows "AT"; name: of its first risky command, or its first.

    unsettles: it may have changed what the driver relies on.
    """

    line: str
    name: str
    unsettles: bool


def check(text: str, *, force: bool = False) -> Line:
    """Judge a line as a person typed it, with "AT" before it or without.

    Reading and testing a setting (`?`, `=?`) is always fine. Raises RefusedLineError.
    """
    line = text.strip()
    if not line.isascii() or not line.isprintable() or len(line) > LINE_MAX:
        problem = f"an AT line is at most {LINE_MAX} printable ASCII characters"
        raise RefusedLineError(problem, forcible=False)
    if line[:2].upper() == "A/":
        raise RefusedLineError(f"A/ is not sent: {_NEVER['A/']}", forcible=False)
    if line[:2].upper() == "AT":
        line = line[2:].lstrip()
    if line.count('"') % 2:
        raise RefusedLineError("a quote is not closed", forcible=False)
    names = _names(line)
    for name in names:
        if name in _NEVER:
            raise RefusedLineError(f"AT{name} is not sent: {_NEVER[name]}", forcible=False)
    risky = [name for name in names if name in _RISKY]
    if risky and not force:
        told = f"AT{risky[0]} is not sent unless forced: {_RISKY[risky[0]]}"
        raise RefusedLineError(told, forcible=True)
    return Line(line, (risky or names or [""])[0], bool(risky))


def _names(line: str) -> list[str]:
    """Return the names of the commands in a line that do more than read (V.250 5.4)."""
    names = []
    # A quoted value may hold anything. Blanks mean nothing anywhere else (V.250 §5.2.1).
    bare = _BLANKS.sub("", _QUOTED.sub('""', line))
    for piece in bare.split(";"):
        names += _basic_then_extended(piece.strip())
    return names


def _basic_then_extended(piece: str) -> list[str]:
    names = []
    rest = piece
    while rest:
        basic = _BASIC.match(rest)
        extended = _EXTENDED.match(rest)
        if basic is not None:
            name = _ZEROS.sub("S", basic[1].upper())
            if basic[3] != "?":
                names.append(name)
            if name in _NEVER:
                return names
            rest = rest[basic.end() :].lstrip()
        elif extended is not None:
            tail = rest[extended.end() :]
            if tail in ("?", "=?") or _READS_CARD.fullmatch(rest):
                return names
            # Some modems go on after an answer or a value without a semicolon.
            return [*names, extended[0].upper(), *(one.upper() for one in _HIDDEN.findall(tail))]
        else:
            return names
    return names
