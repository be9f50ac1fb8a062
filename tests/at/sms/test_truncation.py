"""Whatever is cut off or garbled: a DecodeError that says where, or a message, nothing else."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from at.sms import DecodeError, Deliver, Pdu, StatusReport, Submit, decode, encode
from at.sms.explain import explain
from tests.at.sms.vectors import every_pdu

VECTORS = every_pdu()
_direction = st.sampled_from(["auto", "mt", "mo"])
_rp = st.sampled_from([None, "ack", "error"])


def _check(error: DecodeError, last: int) -> None:
    assert error.field
    assert 0 <= error.octet <= last
    if error.need is not None:
        assert error.have is not None
        assert error.need > error.have >= 0


def _touch(pdu: Pdu, octets: bytes, *, smsc: bool = True) -> None:
    """Everything that a value offers can be had."""
    assert b"".join(field.octets for field in explain(octets, pdu, smsc=smsc)) == octets
    user_data = getattr(pdu.tpdu, "user_data", None)
    if user_data is not None:
        text = user_data.text
        assert text is None or text.encode() is not None
        assert user_data.concat is None or user_data.concat.sequence >= 1
        assert user_data.ports is None or user_data.ports.source >= 0


@pytest.mark.parametrize("number", range(0, len(VECTORS), 10))
def test_truncated_at_any_digit_is_an_error_or_a_shorter_message(number: int) -> None:
    for text in VECTORS[number : number + 10]:
        whole = decode(text)
        for end in range(len(text)):
            octets = end // 2
            try:
                found = decode(text[:end])
            except DecodeError as error:
                _check(error, octets + 1)
                continue
            _touch(found, bytes.fromhex(text[:end]))
            # What follows TP-ST is optional: a status report may well say the same without it.
            if not isinstance(whole.tpdu, StatusReport) and "trailing" not in whole.flags:
                assert found.tpdu != whole.tpdu


@given(
    st.sampled_from(VECTORS),
    st.integers(0, 200),
    st.integers(0, 255),
    _direction,
    _rp,
    st.none() | st.integers(0, 200),
)
def test_garbled_message_is_an_error_or_a_message(
    text: str,
    place: int,
    octet: int,
    direction: Literal["auto", "mt", "mo"],
    rp: Literal["ack", "error"] | None,
    length: int | None,
) -> None:
    garbled = bytearray.fromhex(text)
    garbled[place % len(garbled)] = octet
    try:
        found = decode(bytes(garbled), direction=direction, rp=rp, length=length)
    except DecodeError as error:
        _check(error, len(garbled))
    else:
        _touch(found, bytes(garbled))


@given(st.binary(max_size=190), _direction, _rp, st.booleans())
def test_arbitrary_octets_are_an_error_or_a_message(
    octets: bytes,
    direction: Literal["auto", "mt", "mo"],
    rp: Literal["ack", "error"] | None,
    smsc: bool,
) -> None:
    try:
        found = decode(octets, direction=direction, rp=rp, smsc=smsc)
    except DecodeError:
        return
    _touch(found, octets, smsc=smsc)


@given(st.text(max_size=60))
def test_arbitrary_text_is_an_error_or_a_message(text: str) -> None:
    try:
        decode(text)
    except DecodeError as error:
        _check(error, len(text))


@given(st.sampled_from(VECTORS))
def test_message_without_flags_is_written_back_octet_by_octet(text: str) -> None:
    pdu = decode(text)
    if not pdu.flags and isinstance(pdu.tpdu, Deliver | Submit):
        assert decode(encode(pdu.tpdu, smsc=pdu.smsc)) == pdu
