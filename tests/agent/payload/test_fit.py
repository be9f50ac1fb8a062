"""Whether a message fits: character sets, lengths, the SID's room and the closing `;`."""

from __future__ import annotations

from agent.payload.fit import fit, septets
from agent.payload.platforms import ROWS

PLAIN = ROWS["super-sim"]
WITH_SID = ROWS["programmable-wireless"]
BASIC = ROWS["connectivitypro"]


def test_septets_count_extension_characters_twice() -> None:
    assert septets("ping") == 4
    assert septets("{}€") == 6
    assert septets("日") is None


def test_a_line_may_fill_all_but_the_last_septet() -> None:
    line = "ping x="
    assert fit(line + "a" * (159 - len(line)), PLAIN).fits
    full = fit(line + "a" * (160 - len(line)), PLAIN)
    assert not full.fits
    assert full.why == "fills the SMS to its end without a ;"
    assert fit(line + "a" * (159 - len(line)) + ";", PLAIN).fits


def test_json_may_fill_the_message() -> None:
    body = '{"cmd":"ping","x":"%s"}'
    room = 160 - (septets(body % "") or 0)
    assert fit(body % ("a" * room), PLAIN).fits
    assert fit(body % ("a" * (room + 1)), PLAIN).why == "is 1 septets too long"


def test_the_sid_takes_its_room() -> None:
    got = fit("ping x=" + "a" * 117, WITH_SID)
    assert (got.room, got.septets, got.fits) == (125, 124, True)
    assert fit("ping x=" + "a" * 119, WITH_SID).why == "is 1 septets too long"


def test_connectivitypro_carries_no_extension_characters() -> None:
    assert fit("ping x=1", BASIC).fits
    assert not fit('{"cmd":"ping"}', BASIC).fits
    assert not fit("ping x=5€", BASIC).fits


def test_long_messages_take_parts_where_the_platform_has_them() -> None:
    text = "ping x=" + "a" * 300
    got = fit(text, BASIC)
    assert (got.fits, got.segments) == (True, 3)
    assert not fit(text, PLAIN).fits
    assert not fit(text, ROWS["m2m-portal"]).fits
    assert fit(text, ROWS["emnify"]).fits


def test_more_than_a_payload_holds_fits_nowhere() -> None:
    assert fit("ping " + "x=1 " * 2100, BASIC).why == "is longer than 8192 bytes"


def test_characters_outside_the_alphabet_fit_nowhere() -> None:
    got = fit("ping x=日", PLAIN)
    assert (got.septets, got.fits) == (None, False)
