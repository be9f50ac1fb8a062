"""Which AT lines a person may send through the agent's modem, and which would break it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

__all__ = ["Line", "RefusedLineError", "check"]

LINE_MAX: Final = 400  # characters; modules take 256 to 556


def _table(*rows: tuple[str, str]) -> dict[str, str]:
    """Rows of (reason, names) as a table: name -> reason."""
    return {name: reason for reason, names in rows for name in names.split()}


# Never: no answer that the driver could recognise would come, or a prompt that it cannot serve.
_NEVER: Final = _table(
    ("it repeats a line that was the agent's", "A/"),
    ("a call would take the port into data mode", "D A S0"),
    (
        "it takes the port into data mode",
        "O +CGDATA +CGANS +CIPMODE +QISWTMD +USODL #SO #SD #SKTD &T",
    ),
    ("it is for data mode", "+++"),
    ("it turns the port into a multiplexer, or to another protocol", "+CMUX +CPROT"),
    ("it asks for a text: modem-agent sms send TO TEXT sends an SMS", "+CMGS"),
    (
        "it asks for a text, which cannot be given here",
        "+CMGW +CMGC +CIPSEND +QISEND +QCMGS +QFUPL",
    ),
    ("it may ask for a text, and acknowledges what the agent has not journalled", "+CNMA"),
)
# Only with `force`; the modem is brought up anew afterwards.
_RISKY: Final = _table(
    ("a message that the agent has not journalled could be lost", "+CMGD +QMGDA +CMGDA +CMGRD"),
    (
        "the driver relies on this setting",
        (
            "+CPMS +CNMI +CMGF +CSMS +CSDH +CSCS +CSMP +CSCA +CMMS +CMEE +IPR +IFC +ICF +CRES "
            "+CSCB +CREG +CGREG +CEREG +C5GREG +FCLASS +QURCCFG ^CURC "
            "E Q V Z S = &F &W &Y &C &D &K \\Q"
        ),
    ),
    ("the agent takes the modem's clock for the network's", "+CCLK"),
    ("it sends an SMS that no budget counts", "+CMSS"),
    ("it may change the card, or spend tries of its PIN", "+CSIM +CGLA +CRSM +CRLA +CCHO +CPBW"),
    ("the modem may leave its network", "+COPS +CGATT"),
    ("it presses keys, or deletes what the modem has stored", "+CKPD +CMAR"),
    (
        "the port may change its meaning, or fall asleep",
        (
            "+CSCLK +QSCLK +UPSV +CPSMS ^U2DIAG ^SETPORT #USBCFG #PORTCFG !USBCOMP +CUSBPIDSWITCH "
            "+QUSBCFG +UUSBCONF"
        ),
    ),
    (
        "tries are counted, and the last ones lock the SIM",
        "+CPIN +CPIN2 +CPWD +CLCK ^CPIN *CPIN ^CARDLOCK",
    ),
    (
        "modem-agent send modem-reset resets the modem with care",
        (
            "+CFUN +CPOF +CPOWD +CPWROFF +CRESET +CREBOOT +QPOWD ^RESET #REBOOT !RESET !POWERDOWN "
            "#SHDN #ENHRST ^SMSO +QRST +NRB +TRB $QCPWRDN"
        ),
    ),
)

# Values given to these ask and change nothing; to any other command they may change what it likes.
_ASKS: Final = frozenset(
    """+CMGL +CMGR +CPBR +CPBF +CPBS +CPINR +CUSD +CGSN +CGPADDR +CGCONTRDP +CGEQOS +QENG +QPING
    +QLTS +QNWINFO +QCSQ +CPSI +USTATS #MONI !GSTATUS ^SYSINFO ^CARDMODE""".split()  # noqa: SIM905
)
_BASIC_ASKS: Final = frozenset("IHLMTPX") | {"&V"}
_UNKNOWN: Final = "nobody knows here what it changes"

_EXTENDED = re.compile(r"[+^#!$%*_\\@&?-][A-Z0-9_]*", re.IGNORECASE)
_BASIC = re.compile(r"(S[0-9]+|[&\\%]?[A-Z])([0-9]*)(=[0-9]*|\?)?", re.IGNORECASE)
_QUOTED = re.compile(r'"[^"]*"')
# Reading a file, a record, a status or a response of the card (TS 27.007 §8.18, TS 102.221).
_READS_CARD = re.compile(
    r"\+(?:CRSM=|CRLA=[0-9]+,)0*(?:176|178|192|203|242)(?:,[^+^#!$%*]*)?", re.IGNORECASE
)
_REGISTER = re.compile("S0*([0-9]+)")  # S00 is S0
_OPERATOR_FORMAT = re.compile(r"\+COPS=0*3,[0-9]+", re.IGNORECASE)  # how its name is shown
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
    risky = [name for name in names if _kind(name) in _RISKY]
    risky += [name.removesuffix("=") for name in names if name.endswith("=") and name != "="]
    if risky and not force:
        reason = _RISKY.get(_kind(risky[0]), _UNKNOWN)
        raise RefusedLineError(f"AT{risky[0]} is not sent unless forced: {reason}", forcible=True)
    return Line(line, (risky or names or [""])[0], bool(risky))


def _kind(name: str) -> str:
    """Its name in the tables: one for all registers."""
    return "S" if _REGISTER.fullmatch(name) else name


def _unless_known(name: str, asks: frozenset[str]) -> str:
    """Return the name, with "=" behind it where nobody knows here that it does no more than ask."""
    return name if name in asks or name in _NEVER or _kind(name) in _RISKY else f"{name}="


def _names(line: str) -> list[str]:
    """Return the names of the commands in a line that do more than read (V.250 5.4).

    One that may change anything has "=" behind it.
    """
    names: list[str] = []
    # A quoted value may hold anything. Blanks mean nothing anywhere else (V.250 §5.2.1).
    bare = _BLANKS.sub("", _QUOTED.sub('""', line))
    if "+++" in bare:
        names.append("+++")
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
            name = _REGISTER.sub(r"S\1", basic[1].upper())
            if basic[3] != "?" or name[0] != "S":  # only a register can be read so
                names.append(_unless_known(name, _BASIC_ASKS))
            if name in _NEVER:
                return names
            rest = rest[basic.end() :].lstrip()
        elif extended is not None:
            tail = rest[extended.end() :]
            if tail in ("?", "=?") or any(
                harmless.fullmatch(rest) for harmless in (_READS_CARD, _OPERATOR_FORMAT)
            ):
                return names
            # Some modems go on after an answer or a value without a semicolon.
            name = extended[0].upper()
            hidden = (one.upper() for one in _HIDDEN.findall(tail))
            return [*names, _unless_known(name, _ASKS) if tail else name, *hidden]
        else:  # what modems make of it differs: some skip it, and read on
            hidden = (one.upper() for one in _HIDDEN.findall(rest))
            return [*names, _unless_known(rest[0], frozenset()), *hidden]
    return names
