"""Numbers as people write them: the digits, or the mistake by its name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from at.sms import Address, EncodeError, is_meant_as_number, read_number


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("0171-123456", "0171123456"),
        ("0171 123 456", "0171123456"),
        ("0171/123.456", "0171123456"),
        ("(0171) 123456", "0171123456"),
        ("[0171] 123456", "0171123456"),
        ("+44 7700 900123", "+447700900123"),
        ("+447700900123 ", "+447700900123"),
        ("\t+447700900123\r\n", "+447700900123"),
        ("(+44) 7700 900123", "+447700900123"),
        ("+1 (555) 010-9999", "+15550109999"),
        ("tel:+44-7700-900123", "+447700900123"),
        (" TEL: 2936", "2936"),
        ("sms:2936", "2936"),
        ("\u2068+447700900123\u2069", "+447700900123"),
        ("\ufefftel:2936\u200b", "2936"),
        ("020\u00a07946\u20110958", "02079460958"),
        ("0171\u2013123", "0171123"),
        ("00 44 7700", "00447700"),
        ("000", "000"),
        ("*100#", "*100#"),
        ("12ab", "12ab"),
        ("1" * 20, "1" * 20),
    ],
)
def test_a_number_is_its_digits(written: str, number: str) -> None:
    assert read_number(written) == number
    kind = "international" if number.startswith("+") else "unknown"
    assert Address.number(written) == Address(number.removeprefix("+"), kind)
    assert Address.parse(written) == Address.number(written)


@pytest.mark.parametrize(
    ("written", "mistake"),
    [
        ("", "no digit"),
        (" - ", "no digit"),
        ("tel:", "no digit"),
        ("0171,123", "',' at character 5"),
        ("07700 900123; 2936", "';' at character 13"),
        ("tel:+44;ext=5", "';' at character 8"),
        ("O171 123", "'O' at character 1"),
        ("0171 ext 5", "'e' at character 6"),
        ("KORE", "'K' at character 1"),
        ("abc", "'a' at character 1"),
        ("0171 abc", "'a' at character 6"),
        ("++44", r"'\+' at character 2"),
        ("+44+1", r"'\+' at character 4"),
        ('"2936"', "'\"' at character 1"),
        ("\u0661\u0662", "ARABIC-INDIC DIGIT ONE at character 1"),
        ("12\x00", r"U\+0000 at character 3"),
        ("+44 (0)7700 900123", r"\(0\) after a country code"),
        ("+44( 0 )7700", r"\(0\) after a country code"),
        ("+*100#", "after \\+"),
        ("1" * 21, "21 digits, at most 20"),
        ("+" + "1" * 21, "21 digits, at most 20"),
    ],
)
def test_what_is_no_number_is_told_by_its_mistake(written: str, mistake: str) -> None:
    with pytest.raises(EncodeError, match=mistake) as caught:
        read_number(written)
    assert caught.value.field == "address"
    with pytest.raises(EncodeError):
        Address.number(written)


@pytest.mark.parametrize("written", ["0171,123", "++44", "1" * 21, "+44 (0)7700", "\u0661\u0662"])
def test_digits_without_a_letter_are_never_a_name(written: str) -> None:
    assert is_meant_as_number(written)
    with pytest.raises(EncodeError):
        Address.parse(written)


@pytest.mark.parametrize("written", ["KORE", "+44x", "7 eleven", "24h", "!"])
def test_what_has_a_letter_or_no_digit_may_be_a_name(written: str) -> None:
    assert not is_meant_as_number(written)
    assert Address.parse(written) == Address(written, "alphanumeric", 0)


@given(st.text(max_size=30))
def test_a_number_that_is_read_is_read_alike_again(text: str) -> None:
    try:
        number = read_number(text)
    except EncodeError:
        return
    assert read_number(number) == number
    assert 1 <= len(number.removeprefix("+")) <= 20
