"""Whatever the codec can express comes back equal from its own octets."""

from __future__ import annotations

from datetime import datetime
from random import Random
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from at.sms import (
    Address,
    Command,
    Deliver,
    DeliverReport,
    StatusReport,
    Submit,
    SubmitReport,
    Timestamp,
    Tpdu,
    decode,
    encode,
    join,
    segment,
    tpdu_length,
)
from at.sms.address import decode_address, encode_address
from at.sms.alphabets import gsm7
from at.sms.packing import pack, unpack
from tests.at.sms.strategies import (
    addresses,
    any_text,
    centres,
    commands,
    deliver_reports,
    delivers,
    gsm7_text,
    status_reports,
    submit_reports,
    submits,
    times,
)

# Tolerances that the values themselves call for: undecodable time stamps and the like.
EXPECTED = {"timestamp", "ucs2"}


def _round_trip(tpdu: Tpdu, smsc: Address | None, direction: Literal["auto", "mt", "mo"]) -> None:
    octets = encode(tpdu, smsc=smsc)
    pdu = decode(octets.hex().upper(), direction=direction, length=tpdu_length(octets))
    assert pdu.tpdu == tpdu
    assert pdu.smsc == smsc
    assert set(pdu.flags) <= EXPECTED


@given(delivers(), centres)
def test_deliver_comes_back_equal(tpdu: Deliver, smsc: Address | None) -> None:
    _round_trip(tpdu, smsc, "auto")


@given(submits(), centres)
def test_submit_comes_back_equal(tpdu: Submit, smsc: Address | None) -> None:
    _round_trip(tpdu, smsc, "auto")


@given(status_reports(), centres)
def test_status_report_comes_back_equal(tpdu: StatusReport, smsc: Address | None) -> None:
    _round_trip(tpdu, smsc, "auto")


@given(commands())
def test_command_comes_back_equal(tpdu: Command) -> None:
    _round_trip(tpdu, None, "mo")


@given(deliver_reports())
def test_deliver_report_comes_back_equal(tpdu: DeliverReport) -> None:
    _round_trip(tpdu, None, "mo")


@given(submit_reports())
def test_submit_report_comes_back_equal(tpdu: SubmitReport) -> None:
    _round_trip(tpdu, None, "mt")


@given(addresses)
def test_address_comes_back_equal(address: Address) -> None:
    count, octets = encode_address(address, "oa")
    flags: list[str] = []
    assert decode_address(bytes((count,)) + octets, 0, "oa", flags) == (address, 1 + len(octets))
    assert flags == []


@given(times)
def test_time_stamp_keeps_the_time_and_its_zone(time: datetime) -> None:
    kept = Timestamp.of(time).time
    assert kept is not None
    assert (kept, kept.utcoffset()) == (time, time.utcoffset())


@given(gsm7_text)
def test_gsm7_text_comes_back_equal(text: str) -> None:
    septets = gsm7.encode(text)
    assert len(septets) == gsm7.septets(text)
    assert gsm7.decode(septets) == text


@given(st.binary(max_size=160).map(lambda data: bytes(b & 0x7F for b in data)), st.integers(0, 6))
def test_packed_septets_come_back_equal(septets: bytes, fill_bits: int) -> None:
    assert unpack(pack(septets, fill_bits), len(septets), fill_bits) == septets


@given(st.one_of(gsm7_text, any_text), st.integers(1, 8), st.booleans(), st.randoms())
def test_segments_in_any_order_join_to_the_text(
    text: str, times: int, wide: bool, random: Random
) -> None:
    text *= times
    parts = list(segment(text, reference=77, wide=wide))
    random.shuffle(parts)
    assert join(parts).text == text


@given(st.binary(max_size=600))
def test_segments_of_data_join_to_the_data(data: bytes) -> None:
    parts = segment(data, reference=3)
    assert join(parts).octets == data
    for part in parts:
        assert part.text is None


@pytest.mark.parametrize("text", ["", "@", "@@@@@@@@", "€", "a" * 160, "a" * 161, "😀" * 40])
def test_segments_fit_a_message(text: str) -> None:
    for part in segment(text, reference=1):
        pdu = encode(Submit(Address("000", "unknown"), part))
        assert decode(pdu).tpdu == Submit(Address("000", "unknown"), part)
