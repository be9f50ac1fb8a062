"""The agent is killed at random moments, as a watchdog, an operator or the kernel would."""

from __future__ import annotations

import functools
import os
import random
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.e2e.conftest import MakeRoad
from tests.e2e.forked import ForkServer
from tests.e2e.road import Road, parts_of
from tests.e2e.workers import failures, run_all

MOMENTS = int(os.environ.get("RANDOM_KILLS", "200"))
ID = "r1"
LATEST_S = 0.18  # an undisturbed run has told its report well before


def trial(server: ForkServer, folder: Path, seed: int, mode: str = "pdu") -> tuple[str, float]:
    """Kill up to three times at random moments, then deliver the same PDUs again."""
    rng = random.Random(seed)
    pdus = parts_of(f"mark id={ID} note=" + "x" * rng.choice((5, 200)))
    rng.shuffle(pdus)
    alive_s = 0.0
    with Road(server, folder, modem={"poll_s": 30, "sms_mode": mode}) as road:
        for pdu in pdus:
            road.deliver(pdu, announce=False)
        for _ in range(rng.randint(1, 3)):
            road.agent.start(wait_ready=False)
            moment_s = rng.uniform(0.0, LATEST_S)
            time.sleep(moment_s)
            alive_s += moment_s
            road.agent.kill()
        road.restart()
        road.wait(
            lambda: any(reply.startswith(f"{ID} ") for reply in road.replies()),
            "reply after all",
        )
        for pdu in pdus:
            road.deliver(pdu)
        road.settle()
        state = road.check(ID)
        road.check_replies(ID, state)
    return state, alive_s


@pytest.mark.timeout(120 + MOMENTS)
def test_killed_at_random_moments_it_executes_at_most_once_and_reports_at_least_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trials = list(run_all(range(MOMENTS), trial, tmp_path))
    assert not failures(trials), failures(trials)
    states = Counter(trial.result[0] for trial in trials if trial.result is not None)
    with capsys.disabled():
        print(f"\n  {MOMENTS} random moments: ended {dict(states)}")
    assert states["succeeded"]


@pytest.mark.timeout(120 + MOMENTS)
def test_killed_at_random_moments_in_text_mode_it_keeps_the_same_promises(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    moments = MOMENTS // 2
    in_text = functools.partial(trial, mode="text")
    trials = list(run_all(range(moments), in_text, tmp_path))
    assert not failures(trials), failures(trials)
    states = Counter(trial.result[0] for trial in trials if trial.result is not None)
    with capsys.disabled():
        print(f"\n  {moments} random moments in text mode: ended {dict(states)}")
    assert states["succeeded"]


def test_a_backlog_that_is_killed_again_and_again_is_worked_off_once(
    make_road: MakeRoad,
) -> None:
    rng = random.Random(20)
    road = make_road()
    ids = [f"b{n}" for n in range(18)]  # more than one chunk of the inbox, less than the SIM holds
    for id_ in ids:
        for pdu in parts_of(f"mark id={id_} note=x"):
            road.deliver(pdu, announce=False)
    for _ in range(15):
        road.agent.start(wait_ready=False)
        time.sleep(rng.uniform(0.03, 0.15))
        road.agent.kill()
    road.restart()
    road.wait(lambda: not road.stored(), "empty memories")

    def untold() -> list[str]:
        told = {reply.split()[0] for reply in road.replies()}
        return [id_ for id_ in ids if id_ not in told]

    road.wait(lambda: not untold(), "a reply for each")
    road.settle()
    effects = Counter(road.effects())
    assert set(effects.values()) == {1}
    for row in road.agent.query("SELECT id, state FROM commands WHERE command = 'mark'"):
        possible = {"succeeded", "interrupted"} if effects[row["id"]] else {"interrupted"}
        assert row["state"] in possible, row
    found = [row["id"] for row in road.agent.query("SELECT id FROM commands ORDER BY id")]
    assert sorted(found) == sorted([*ids, "last"])
