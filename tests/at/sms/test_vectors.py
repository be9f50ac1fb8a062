"""Messages of others are read as their makers meant them; ours are read so by others."""

from __future__ import annotations

from typing import Any

import pytest

from at.sms import (
    DecodeError,
    Deliver,
    Pdu,
    Relative,
    StatusReport,
    Submit,
    UserData,
    decode,
    encode,
    join,
)
from at.sms.address import Address
from at.sms.alphabets.languages import alphabet
from at.sms.explain import TYPES
from tests.at.sms.vectors import load


def _address(pdu: Pdu) -> Address:
    tpdu = pdu.tpdu
    if isinstance(tpdu, Deliver):
        return tpdu.originator
    if isinstance(tpdu, Submit):
        return tpdu.destination
    assert isinstance(tpdu, StatusReport)
    return tpdu.recipient


def _user_data(pdu: Pdu) -> UserData:
    assert isinstance(pdu.tpdu, Deliver | Submit)
    return pdu.tpdu.user_data


def _named(entries: list[dict[str, Any]], key: str) -> list[Any]:
    return [pytest.param(entry, id=f"{n}-{entry[key]}") for n, entry in enumerate(entries)]


@pytest.mark.parametrize("entry", _named(load("published"), "source"))
def test_published_message_is_read_and_written_back(entry: dict[str, Any]) -> None:
    pdu = decode(entry["pdu"])
    tpdu = pdu.tpdu
    assert TYPES[type(tpdu)] == entry["type"]
    assert (None if pdu.smsc is None else str(pdu.smsc)) == entry.get("smsc")
    assert (str(_address(pdu)), _address(pdu).kind) == (entry["number"], entry["kind"])
    assert _user_data(pdu).text == entry["text"]
    if isinstance(tpdu, Deliver):
        assert tpdu.timestamp.time == entry["time"]
        assert tpdu.timestamp.time.utcoffset() == entry["time"].utcoffset()
    if "minutes" in entry:
        assert isinstance(tpdu, Submit)
        assert isinstance(tpdu.validity, Relative)
        assert tpdu.validity.minutes == entry["minutes"]
    assert pdu.flags == ()
    assert encode(tpdu, smsc=pdu.smsc).hex().upper() == entry["pdu"]


@pytest.mark.parametrize("entry", _named(load("composed_elsewhere"), "source"))
def test_message_composed_by_another_codec_says_what_it_was_asked(entry: dict[str, Any]) -> None:
    pdus = [decode(pdu) for pdu in entry["pdus"]]
    assert join([_user_data(pdu) for pdu in pdus]).text == entry["text"]
    for pdu, octets in zip(pdus, entry["pdus"], strict=True):
        assert TYPES[type(pdu.tpdu)] == entry["type"]
        assert str(_address(pdu)) == entry["number"]
        assert pdu.flags == ()
        if isinstance(pdu.tpdu, Deliver):
            assert pdu.tpdu.timestamp.time == entry["time"]
        assert decode(encode(pdu.tpdu, smsc=pdu.smsc)) == pdu
        assert len(encode(pdu.tpdu, smsc=pdu.smsc)) == len(octets) // 2


@pytest.mark.parametrize("entry", _named(load("read_elsewhere"), "kind"))
def test_message_that_others_agree_on_is_read_alike(entry: dict[str, Any]) -> None:
    assert entry["agreed"]
    pdu = decode(entry["pdu"])
    assert str(_address(pdu)) == entry["number"]
    if "text" in entry:
        assert _user_data(pdu).text == entry["text"]
    if isinstance(pdu.tpdu, Deliver | StatusReport):
        assert pdu.tpdu.timestamp.time == entry["time"]
    assert encode(pdu.tpdu, smsc=pdu.smsc).hex().upper() == entry["pdu"]


@pytest.mark.parametrize("entry", _named(load("habits"), "name"))
def test_habit_is_tolerated_and_named(entry: dict[str, Any]) -> None:
    pdu = decode(entry["pdu"], length=entry.get("length"))
    assert list(pdu.flags) == entry["flags"]
    if "text" in entry:
        assert _user_data(pdu).text == entry["text"]
    if isinstance(pdu.tpdu, Deliver):
        assert str(pdu.tpdu.originator) in {"+31641600986", "KOREnet", "KM", "2936"}
        if "concat" in entry["flags"]:
            counts = entry["name"].endswith(("twice", "too long"))
            assert (pdu.tpdu.user_data.concat is not None) is counts


@pytest.mark.parametrize("entry", _named(load("malformed", "error"), "name"))
def test_malformed_message_is_refused_with_field_and_octet(entry: dict[str, Any]) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(entry["pdu"], direction=entry.get("direction", "auto"), rp=entry.get("rp"))
    error = caught.value
    assert (error.field, error.octet) == (entry["field"], entry["octet"])
    assert (error.need, error.have) == (entry.get("need"), entry.get("have"))


@pytest.mark.parametrize("entry", _named(load("languages", "table"), "name"))
def test_national_table_is_the_standards(entry: dict[str, Any]) -> None:
    codes, single = bytes.fromhex(entry["codes"]), entry["shift"] == "single"
    language = entry["language"]
    table = alphabet(0, language) if single else alphabet(language, 0)
    prefix = b"\x1b" if single else b""
    for code, character in zip(codes, entry["text"], strict=True):
        assert table.decode(prefix + bytes((code,))) == character
        assert table.decode(table.encode(character)) == character


@pytest.mark.parametrize(
    ("language", "septet", "character"),
    [
        *[(language, b"\x2c", ",") for language in range(4, 14)],
        (7, b"\x24", "\u0ca1"),
        (7, b"\x3d", "\u0caa"),
        (11, b"\x1b\x24", "\u0bee"),
        (12, b"\x1b\x65", "\u20ac"),
    ],
)
def test_misprint_of_the_standard_is_read_as_it_is_meant(
    language: int, septet: bytes, character: str
) -> None:
    assert alphabet(language, language).decode(septet) == character


def test_white_space_around_the_digits_is_no_matter() -> None:
    entry = load("published")[0]
    assert decode(f" {entry['pdu']}\r\n") == decode(entry["pdu"])


def test_any_number_of_service_centres_is_read() -> None:
    tpdu = decode(load("published")[0]["pdu"]).tpdu
    for _ in range(2):
        for number in range(200):
            centre = Address(f"4477850160{number:03}")
            assert decode(encode(tpdu, smsc=centre)) == Pdu(centre, tpdu)


def test_unknown_language_reads_as_the_default() -> None:
    assert alphabet(14, 99).decode(b"\x00\x1b\x65") == "@€"
