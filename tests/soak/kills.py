"""Random kill times: each life of a road is killed a few times, then judged."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e.forked import ForkServer
from tests.e2e.road import Road, parts_of
from tests.e2e.workers import failures, run_all

ID = "k1"
LATEST_S = 0.2  # after the start: an undisturbed run has told its report by then
KILLS_A_LIFE = 5


@dataclass
class KillReport:
    """wanted, kills: random kill times asked for and done; trials: lives they were done in."""

    wanted: int
    kills: int = 0
    trials: int = 0
    states: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def random_kills(
    folder: Path,
    wanted: int,
    seed: int,
    deadline: float,
    progress: Callable[[str, int, int], None],
) -> KillReport:
    """Kill at `wanted` random times, or until the deadline (monotonic)."""
    report = KillReport(wanted)
    lives = -(-wanted // KILLS_A_LIFE)
    cases: Iterator[int] = iter(range(seed * 1_000_000, seed * 1_000_000 + lives))
    for trial in run_all(cases, _life, folder, stop=lambda: time.monotonic() > deadline):
        report.trials += 1
        report.kills += KILLS_A_LIFE
        if trial.result is not None:
            report.states[trial.result] += 1
        else:
            report.failures.append(failures([trial]))
        progress("random kills", report.kills, wanted)
    return report


def _life(server: ForkServer, folder: Path, seed: int) -> str:
    """One command on its road, the agent killed at random times; returns its final state."""
    rng = random.Random(seed)
    pdus = parts_of(f"mark id={ID} note=" + "x" * rng.choice((5, 200, 350)))
    rng.shuffle(pdus)
    with Road(server, folder) as road:
        early = rng.randint(0, len(pdus))
        for pdu in pdus[:early]:
            road.deliver(pdu, announce=False)
        late = pdus[early:]
        for _ in range(KILLS_A_LIFE):
            road.agent.start(wait_ready=False)
            moments = sorted(rng.uniform(0.0, LATEST_S) for _ in range(2))
            time.sleep(moments[0])
            if late:
                road.deliver(late.pop(0))
            elif rng.random() < 0.5:  # the network repeats what it had delivered
                road.deliver(rng.choice(pdus))
            time.sleep(moments[1] - moments[0])
            road.agent.kill()
        road.restart()
        for pdu in late:
            road.deliver(pdu)
        road.wait(
            lambda: any(reply.startswith(f"{ID} ") for reply in road.replies()),
            "reply after all",
        )
        for pdu in pdus:
            road.deliver(pdu)
        road.settle()
        state = road.check(ID)
        road.check_replies(ID, state)
    return state
