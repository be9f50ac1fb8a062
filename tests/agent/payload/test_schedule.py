"""`when` and `exp`: what is read, what is refused, what has gone by."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.payload.schedule import (
    MAX_DELAY_S,
    At,
    Delay,
    Immediate,
    NextBoot,
    deadline,
    is_missed,
    is_past,
    parse_exp,
    parse_time,
    parse_when,
)

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize("text", [None, "Immediate", "immediate", "IMMEDIATE"])
def test_immediate_is_the_default_in_any_case(text: str | None) -> None:
    assert parse_when(text) == Immediate()


@pytest.mark.parametrize("text", ["NextBoot", "nextboot", "NEXTBOOT"])
def test_next_boot(text: str) -> None:
    assert parse_when(text) == NextBoot()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("+90s", 90), ("+15m", 900), ("+2h", 7200), ("+1d", 86400), ("+0s", 0), ("+007s", 7)],
)
def test_offsets(text: str, seconds: int) -> None:
    assert parse_when(text) == Delay(seconds)
    assert parse_exp(text) == Delay(seconds)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-21T12:00:00Z",
        "2026-11-21T12:00:00+00:00",
        "2026-11-21T12:00:00-00:00",
        "2026-11-21t12:00:00z",
        "2026-11-21 12:00:00Z",
        "2026-11-21T12:00Z",
        "2026-11-21T13:00:00+01:00",
        "2026-11-21T13:00:00+01",
        "2026-11-21T17:45:00+0545",
        "2026-11-20T22:00:00-14:00",
        "20261121T120000Z",
        "20261121T1200Z",
        "2026-11-21T12:00:00.000Z",
        "2026-11-21T12:00:00,0Z",
    ],
)
def test_iso_times_with_zone_are_read_to_utc(text: str) -> None:
    assert parse_when(text) == At(NOON)
    assert parse_exp(text) == At(NOON)
    moment = parse_time(text)
    assert moment.tzinfo is UTC


def test_fractions_are_kept_to_the_microsecond() -> None:
    assert parse_time("2026-11-21T12:00:00.5Z") - NOON == timedelta(milliseconds=500)
    assert parse_time("2026-11-21T12:00:00.123456789Z").microsecond == 123456


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "now",
        "soon",
        "tomorrow",
        "90s",
        "+s",
        "+90",
        "+90S",
        "+1w",
        "+1.5h",
        "+-5s",
        "-5s",
        "+ 5s",
        "+5s ",
        " +5s",
        "+1d12h",
        "+\u0661s",
        "+3661d",
        "+999999999d",
        "+" + "9" * 1000 + "s",
        "2026-11-21",
        "12:00Z",
        "2026-11-21T12:00:00",  # no zone
        "2026-11-21T12Z",
        "2026-11-21T24:00:00Z",
        "2026-11-21T12:60:00Z",
        "2026-11-21T12:00:60Z",
        "2026-02-29T12:00:00Z",
        "2026-13-01T12:00:00Z",
        "2026-11-21T12:00:00+24:00",
        "2026-11-21T12:00:00+01:60",
        "2026-1121T12:00:00Z",
        "2026-W47-6T12:00:00Z",
        "2026-11-21X12:00:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "1700000000",
        "NextBoat",
        "\u0130mmediate",
        "next boot",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_when(text)
    with pytest.raises(ValueError, match=r"."):
        parse_exp(text)


def test_exp_is_no_word() -> None:
    for word in ("Immediate", "NextBoot"):
        with pytest.raises(ValueError, match="zone"):
            parse_exp(word)


def test_the_longest_delay_is_ten_years() -> None:
    assert parse_when(f"+{MAX_DELAY_S}s") == Delay(MAX_DELAY_S)
    with pytest.raises(ValueError, match="ten years"):
        parse_when(f"+{MAX_DELAY_S + 1}s")


@given(st.text())
def test_no_text_does_anything_but_parse_or_raise_value_error(text: str) -> None:
    for candidate in (text, "+" + text, "2026-11-21T12:00:00" + text):
        try:
            parse_when(candidate)
        except ValueError:
            continue


@given(
    st.datetimes(
        min_value=datetime(2, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
        max_value=datetime(9998, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
        timezones=st.timezones(),
    )
)
def test_what_the_standard_library_writes_is_read_back(moment: datetime) -> None:
    offset = moment.utcoffset()
    assert offset is not None
    if offset.total_seconds() % 60 == 0:  # zones before standard time had seconds
        assert parse_time(moment.isoformat()) == moment.astimezone(UTC)


def test_exp_counts_from_the_messages_own_time_stamp() -> None:
    assert deadline(Delay(60), NOON) == NOON + timedelta(minutes=1)
    assert deadline(At(NOON), NOON - timedelta(days=1)) == NOON
    assert deadline(Delay(MAX_DELAY_S), datetime.max.replace(tzinfo=UTC)).year == 9999


def test_past_needs_a_clock_or_a_newer_message() -> None:
    later, earlier = NOON + timedelta(seconds=1), NOON - timedelta(seconds=1)
    assert is_past(NOON, now=later, floor=None) is True
    assert is_past(NOON, now=NOON, floor=None) is False
    assert is_past(NOON, now=earlier, floor=later) is False  # a trusted clock needs no bound
    assert is_past(NOON, now=None, floor=later) is True
    assert is_past(NOON, now=None, floor=earlier) is None
    assert is_past(NOON, now=None, floor=None) is None


def test_a_schedule_missed_by_more_than_an_hour_is_missed() -> None:
    assert not is_missed(NOON, NOON + timedelta(hours=1))
    assert is_missed(NOON, NOON + timedelta(hours=1, seconds=1))
    assert not is_missed(NOON, NOON - timedelta(days=9))
