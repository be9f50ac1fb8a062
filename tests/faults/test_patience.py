"""When the ladder's harder rungs may be taken, and which history counts against them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from agent.modem.recovery_ladder import LADDER, next_rung

NOW = datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("current", "troubled_s", "wanted"),
    [
        ("reopen", 20.0, "reopen"),
        ("reopen", 59.0, "reopen"),
        ("reopen", 60.0, "reset"),
        ("reset", 100.0, "reopen"),
        ("reset", 180.0, "power-cycle"),
        ("power-cycle", 200.0, "back-off"),
    ],
)
def test_a_harder_rung_waits_until_the_trouble_has_lasted(
    current: str, troubled_s: float, wanted: str
) -> None:
    rung = next_rung(current, [], 0.0, can_power_cycle=True, troubled_s=troubled_s)
    assert rung.name == wanted


def test_half_a_minute_of_silence_is_younger_than_any_reset() -> None:
    assert all(rung.after_s >= 60 for rung in LADDER if rung.per_day)
