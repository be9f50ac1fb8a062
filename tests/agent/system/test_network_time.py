"""Network time as a claim: how it is read, and when it counts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agent.system.network_time import read
from tests.agent.parts import NOW, TurnedClock

HOUR_S = 3600.0
STALE_S = -40 * 86_400.0  # the wall clock of a box without a battery


@pytest.fixture
def clock() -> TurnedClock:
    """A box whose wall clock stands where it stood weeks ago."""
    turned = TurnedClock()
    turned.set(STALE_S)
    return turned


def told(seconds: float = 0.0, zone: str = "+00") -> str:
    return f'"{NOW + timedelta(seconds=seconds):%y/%m/%d,%H:%M:%S}{zone}"'


@pytest.mark.parametrize(
    "text",
    [
        '"26/06/01,12:00:00+00"',
        "26/06/01,12:00:00+00",
        '"2026/06/01,12:00:00+00"',
        ' " 26/06/01 , 12:00:00 +00 " ',
        '"26/06/01,14:00:00+08"',
        '"26/06/01,06:00:00-24"',
        '"26/06/01,12:00:00"',
        '"26/6/1,12:00:00"',
        '"26/06/01,12:00:00+00",0',
    ],
)
def test_every_form_of_network_time_is_read(text: str) -> None:
    reading = read(text)
    assert reading is not None
    assert reading.moment == NOW


@pytest.mark.parametrize(
    "text",
    [
        "80/01/06,00:00:10+00",
        "04/01/01,00:00:00+00",
        "1980/01/06,00:00:10",
        "26/13/01,12:00:00",
        "",
    ],
)
def test_the_time_of_a_modem_that_was_told_none_is_none(text: str) -> None:
    assert read(f'"{text}"') is None


def test_plain_utc_counts_by_itself_until_a_stamp_speaks_against_it(clock: TurnedClock) -> None:
    clock.tell_network_time(told())
    assert clock.trusted() == NOW
    clock.tell_lower_bound(NOW + timedelta(hours=3))
    assert clock.trusted() is None


@pytest.mark.parametrize("zone", ["-24", "+32", ""])
def test_a_claim_with_a_zone_or_none_at_all_counts_once_something_agrees(
    clock: TurnedClock, zone: str
) -> None:
    quarters = int(zone or "0")
    clock.tell_network_time(told(quarters * 900.0, zone))
    assert clock.trusted() is None
    clock.tell_lower_bound(NOW - timedelta(seconds=9))
    assert clock.trusted() == NOW


@pytest.mark.parametrize("zone", ["-24", "+32", "+22"])
@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("wall", ["stale", "right", "set from the modem"])
def test_utc_beside_a_zone_and_the_opposite_sign_do_not_count(
    clock: TurnedClock, zone: str, times: int, wall: str
) -> None:
    off_s = -times * int(zone) * 900.0
    if wall != "stale":
        clock.set(-STALE_S + (off_s if wall == "set from the modem" else 0.0))
    clock.tell_network_time(told((1 - times) * int(zone) * 900.0, zone))
    if wall != "set from the modem":
        assert clock.trusted() is None
    clock.tell_lower_bound(NOW - timedelta(seconds=5))
    assert clock.trusted() is None
    assert clock.beside(NOW - timedelta(seconds=5)).now is None


@pytest.mark.parametrize("days", [-400, -1.0, 3, 365, 34 * 365])
def test_another_day_or_year_does_not_count(clock: TurnedClock, days: float) -> None:
    clock.tell_network_time(told(days * 86_400.0))
    beside = clock.beside(NOW - timedelta(seconds=5))
    assert beside.now is None
    clock.tell_lower_bound(NOW - timedelta(seconds=5))
    assert clock.trusted() is None


def test_a_late_message_is_late_by_network_time_that_only_it_speaks_against(
    clock: TurnedClock,
) -> None:
    clock.tell_network_time(told())
    stamp = NOW - timedelta(hours=5, minutes=7)
    assert clock.beside(stamp).now is None
    assert clock.beside(stamp).perhaps == NOW
    clock.set(-STALE_S)  # another clock agrees: it was late
    assert clock.beside(stamp).now == NOW


def test_once_borne_out_it_counts_beside_late_messages(clock: TurnedClock) -> None:
    clock.tell_network_time(told(0, "+00"))
    clock.tell_lower_bound(NOW - timedelta(seconds=20))
    clock.tell_lower_bound(NOW - timedelta(hours=6))
    clock.turn(HOUR_S)
    assert clock.trusted() == NOW + timedelta(hours=1)
    assert clock.beside(NOW - timedelta(days=3)).now == NOW + timedelta(hours=1)


def test_two_readings_that_disagree_are_none_until_one_is_borne_out(clock: TurnedClock) -> None:
    clock.tell_network_time(told())
    clock.turn(HOUR_S)
    clock.tell_network_time(told(9 * HOUR_S))
    assert clock.trusted() is None
    clock.tell_network_time(told(HOUR_S))
    assert clock.trusted() is None
    clock.tell_lower_bound(NOW + timedelta(hours=1))
    assert clock.trusted() == NOW + timedelta(hours=1)
    clock.tell_network_time(told(30 * HOUR_S))
    assert clock.trusted() == NOW + timedelta(hours=1)


def test_readings_that_go_with_the_boot_clock_agree(clock: TurnedClock) -> None:
    clock.tell_network_time(told())
    clock.turn(86_400)
    clock.tell_network_time(told(86_400 + 7))  # a crystal's day
    assert clock.trusted() == NOW + timedelta(days=1, seconds=7)


@pytest.mark.parametrize("years", [1, 12, 34])
def test_a_stamp_that_no_clock_bears_out_moves_nothing(years: int) -> None:
    clock = TurnedClock()
    clock.tell_lower_bound(NOW + timedelta(days=365 * years))
    assert clock.lower_bound() is None
    clock.tell_network_time(told())
    assert clock.trusted() == NOW
    assert clock.lower_bound() == NOW


def test_a_stamp_decades_ahead_does_not_touch_network_time_beside_a_stale_clock(
    clock: TurnedClock,
) -> None:
    clock.tell_network_time(told())
    clock.tell_lower_bound(NOW + timedelta(days=365 * 34))
    assert clock.trusted() == NOW


def test_a_stamp_from_before_this_boot_is_a_bound_and_no_evidence_of_now(
    clock: TurnedClock,
) -> None:
    clock.tell_network_time(told())
    clock.tell_lower_bound(NOW - timedelta(days=90), age_s=80 * 86_400.0)
    assert clock.trusted() == NOW
    clock.tell_lower_bound(NOW - timedelta(days=79), age_s=80 * 86_400.0)  # of 80 days ago
    assert clock.trusted() is None
