"""Hypothesis strategies: every value that the codec can express."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import strategies as st

from at.sms import (
    Address,
    Alphabet,
    Command,
    Concat,
    Dcs,
    Deliver,
    DeliverReport,
    Element,
    Enhanced,
    Ports,
    Relative,
    StatusReport,
    Submit,
    SubmitReport,
    Timestamp,
    UserData,
)
from at.sms.address import KINDS
from at.sms.alphabets import gsm7

octets = st.integers(0, 255)
GSM7_TEXT = "".join(c for c in gsm7.DEFAULT if c != "\x1b") + "".join(gsm7.EXTENSION.values())
gsm7_text = st.text(GSM7_TEXT, max_size=80)
scalars = st.characters(exclude_categories=["Cs"])
any_text = st.text(scalars, max_size=60)


def _fits(name: str) -> bool:
    septets = gsm7.encode(name)
    return len(septets) <= 11 and not (len(septets) == 8 and septets[-1] == 0)


names = st.text(GSM7_TEXT, max_size=11).filter(_fits)
addresses = st.one_of(
    st.builds(
        Address,
        st.text("0123456789*#abc", max_size=20),
        st.sampled_from([kind for kind in KINDS if kind != "alphanumeric"]),
        st.integers(0, 15),
    ),
    st.builds(Address, names, st.just("alphanumeric"), st.integers(0, 15)),
)
centres = st.none() | st.builds(
    Address, st.text("0123456789", min_size=1, max_size=20), st.just("international")
)
zones = st.integers(-79, 79).map(lambda quarters: timezone(timedelta(minutes=15 * quarters)))
epoch_seconds = st.integers(
    int(datetime(1990, 1, 2, tzinfo=UTC).timestamp()),
    int(datetime(2089, 12, 30, tzinfo=UTC).timestamp()),
)
times = st.builds(datetime.fromtimestamp, epoch_seconds, zones)
timestamps = times.map(Timestamp.of) | st.binary(min_size=7, max_size=7).map(Timestamp)
concats = st.builds(
    lambda wide, reference, total, sequence: Concat(
        reference & (0xFFFF if wide else 0xFF), total, min(sequence, total), wide
    ),
    st.booleans(),
    st.integers(0, 0xFFFF),
    st.integers(1, 255),
    st.integers(1, 255),
)
elements = st.one_of(
    st.builds(Element, octets.filter(lambda iei: iei not in {0, 8}), st.binary(max_size=12)),
    st.builds(Ports, octets, octets, st.booleans()).map(lambda ports: ports.element),
)
headers = st.builds(
    lambda concat, rest: ((concat.element,) if concat else ()) + tuple(rest),
    st.none() | concats,
    st.lists(elements, max_size=3),
)
codings = octets.map(Dcs)


@st.composite
def contents(draw: st.DrawFn, dcs: Dcs) -> UserData:
    """User data that fits a coding scheme, of any legal length."""
    udh = draw(headers | st.just(()))
    header = sum(2 + len(element.data) for element in udh)
    used = 1 + header if udh else 0
    if dcs.coding is Alphabet.GSM7:
        room = 160 - (8 * used + 6) // 7
        septets = draw(st.lists(st.integers(0, 127), max_size=room).map(bytes))
        return UserData(Alphabet.GSM7, septets, udh)
    if dcs.coding is Alphabet.UCS2:
        text = draw(st.text(scalars, max_size=(140 - used) // 4))
        return UserData(Alphabet.UCS2, text.encode("utf-16-be"), udh)
    return UserData(Alphabet.OCTETS, draw(st.binary(max_size=140 - used)), udh)


@st.composite
def delivers(draw: st.DrawFn) -> Deliver:
    dcs = draw(codings)
    return Deliver(
        draw(addresses),
        draw(timestamps),
        draw(contents(dcs)),
        draw(octets),
        dcs,
        *draw(st.tuples(*[st.booleans()] * 4)),
    )


validities = st.one_of(
    st.none(),
    octets.map(Relative),
    times.map(Timestamp.of),
    st.binary(min_size=7, max_size=7).map(Enhanced).filter(lambda period: period.sound),
)


@st.composite
def submits(draw: st.DrawFn) -> Submit:
    dcs = draw(codings.filter(lambda coding: not coding.reserved))
    return Submit(
        draw(addresses),
        draw(contents(dcs)),
        draw(octets),
        draw(octets),
        dcs,
        draw(validities),
        *draw(st.tuples(*[st.booleans()] * 3)),
    )


@st.composite
def optionals(draw: st.DrawFn) -> tuple[int | None, Dcs | None, UserData | None]:
    dcs = draw(st.none() | codings)
    return (
        draw(st.none() | octets),
        dcs,
        draw(st.none() | contents(Dcs(0) if dcs is None else dcs)),
    )


@st.composite
def status_reports(draw: st.DrawFn) -> StatusReport:
    return StatusReport(
        draw(octets),
        draw(addresses),
        draw(timestamps),
        draw(timestamps),
        draw(octets),
        draw(st.booleans()),
        draw(st.booleans()),
        draw(st.booleans()),
        *draw(optionals()),
    )


@st.composite
def commands(draw: st.DrawFn) -> Command:
    udh = draw(headers | st.just(()))
    used = 1 + sum(2 + len(element.data) for element in udh) if udh else 0
    return Command(
        draw(octets),
        draw(octets),
        draw(octets),
        draw(addresses),
        draw(octets),
        draw(st.binary(max_size=157 - used)),
        udh,
        draw(st.booleans()),
    )


failures = st.none() | st.integers(0x80, 0xFF)


@st.composite
def deliver_reports(draw: st.DrawFn) -> DeliverReport:
    return DeliverReport(draw(failures), *draw(optionals()))


@st.composite
def submit_reports(draw: st.DrawFn) -> SubmitReport:
    return SubmitReport(draw(timestamps), draw(failures), *draw(optionals()))
