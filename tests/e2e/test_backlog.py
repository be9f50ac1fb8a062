"""Five hundred commands at once, out of order and with repeats: a night's backlog."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from tests.e2e.conftest import MakeRoad
from tests.e2e.road import UNDER_WAY, Road, parts_of

COMMANDS = 500
LONG = 40  # of them in two parts
REPEATED = 100  # of them twice


def rss_kib(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS")


def backlog(seed: int) -> list[str]:
    """The PDUs of all commands, shuffled; references repeat, as networks let them."""
    rng = random.Random(seed)
    pdus: list[str] = []
    for n in range(COMMANDS):
        note = "x" * 200 if n < LONG else "x"
        parts = parts_of(f"mark id=c{n} note={note}", reference=n % 256)
        pdus += parts
        if n < REPEATED:
            pdus += parts
    rng.shuffle(pdus)
    return pdus


@pytest.fixture
def road(make_road: MakeRoad) -> Road:
    budget = {"commands_per_minute": 100_000, "sms_per_hour": 100_000, "sms_per_day": 100_000}
    return make_road(budget=budget, modem={"poll_s": 1}, report={"policy": "errors"})


@pytest.mark.timeout(180)
def test_500_commands_at_once_with_repeats_and_out_of_order_get_the_right_verdict_each(
    road: Road, capsys: pytest.CaptureFixture[str]
) -> None:
    pdus = backlog(seed=4)
    road.start()
    road.agent.wait_log("modem ready")
    before = rss_kib(road.agent.pid)
    highest = before
    waiting = list(reversed(pdus))
    answered = 0
    while waiting:  # the SIM is small: the network delivers as fast as there is room
        while waiting and road.stored() < 20:
            road.modem.deliver(waiting.pop())
        highest = max(highest, rss_kib(road.agent.pid))
        if len(waiting) < len(pdus) // 2 and not answered:
            # Something else in the middle of it all: answered long before the backlog is done.
            answered = 1
            road.modem.deliver(parts_of("bad-one k=v id=other")[0])
            road.wait(lambda: any(r.startswith("other ") for r in road.replies()), "other work")
            done = len(road.effects())
            assert done < COMMANDS, "the backlog was done already: nothing was shown"

    road.agent.wait(lambda: len(road.effects()) >= COMMANDS or None, "all commands", timeout_s=90)
    road.wait(lambda: not road.stored(), "empty memories")
    road.wait(lambda: not road.agent.query(UNDER_WAY), "end of all commands")
    highest = max(highest, rss_kib(road.agent.pid))
    assert Counter(road.effects()) == {f"c{n}": 1 for n in range(COMMANDS)}
    states = road.agent.query(
        "SELECT state, count(*) AS n FROM commands WHERE command = 'mark' GROUP BY state"
    )
    assert {row["state"]: row["n"] for row in states} == {"succeeded": COMMANDS}
    verdicts = {
        row["verdict"]: row["n"]
        for row in road.agent.query(
            "SELECT verdict, count(*) AS n FROM messages WHERE id LIKE 'c%' GROUP BY verdict"
        )
    }
    # A repeat of a one-part message is a duplicate; repeated parts never become a message.
    assert verdicts == {"accepted": COMMANDS, "duplicate": REPEATED - LONG}
    repeats = road.agent.query("SELECT count(*) AS n FROM segments WHERE verdict = 'repeat'")
    assert repeats[0]["n"] == 2 * LONG
    growth = highest - before
    with capsys.disabled():
        print(f"\n  {len(pdus)} messages, {COMMANDS} commands: memory +{growth} KiB")
    assert growth < 4096


def test_commands_over_the_minute_s_budget_wait_and_none_is_dropped(make_road: MakeRoad) -> None:
    road = make_road(budget={"commands_per_minute": 3}, modem={"poll_s": 1})
    road.start()
    for n in range(6):
        road.deliver(parts_of(f"mark id=c{n} note=x")[0])
    road.wait(lambda: not road.stored(), "all taken")
    road.wait(lambda: len(road.effects()) == 3, "three at once")
    states = [row["state"] for row in road.agent.query("SELECT state FROM commands ORDER BY n")]
    assert len(states) == 6
    assert states[3:] == ["accepted"] * 3
    # Nothing is forgotten by a restart either.
    road.restart()
    road.wait(lambda: len(road.effects()) == 6, "the others, by a new budget")
    assert sorted(road.effects()) == [f"c{n}" for n in range(6)]


def test_a_stuck_command_holds_up_neither_reception_nor_the_others(make_road: MakeRoad) -> None:
    stuck = {"exec": ["/bin/sleep", "60"], "timeout_s": 60}
    road = make_road()
    road.agent.settings = {
        **road.agent.settings,
        "command": {**road.agent.settings["command"], "stuck": stuck},
    }
    road.start()
    road.deliver(parts_of("stuck id=s")[0])
    road.agent.wait_command("s", "running")
    road.deliver(parts_of("mark id=a note=x")[0])
    road.wait(lambda: any(r.startswith("a OK") for r in road.replies()), "the other's reply")
    road.deliver(parts_of("stuck id=s")[0])
    road.wait(lambda: any(r.startswith("s WT running") for r in road.replies()), "where it stands")
    assert road.agent.stop() == 0
    road.restart()
    road.wait(lambda: any(r.startswith("s ER interrupted") for r in road.replies()), "its end")
