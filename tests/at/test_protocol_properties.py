"""AtProtocol against any octets and any split of them."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from at import commands
from at.command import Command
from at.protocol import AtProtocol, Event
from at.store import pdu_mode
from at.urcs import URCS

READ = pdu_mode.PduMode().reading(1)
PDU = b"07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07"
PIECES = [
    b"\r\nOK\r\n",
    b"OK",
    b"\r\nERROR\r\n",
    b"\r\n+CMS ERROR: 321\r\n",
    b"\r\n+CMGR: 0,,30\r\n",
    b"+CMGL: 2,1,,30\r\n",
    b'\r\n+CMGR: "REC READ","000",,5\r\n',
    PDU,
    PDU + b"\r\n",
    b'\r\n+CMTI: "SM",1\r\n',
    b"\r\n+CMT: ,30\r\n",
    b"\r\n+CDS: 30\r\n",
    b"\r\n+CMGS: 3\r\n",
    b"\r\n> ",
    b">",
    b"\r",
    b"\n",
    b" ",
    b"\x1a",
    b"\x00\xff",
    b"AT+CMGR=1\r",
    b"AT+CMGS=18\r",
    b"text",
    b"x" * 9000,
]


def _length(header: str) -> int | None:
    found = re.search(r",(\d+)$", header)
    return int(found[1]) if found is not None else None


COMMANDS: list[Command[object] | None] = [
    None,
    READ,
    pdu_mode.LIST,
    commands.SIGNAL,
    commands.submit("18", b"0011"),
    Command("+CMGR=1", lambda lines: lines, info=re.compile(r"\+CMGR:.*"), length=_length),
    Command(
        "+CMGR=1",
        lambda lines: lines,
        info=re.compile(r"\+CMG[RL]:.*"),
        length=_length,
        ends=lambda header, text: len(text) in {_length(header), 2 * (_length(header) or 0)},
    ),
]

lines = st.lists(st.sampled_from(PIECES) | st.binary(max_size=12), max_size=24).map(b"".join)


@st.composite
def split(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    data = draw(lines)
    cuts = sorted(draw(st.sets(st.integers(0, len(data)), max_size=12)))
    return data, [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]


def _events(command: Command[object] | None, chunks: list[bytes]) -> list[Event]:
    protocol = AtProtocol(URCS)
    if command is not None:
        protocol.start(command)
    events = [event for chunk in chunks for event in protocol.feed(chunk)]
    return events + protocol.abandon()


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(COMMANDS), split())
def test_any_split_gives_the_same_events(
    command: Command[object] | None, octets: tuple[bytes, list[bytes]]
) -> None:
    whole, parts = octets
    assert _events(command, parts) == _events(command, [whole])


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(COMMANDS), st.lists(st.sampled_from(PIECES[:-1]), max_size=10))
def test_one_octet_at_a_time_gives_the_same_events(
    command: Command[object] | None, pieces: list[bytes]
) -> None:
    whole = b"".join(pieces)
    single = [whole[i : i + 1] for i in range(len(whole))]
    assert _events(command, single) == _events(command, [whole])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(COMMANDS), st.binary(max_size=200)), max_size=8))
def test_no_octets_make_it_raise(steps: list[tuple[Command[object] | None, bytes]]) -> None:
    protocol = AtProtocol(URCS)
    for command, data in steps:
        if command is not None and not protocol.busy:
            protocol.start(command)
        protocol.feed(data)
        if command is None:
            protocol.abandon()
    assert len(protocol.feed(b'\r\n\r\n+CMTI: "SM",1\r\n')) <= 400
