from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from agent.system.clock import Clock, boot_id, from_iso, iso
from tests.agent.parts import NOW, TurnedClock


def test_a_time_is_written_as_utc_with_milliseconds_and_read_back() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678_900, tzinfo=timezone(timedelta(hours=2)))
    assert iso(moment) == "2026-01-02T01:04:05.678Z"
    assert from_iso(iso(moment)) == moment.replace(microsecond=678_000)


def test_times_sort_as_text() -> None:
    moments = [NOW + timedelta(milliseconds=n) for n in (0, 1, 999, 1000, 86_400_000)]
    assert sorted(iso(moment) for moment in moments) == [iso(moment) for moment in moments]


def test_the_clock_is_not_trusted_until_somebody_has_told_the_time() -> None:
    assert TurnedClock().trusted() is None


def test_the_clock_is_trusted_once_it_was_synchronised(tmp_path: Path) -> None:
    marker = tmp_path / "synchronized"
    clock = Clock(marker)
    assert clock.trusted() is None
    marker.touch()
    trusted = clock.trusted()
    assert trusted is not None
    assert abs((trusted - datetime.now(UTC)).total_seconds()) < 5


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ('"26/06/01,12:00:10+00"', 10),
        ('"26/06/01,14:00:10+08"', 10),
        ('"26/06/01,08:00:10-16"', 10),
    ],
)
def test_network_time_is_read_with_its_zone_in_quarters_of_an_hour(text: str, seconds: int) -> None:
    clock = TurnedClock()
    clock.tell_network_time(text)
    assert clock.trusted() == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    ['"80/01/06,00:00:00+00"', '"04/01/01,00:00:00+00"', '"26/13/01,12:00:00+00"', "", "never"],
)
def test_what_a_modem_says_that_knows_no_time_is_no_time(text: str) -> None:
    clock = TurnedClock()
    clock.tell_network_time(text)
    assert clock.trusted() is None


def test_network_time_before_a_message_that_came_is_no_time() -> None:
    clock = TurnedClock()
    clock.tell_lower_bound(NOW + timedelta(days=1))
    clock.tell_network_time('"26/06/01,12:00:00+00"')
    assert clock.trusted() is None


def test_network_time_goes_on_with_the_time_that_passes() -> None:
    clock = TurnedClock()
    clock.tell_network_time('"26/06/01,15:00:00+00"')
    clock.turn(90)
    assert clock.trusted() == NOW + timedelta(hours=3, seconds=90)


def test_setting_the_wall_clock_does_not_move_network_time() -> None:
    clock = TurnedClock(NOW - timedelta(days=300))  # a box without a battery
    clock.tell_network_time('"26/06/01,12:00:00+00"')
    clock.set(timedelta(days=300).total_seconds())  # and now some NTP client sets it
    assert clock.trusted() == NOW


def test_the_newest_time_stamp_of_a_message_is_a_lower_bound() -> None:
    clock = TurnedClock()
    assert clock.lower_bound() is None
    clock.tell_lower_bound(NOW + timedelta(hours=1))
    clock.tell_lower_bound(NOW)
    assert clock.lower_bound() == NOW + timedelta(hours=1)
    clock.trust = True
    assert clock.lower_bound() == NOW


def test_the_boot_id_is_32_hex_digits_with_or_without_dashes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BOOT_ID", "0F5C3E9A-1b2c-4d5e-8f90-123456789abc")
    assert boot_id() == "0f5c3e9a1b2c4d5e8f90123456789abc"
    monkeypatch.setenv("BOOT_ID", "no boot id at all")
    assert boot_id() is None
