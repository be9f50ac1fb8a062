from __future__ import annotations

from agent.modem.recovery_ladder import LADDER, Rung, next_rung

MINUTE_S = 60.0


def climb(steps: int, *, can_power_cycle: bool, every_s: float = MINUTE_S) -> list[str]:
    """The rungs taken one after another, each noted in the history."""
    history: list[tuple[float, str]] = []
    taken: list[str] = []
    rung: Rung | None = None
    now_s = 1000.0
    for _ in range(steps):
        current = rung.name if rung else None
        rung = next_rung(current, history, now_s, can_power_cycle=can_power_cycle)
        history.append((now_s, rung.name))
        taken.append(rung.name)
        now_s += every_s
    return taken


def test_the_mildest_rung_comes_first_and_each_is_harder_than_the_one_before() -> None:
    names = [rung.name for rung in LADDER]
    assert names == ["resynchronise", "reopen", "reset", "power-cycle", "back-off"]
    assert climb(5, can_power_cycle=True) == names


def test_without_a_power_cycle_command_that_rung_is_passed_over() -> None:
    assert "power-cycle" not in climb(40, can_power_cycle=False)


def test_a_modem_that_stays_dead_is_never_hammered() -> None:
    taken = climb(60, can_power_cycle=True)  # an hour, a rung a minute
    assert taken.count("reset") == 2
    assert taken.count("power-cycle") == 1
    assert taken.count("back-off") > 10


def test_the_budgets_of_a_day_hold_over_the_hours() -> None:
    taken = climb(24 * 12, can_power_cycle=True, every_s=5 * MINUTE_S)
    assert taken.count("reset") == 6
    assert taken.count("power-cycle") == 4


def test_the_history_of_an_earlier_process_counts() -> None:
    history = [(-n * MINUTE_S, "reset") for n in (5, 10)]
    assert next_rung("reopen", history, 0.0, can_power_cycle=False).name == "back-off"


def test_after_the_last_rung_it_is_climbed_again_but_for_the_first() -> None:
    assert next_rung("back-off", [], 0.0, can_power_cycle=True).name == "reopen"


def test_backing_off_waits_for_minutes() -> None:
    assert LADDER[-1].settle_s >= 60
