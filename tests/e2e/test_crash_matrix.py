"""The agent is killed at every point of the road that its choke points know, one run for each."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.forked import ForkServer
from tests.e2e.road import Road, parts_of
from tests.e2e.workers import failures, run_all

ID = "a1"
ONE_PART = parts_of(f"mark id={ID} note=one")
TWO_PARTS = parts_of(f"mark id={ID} note=" + "x" * 200)

Traffic = Callable[[Road], None]


def present_before_the_start(road: Road) -> None:
    """One part lies in the SIM, so that everything happens in the first sweep."""
    for pdu in ONE_PART:
        road.deliver(pdu, announce=False)


def two_parts_in_the_wrong_order(road: Road) -> None:
    """The second part lies in the SIM, the first comes live: one commit waits for the other."""
    assert len(TWO_PARTS) == 2
    road.deliver(TWO_PARTS[1], announce=False)


def the_first_part_comes_last(road: Road) -> None:
    road.wait_or_death(lambda: not road.stored(), "part taken")
    road.deliver(TWO_PARTS[0])


def trial(
    server: ForkServer, folder: Path, kill_at: int, *, before: Traffic, after: Traffic | None
) -> tuple[str, str, list[str]]:
    """Kill at one point, start again, deliver the same again; returns (state, point, points)."""
    with Road(server, folder) as road:
        before(road)
        road.start(kill_at=kill_at, bring_up=after is None)
        if after is not None:
            after(road)
        alive = road.wait_or_death(
            lambda: not road.stored() and any(r.startswith(f"{ID} ") for r in road.replies()),
            "reply",
        )
        if alive:  # until the commit that books the last report, which is lazy
            road.wait_or_death(lambda: bool(road.agent.query(_REPORTED)), "booked report")
        points = road.points()
        road.restart()
        # First without the sender's help: what was journalled or still is in the modem is enough.
        road.wait(lambda: any(r.startswith(f"{ID} ") for r in road.replies()), "reply after all")
        for pdu in tuple(road.delivered):
            road.deliver(pdu)
        road.settle()
        state = road.check(ID)
        road.check_replies(ID, state)
    return state, points[-1] if points else "", points


_REPORTED = "SELECT 1 FROM reports WHERE state = 'reported'"

ROADS = {
    "present before the start": (present_before_the_start, None),
    "two parts in the wrong order": (two_parts_in_the_wrong_order, the_first_part_comes_last),
}


@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", ROADS)
def test_killed_at_every_commit_and_exchange_it_runs_once_and_tells(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, after = ROADS[name]

    def one(server: ForkServer, folder: Path, kill_at: int) -> tuple[str, str, list[str]]:
        return trial(server, folder, kill_at, before=before, after=after)

    (undisturbed,) = run_all([0], one, tmp_path / "undisturbed", workers=1)
    assert undisturbed.error is None, undisturbed.error
    assert undisturbed.result is not None
    assert undisturbed.result[0] == "succeeded"
    points = undisturbed.result[2]
    trials = list(run_all(range(1, len(points) + 1), one, tmp_path / "killed"))
    assert not failures(trials), failures(trials)
    states = Counter(trial.result[0] for trial in trials if trial.result is not None)
    with capsys.disabled():
        print(f"\n  {name}: killed at {len(points)} points, ended {dict(states)}")
        if os.environ.get("CRASH_POINTS"):
            print("\n".join(f"    {n:3d} {point}" for n, point in enumerate(points, 1)))
    assert states["succeeded"], "no point at all before or after the execution?"
    assert states["interrupted"], "no point at all between `running` and the outcome?"
