"""Whatever reads a stranger's text takes time in proportion to it, however it is made up."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import pytest

from agent.modem import line_filter
from agent.payload import schedule
from agent.payload.arguments import ArgSpec, validate
from agent.payload.platforms import read_sender
from agent.payload.request import EVERY_COMMAND, read
from agent.payload.values import Refused
from at import fields
from at.command import masked
from at.errors import CodecError
from at.protocol import AtProtocol
from at.sms import Address, decode, read_number
from at.sms.text_mode.text import parse_header
from at.store import pdu_mode
from at.store.text_mode import TextMode
from at.transcript import Transcript
from at.urcs import URCS

LONG = 8192  # octets of a payload, and of a line from a modem
QUICK_S = 0.05  # too short to be told from noise
TEXT_MODE = TextMode("IRA")
OF_LINES = (
    *(spec.pattern for spec in (*URCS, *TEXT_MODE.urcs)),
    *(command.info for command in (pdu_mode.LIST, TEXT_MODE.listing(), TEXT_MODE.reading(1))),
)


def _number(text: str) -> None:
    validate({"n": ArgSpec("number")}, {"n": text})


def _integer(text: str) -> None:
    validate({"n": ArgSpec("integer")}, {"n": text})


def _lines(text: str) -> None:
    for pattern in OF_LINES:
        if pattern is not None:
            pattern.fullmatch(text)


def _protocol(text: str) -> None:
    protocol = AtProtocol(URCS)
    data = text.encode("latin-1", "replace")
    for start in range(0, len(data), 64):
        protocol.feed(data[start : start + 64])
    protocol.feed(b"\r\n")


def _transcript(text: str) -> None:
    transcript = Transcript()
    for outgoing in (True, False):
        transcript.tap(outgoing, text.encode("latin-1", "replace") + b"\r\n")
    transcript.render("x")


READERS: dict[str, tuple[Callable[[str], object], tuple[str, ...]]] = {
    "payload": (
        lambda text: read(text, known=EVERY_COMMAND),
        ("", "sms ", "sms to=", 'sms to="', '{"cmd":"', '{"id":', '{"id" ', "{", "[", "DC", "x=1 "),
    ),
    "number": (_number, ("", "+", "0.", "1e")),
    "integer": (_integer, ("", "-")),
    "when": (schedule.parse_when, ("", "+", "2026-", "2026-01-01T00:00:00")),
    "exp": (schedule.parse_exp, ("", "+", "2026-01-01T00:00:00.")),
    "telephone number": (read_number, ("", "+", "tel:", "(")),
    "sender": (read_sender, ("", '"')),
    "address": (Address.parse, ("",)),
    "AT line": (line_filter.check, ("", "AT", "+CMGS=", 'AT+CPBW=1,"')),
    "masked AT line": (masked, ("", '+CPBW=1,"', '+CMGS="', "D")),
    "text header": (
        parse_header,
        ("+CMGR: ", '+CMGR: "REC READ",', '+CMGR: "REC READ","', '+CMGL: 1,"REC READ",', "+CMT: "),
    ),
    "parameters": (fields.split, ("", "+CPMS: ", "+CPMS: 1,", '+CPMS: "')),
    "offers": (fields.offers, ("", "+CNMI: ", "+CNMI: (")),
    "lines": (_lines, ("", "+CMT: ", "+CMGL: 1,", "+CMGR: ", '+CMGR: "REC READ",', "+CREG: 1,")),
    "bytes": (_protocol, ("", "\r\n+CMT: ", "\r\n> ", "OK")),
    "transcript": (_transcript, ("", '+CMGR: "REC READ",', '+CMT: "')),
    "PDU": (decode, ("", "00")),
}
UNITS = (
    "0",
    "a",
    "A",
    " ",
    '"',
    '""',
    ",",
    '",',
    '","',
    ";",
    "=",
    "(",
    "a=",
    "a ",
    "0a",
    "0,",
    "{",
    "\\",
    '\\"',
    "1.",
    "C",
    "CMT",
    "\t",
    "[",
    "DC0",
    ":",
    "-",
    "\n",
    "\u00a0",
    'a"',
    "0000",
    "\r",
)
ENDS = ("", "\x00", '"', "x")


def _seconds(reader: Callable[[str], object], text: str) -> float:
    began = time.process_time()
    with contextlib.suppress(Refused, CodecError, ValueError, line_filter.RefusedLineError):
        reader(text)
    return time.process_time() - began


@pytest.mark.parametrize("name", READERS)
def test_time_is_in_proportion_to_the_text(name: str) -> None:
    reader, starts = READERS[name]
    slow = []
    for start in starts:
        for unit in UNITS:
            for end in ENDS:
                long, short = (
                    start + unit * (size // len(unit)) + end for size in (LONG, LONG // 8)
                )
                if _seconds(reader, long) < QUICK_S:
                    continue
                took = min(_seconds(reader, long) for _ in range(2))
                if took > QUICK_S and took > 24 * min(_seconds(reader, short) for _ in range(3)):
                    slow.append((start, unit, end, round(took, 3)))
    assert slow == []
