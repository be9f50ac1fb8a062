"""The platform rows: who is recognised, who is answered, whom to trust."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.payload.platforms import (
    ROWS,
    Platform,
    address_for,
    clashes,
    identity,
    match,
    read_sender,
    spell,
    with_effective_trust,
)
from at.sms import Address, EncodeError

ALL = tuple(ROWS.values())
PORTAL = replace(ROWS["m2m-portal"], senders=("+447890123456", "KORE", '"2936"'))
EMNIFY = replace(ROWS["emnify"], senders=("12345", "12345678", "emnify"))


def name(sender: Address | str, *platforms: Platform) -> str | None:
    platform = match(sender, platforms or ALL)
    return platform.name if platform else None


def test_the_rows_are_named_as_in_the_configuration() -> None:
    assert list(ROWS) == [
        "programmable-wireless",
        "super-sim",
        "connectivitypro",
        "m2m-portal",
        "emnify",
        "phone",
    ]
    assert all(key == row.name for key, row in ROWS.items())


@pytest.mark.parametrize("kind", ["unknown", "international", "national", "abbreviated"])
def test_numbers_match_by_digits_whatever_their_type(kind: str) -> None:
    assert name(Address("2936", kind)) == "programmable-wireless"
    assert name(Address("000", kind)) == "super-sim"
    assert name(Address("567300905", kind)) == "connectivitypro"


@pytest.mark.parametrize(
    ("sender", "row"),
    [
        ("2936", "programmable-wireless"),
        ("+2936", "programmable-wireless"),
        ("000", "super-sim"),
        ("+000", "super-sim"),
        ("+567300905", "connectivitypro"),
        ("720096", "connectivitypro"),
        ("0", None),
        ("00", None),
        ("0000", None),
        ("", None),
        ("+", None),
        ("++2936", None),
        ("02936", None),
        ("29360", None),
        ("2936 ", None),
        ("\u0662936", None),
        ("KORE", None),
    ],
)
def test_texts_match_whole(sender: str, row: str | None) -> None:
    assert name(sender) == row


def test_connectivitypro_knows_its_ten_short_codes() -> None:
    assert len(ROWS["connectivitypro"].senders) == 10
    for code in ROWS["connectivitypro"].senders:
        assert name(code) == "connectivitypro"


def test_portal_and_emnify_have_no_senders_of_their_own() -> None:
    assert ROWS["m2m-portal"].senders == ()
    assert ROWS["emnify"].senders == ()


def test_an_alphanumeric_sender_is_never_a_number() -> None:
    for digits in ("2936", "000", "567300905", "+2936"):
        assert name(Address(digits, "alphanumeric", 0)) is None


def test_alphanumeric_senders_match_whole_and_by_case() -> None:
    assert name(Address("KORE", "alphanumeric", 0), PORTAL) == "m2m-portal"
    for text in ("kore", "KORE ", "KOR", "KOREA"):
        assert name(Address(text, "alphanumeric", 0), PORTAL) is None


def test_a_name_of_digits_can_be_configured_in_quotes() -> None:
    assert name(Address("2936", "alphanumeric", 0), PORTAL) == "m2m-portal"
    assert name(Address("2936", "unknown"), PORTAL) is None


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (Address("447890123456"), "+447890123456"),
        (Address("000", "unknown"), "000"),
        (Address("KORE", "alphanumeric", 0), "KORE"),
        (Address("2936", "alphanumeric", 0), '"2936"'),
        (Address("abc", "alphanumeric", 0), '"abc"'),
    ],
)
def test_a_spelled_sender_is_recognised_as_the_address_was(address: Address, text: str) -> None:
    assert spell(address) == text
    row = Platform("x", senders=(text,))
    assert match(address, (row,)) is row
    assert match(text, (row,)) is row


@pytest.mark.parametrize(
    ("written", "sender"),
    [
        ("0171 12345", "017112345"),
        ("+44 7700 900123", "+447700900123"),
        ("tel:2936", "2936"),
        ("KORE", "KORE"),
        ('"KORE"', "KORE"),
        ('"2936"', '"2936"'),
        ('"0171-123"', '"0171-123"'),
        ("abc", '"abc"'),
    ],
)
def test_a_sender_as_a_person_writes_it(written: str, sender: str) -> None:
    assert read_sender(written) == sender
    assert read_sender(sender) == sender


def test_what_was_meant_as_a_number_is_no_name() -> None:
    with pytest.raises(EncodeError, match="','"):
        read_sender("0171,12345")


def test_a_name_that_is_written_like_a_number_never_matches_it() -> None:
    row = Platform("x", senders=(read_sender("0171 123"),))
    assert match(Address("0171123", "unknown"), (row,)) is row
    for name_ in ("0171 123", "0171-123", "tel:0171123", "0171123"):
        assert match(Address(name_, "alphanumeric", 0), (row,)) is None
        assert match(spell(Address(name_, "alphanumeric", 0)), (row,)) is None


def test_identity_drops_one_plus_of_numbers_only() -> None:
    assert identity("+44") == identity("44") == "44"
    assert identity("+KORE") == "+KORE"


# Replies.


@pytest.mark.parametrize(
    ("row", "sender", "address"),
    [
        ("programmable-wireless", "+2936", "2936"),
        ("super-sim", "+000", "000"),
        ("connectivitypro", "567300905", "567300905"),
        ("connectivitypro", "+567300905", "567300905"),
    ],
)
def test_replies_go_to_the_rows_address(row: str, sender: str, address: str) -> None:
    assert address_for(ROWS[row], sender) == address
    international = Address(sender.removeprefix("+"), "international")
    assert address_for(ROWS[row], international) == address


def test_replies_to_a_configured_number_go_to_it_as_configured() -> None:
    assert address_for(PORTAL, "447890123456") == "+447890123456"
    assert address_for(replace(PORTAL, reply_to="+1"), "KORE") == "+1"


def test_a_name_cannot_be_answered() -> None:
    assert address_for(PORTAL, "KORE") is None
    assert address_for(PORTAL, Address("2936", "alphanumeric", 0)) is None


def test_a_stranger_is_never_answered() -> None:
    assert address_for(PORTAL, "+447890123457") is None
    assert address_for(ROWS["connectivitypro"], "2936") is None


def test_emnify_takes_answers_to_seven_digits() -> None:
    assert address_for(EMNIFY, "12345") == "12345"
    assert address_for(EMNIFY, "12345678") is None


# Trust.


def trusts(*rows: Platform, explicit: tuple[str, ...] = ()) -> list[str]:
    return [platform.trust for platform in with_effective_trust(rows, explicit)]


def test_closed_platforms_alone_stay_closed() -> None:
    assert trusts(ROWS["super-sim"], ROWS["programmable-wireless"]) == ["closed", "closed"]


def test_one_open_platform_opens_all() -> None:
    assert trusts(ROWS["super-sim"], ROWS["emnify"]) == ["open", "open"]
    assert trusts(ROWS["connectivitypro"], ROWS["programmable-wireless"]) == ["open", "open"]


def test_trust_in_the_configuration_stands() -> None:
    assert trusts(ROWS["super-sim"], ROWS["emnify"], explicit=("super-sim",)) == ["closed", "open"]
    vouched = replace(ROWS["emnify"], trust="closed")
    assert trusts(ROWS["super-sim"], vouched, explicit=("emnify",)) == ["closed", "closed"]
    doubted = replace(ROWS["super-sim"], trust="open")
    assert trusts(doubted, ROWS["programmable-wireless"], explicit=("super-sim",)) == [
        "open",
        "open",
    ]


def test_no_platform_is_no_trouble() -> None:
    assert with_effective_trust(()) == ()


# Clashes.


def test_the_rows_do_not_clash() -> None:
    assert clashes(ALL) == ()


def test_two_rows_with_one_sender_clash_whatever_the_spelling() -> None:
    taken = replace(EMNIFY, senders=("+2936", "5"))
    assert clashes((ROWS["programmable-wireless"], taken)) == (
        ("2936", "programmable-wireless", "emnify"),
    )
    assert clashes((ROWS["programmable-wireless"], PORTAL)) == ()
