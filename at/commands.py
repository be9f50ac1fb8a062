"""The commands of TS 27.007 and TS 27.005 in use, as typed values."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from at import fields
from at.command import Command, masked
from at.errors import ReplyError
from at.identities import (
    UCS2_NAME,
    UCS2_NUMBER,
    card_file,
    digits,
    one_word,
    readable,
    telecom_card,
)

R = TypeVar("R")

SEND_TIMEOUT_S: Final = (
    300.0  # slow networks with retries take minutes; giving up early sends twice
)
NETWORK_TIMEOUT_S: Final = 60.0  # what asks the network before it answers
SIM_TIMEOUT_S: Final = 20.0  # PIN verification
LIST_TIMEOUT_S: Final = 10.0  # of silence
READ_TIMEOUT_S: Final = 8.0  # of silence
DELETE_TIMEOUT_S: Final = 15.0  # SIM800: up to 5 s on a slow SIM


@dataclass(frozen=True, slots=True)
class Signal:
    """Received signal; None: not known or not detectable."""

    dbm: int | None


@dataclass(frozen=True, slots=True)
class Registered:
    """The answer of a registration query: status 0-10 and access technology (TS 27.007 §7.2)."""

    status: int
    technology: int | None


@dataclass(frozen=True, slots=True)
class Operator:
    """The selected operator's name or number, and the access technology (TS 27.007 §7.3)."""

    name: str
    technology: int | None


@dataclass(frozen=True, slots=True)
class Memory:
    """One of the three message memories: its storage and how full it is (TS 27.005 §3.2.2).

    storage: "" where the answer does not name it.
    """

    storage: str
    used: int
    total: int


@dataclass(frozen=True, slots=True)
class PinTries:
    """Tries left before the SIM wants its PUK, and for the PUK; None: not told."""

    pin: int | None
    puk: int | None


def prefix(name: str) -> re.Pattern[str]:
    """Information lines that begin with the command's own name."""
    return re.compile(re.escape(name) + r":.*")


# Free text without a prefix (§5): anything but a result code or a line with somebody's prefix.
PLAIN: Final = re.compile(r"(?!OK$|ERROR$|RDY$|RING$|NO CARRIER$|[+^#*!&%>])[ -~]+")


def _named_text(name: str) -> re.Pattern[str]:
    return re.compile(rf"{re.escape(name)}:.*|{PLAIN.pattern}")


def nothing(_: tuple[str, ...]) -> None:
    """The answer that is an OK alone; lines that came with it do not matter."""


def do(line: str, timeout_s: float = 5.0, *, patient: bool = False) -> Command[None]:
    """A command whose answer is OK or an error."""
    return Command(line, nothing, timeout_s, patient=patient)


def raw(line: str, timeout_s: float = 30.0) -> Command[tuple[str, ...]]:
    """A line as a person typed it, "AT" left out; every line of the answer is handed back.

    Raises ValueError where the line would not stay one line.
    """
    if not line.isascii() or not (line.isprintable() or not line):
        raise ValueError("an AT command is one line of printable ASCII")
    own = re.compile(r"(?!OK$|ERROR$|\+CM[ES] ERROR:|\+CMTI:|\+CDSI:|ABORTED$).+")
    return Command(line, lambda lines: lines, timeout_s, info=own, patient=True)


def ask(line: str, name: str, read: Callable[[str], R], timeout_s: float = 5.0) -> Command[R]:
    """A command answered by one information line "NAME: ..."; `read` may raise ValueError."""

    def parse(lines: tuple[str, ...]) -> R:
        for text in lines:
            try:
                return read(text)
            except (ValueError, IndexError):
                continue
        raise ReplyError(masked(line), lines)

    return Command(line, parse, timeout_s, info=prefix(name))


def text(line: str, timeout_s: float = 5.0) -> Command[str]:
    """A command answered by free text, with or without its name before it."""
    name = re.split("[=?]", line)[0]

    def parse(lines: tuple[str, ...]) -> str:
        if not lines:
            raise ReplyError(masked(line), lines)
        words = [one.removeprefix(f"{name}:").strip().strip('"').strip() for one in lines]
        return " ".join(word for word in words if word)

    return Command(line, parse, timeout_s, info=_named_text(name))


# -- V.250 and general (TS 27.007 §4-§6) ---------------------------------------------------------

ATTENTION: Final = do("", 1.0)
ECHO_OFF: Final = do("E0", 1.0)  # V.250 §6.2.4
VERBOSE: Final = do("V1")  # V.250 §6.2.6
ERRORS_BY_NUMBER: Final = do("+CMEE=1")  # §9.1
ERRORS_BY_TEXT: Final = do("+CMEE=2")
MANUFACTURER: Final = text("+CGMI")  # §5.1
MODEL: Final = text("+CGMM")  # §5.2
FIRMWARE: Final = text("+CGMR")  # §5.3
IMEI: Final = one_word(  # §5.4
    "+CGSN",
    digits("[0-9]{14,17}"),
    # What else a maker takes for a serial number: an ESN, a MEID, one of its own.
    r'(?:(?:\+C?GSN|IMEI|MEID|ESN|S/?N): *)?"?((?=[A-Za-z-]*[0-9])[0-9A-Za-z-]{6,32})"? *',
)
IMSI: Final = one_word("+CIMI", digits("[0-9]{6,15}"))  # §5.6
RESTART: Final = do("+CFUN=1,1", 15.0, patient=True)  # §8.2
FUNCTIONALITY: Final = ask(  # §8.2: 1 is full, 0 and 4 are without radio
    "+CFUN?", "+CFUN", lambda line: fields.number(fields.split(line)[0])
)
RADIO_ON: Final = do("+CFUN=1", 15.0, patient=True)
EXTENDED_ERROR: Final = text("+CEER")  # TS 24.008's cause of the last failure, §6.10
CLOCK: Final = ask("+CCLK?", "+CCLK", lambda line: line.partition(":")[2].strip())  # §8.15


def iccid(line: str) -> Command[str]:
    """The SIM's number by the vendor's own command: +CCID, +QCCID, +ICCID, ^ICCID?, #CCID."""
    return one_word(line, digits("[0-9A-Fa-f]{17,24}"), read=telecom_card)


# EF-ICCID by its number (TS 31.102 §4.2, TS 102.221 §13.2): every SIM has it, PIN or not.
ICCID_FILE: Final = ask("+CRSM=176,12258,0,0,10", "+CRSM", card_file)  # §8.18

# -- SIM (TS 27.007 §8) --------------------------------------------------------------------------

SIM_STATE: Final = replace(  # §8.3
    ask("+CPIN?", "+CPIN", lambda line: line.partition(":")[2].strip().strip('"').upper()),
    timeout_s=SIM_TIMEOUT_S,
    unended_s=2.0,  # some modems say +CPIN: READY and leave it at that
    patient=True,
)


def enter_pin(pin: str) -> Command[None]:
    """§8.3. Raises ValueError unless the PIN is 4 to 8 digits."""
    if not re.fullmatch("[0-9]{4,8}", pin):
        raise ValueError("a PIN is 4 to 8 digits")
    return do(f'+CPIN="{pin}"', SIM_TIMEOUT_S, patient=True)


def pin_tries(line: str, read: Callable[[list[str]], PinTries]) -> Command[PinTries]:
    """A vendor's command for the counters; `read` gets the parameters, may raise ValueError."""
    name = re.split("[=?]", line)[0]
    return ask(line, name, lambda answer: read(fields.split(answer)))


def _standard_tries(values: list[str]) -> PinTries:
    if values[0] != "SIM PIN":
        raise ValueError("another code's counter")
    return PinTries(int(values[1]), None)


PIN_TRIES: Final = pin_tries('+CPINR="SIM PIN"', _standard_tries)  # §8.65

# -- network (TS 27.007 §7, §8.5, §8.69, §10) ----------------------------------------------------


def _registered(line: str) -> Registered:
    values = fields.split(line)
    status = fields.number(values[1])
    if status is None:
        raise ValueError("no status")
    return Registered(status, fields.number(values[4]) if len(values) > 4 else None)


def registration(name: str) -> Command[Registered]:
    """+CREG, +CGREG, +CEREG or +C5GREG. <n> comes before <stat>: that tells it from the news."""
    own = re.compile(re.escape(name) + r":\s*+\d{1,3}\s*+,\s*+\d{1,3}\s*+(?:,.*)?")
    return Command(f"{name}?", ask(f"{name}?", name, _registered).parse, 5.0, info=own)


def announce_registration(name: str) -> Command[None]:
    """Ask for the news of it."""
    return do(f"{name}=1")


_NUMERIC: Final = 2  # <format> of an operator: country and network code


def _operator(line: str) -> Operator:
    values = fields.split(line)
    if len(values) < 3:
        return Operator("", None)
    coded = UCS2_NUMBER if fields.number(values[1]) == _NUMERIC else UCS2_NAME
    technology = fields.number(values[3]) if len(values) > 3 else None
    return Operator(readable(values[2], coded).strip(), technology)


OPERATOR: Final = replace(  # §7.3
    ask("+COPS?", "+COPS", _operator, NETWORK_TIMEOUT_S), patient=True
)
OPERATOR_BY_NAME: Final = do("+COPS=3,0")


def _signal(line: str) -> Signal:
    rssi = fields.number(fields.split(line)[0])
    if rssi is None:
        raise ValueError("no number")
    if 100 <= rssi <= 191:
        return Signal(rssi - 216)  # RSCP of TD-SCDMA, §8.5
    return Signal(2 * rssi - 113 if 0 <= rssi <= 31 else None)


def _extended_signal(line: str) -> Signal:
    values = [fields.number(value) for value in fields.split(line)]
    if len(values) < 6:
        raise ValueError("too short")
    rxlev, _, rscp, _, _, rsrp = values[:6]
    if rsrp is not None and rsrp <= 97:
        return Signal(rsrp - 141)
    if rscp is not None and rscp <= 96:
        return Signal(rscp - 121)
    return Signal(rxlev - 111 if rxlev is not None and rxlev <= 63 else None)


SIGNAL: Final = ask("+CSQ", "+CSQ", _signal)  # §8.5
EXTENDED_SIGNAL: Final = ask("+CESQ", "+CESQ", _extended_signal)  # §8.69

# -- messages: settings (TS 27.005 §3.1-§3.3) ----------------------------------------------------

MESSAGE_FORMATS: Final = ask("+CMGF=?", "+CMGF", lambda line: fields.offers(line)[0])  # §3.2.3
MESSAGE_FORMAT: Final = ask(  # §3.2.3: whether it is text mode
    "+CMGF?", "+CMGF", lambda line: fields.number(fields.split(line)[0]) == 1
)
MESSAGE_SERVICE: Final = ask(  # §3.2.1
    "+CSMS?", "+CSMS", lambda line: fields.number(fields.split(line)[0])
)
SERVICE_CENTRE: Final = ask(
    "+CSCA?", "+CSCA", lambda line: readable(fields.split(line)[0])
)  # §3.3.1


def message_format(text_mode: bool) -> Command[None]:
    """§3.2.3."""
    return do(f"+CMGF={int(text_mode)}")


def _memories(line: str) -> tuple[Memory, ...]:
    values = fields.split(line)
    named = bool(values) and not values[0].isdecimal()
    step = 3 if named else 2
    found = []
    for i in range(0, len(values) - step + 1, step):
        used, total = (fields.number(value) for value in values[i + step - 2 : i + step])
        if used is None or total is None:
            raise ValueError("no number")
        found.append(Memory(values[i] if named else "", used, total))
    if not found:
        raise ValueError("empty")
    return tuple(found)


MEMORIES: Final = ask("+CPMS?", "+CPMS", _memories, SIM_TIMEOUT_S)  # §3.2.2
MEMORIES_OFFERED: Final = ask("+CPMS=?", "+CPMS", fields.offers, SIM_TIMEOUT_S)


def select_memories(*storages: str) -> Command[tuple[Memory, ...]]:
    """Choose one to three memories: to read and delete, to write and send, to receive."""
    names = ",".join(f'"{storage}"' for storage in storages)
    line = f"+CPMS={names}"
    return Command(line, lambda lines: _selected(line, lines), SIM_TIMEOUT_S, info=prefix("+CPMS"))


def _selected(line: str, lines: tuple[str, ...]) -> tuple[Memory, ...]:
    if not lines:
        return ()  # some modules answer a bare OK
    try:
        return _memories(lines[0])
    except ValueError:
        raise ReplyError(masked(line), lines) from None


INDICATIONS_OFFERED: Final = ask("+CNMI=?", "+CNMI", fields.offers)  # §3.4.1
INDICATIONS: Final = ask(
    "+CNMI?", "+CNMI", lambda line: tuple(fields.number(v) for v in fields.split(line))
)


def indications(values: tuple[int, ...]) -> Command[None]:
    """<mode>,<mt>,<bm>,<ds>,<bfr>."""
    return do("+CNMI=" + ",".join(map(str, values)))


MORE_MESSAGES: Final = do("+CMMS=1")  # §3.5.6: keep the link for the parts that follow
ACKNOWLEDGE: Final = do("+CNMA", 10.0)  # §3.4.4: <n> omitted is a positive answer in both modes
REFUSE: Final = do("+CNMA=2", 10.0)  # §4.6, PDU mode


def message_service(phase: int) -> Command[None]:
    """§3.2.1: 1 wants direct messages acknowledged by +CNMA; what comes with OK does not matter."""
    return Command(f"+CSMS={phase}", nothing, info=prefix("+CSMS"))


# -- messages: text mode settings (TS 27.005 §3.1, §3.2.3, TS 27.007 §5.5) ------------------------

CHARSETS_OFFERED: Final = ask(
    "+CSCS=?",
    "+CSCS",
    lambda line: frozenset(name.upper() for names in fields.offers(line) for name in names),
)
SHOW_HEADERS: Final = do("+CSDH=1")  # §3.3.3


def character_set(name: str) -> Command[None]:
    """TS 27.007 §5.5."""
    return do(f'+CSCS="{name}"')


def text_parameters(parameters: str) -> Command[None]:
    """<fo>,<vp>,<pid>,<dcs> of what is sent from now on (§3.3.2)."""
    return do(f"+CSMP={parameters}")


# -- messages: both modes ------------------------------------------------------------------------


def delete(index: int) -> Command[None]:
    """§3.5.4: this index alone."""
    return do(f"+CMGD={index}", DELETE_TIMEOUT_S)


def _reference(line: str) -> int:
    reference = fields.number(fields.split(line)[0])
    if reference is None:
        raise ValueError("no reference")
    return reference


def submit(parameters: str, body: bytes) -> Command[int]:
    """+CMGS: send a message; returns TP-MR (§3.5.1, §4.3)."""
    line = f"+CMGS={parameters}"
    reader = ask(line, "+CMGS", _reference)
    return Command(line, reader.parse, SEND_TIMEOUT_S, info=prefix("+CMGS"), body=body)
