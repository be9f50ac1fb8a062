"""Rubbish between the lines: is every message handled, once, and at its announcement?"""

from __future__ import annotations

import collections
import contextlib
import time
from collections.abc import Iterator

from tests.benchmarks.stage import PLATFORM, Bench, stage, until
from tests.benchmarks.table import Row
from tests.benchmarks.wire import announced

PATIENCE_S = 30.0
GAP_S = 0.15


def rows(bench: Bench) -> Iterator[Row]:
    """Two kinds of noise, two probabilities; the slow timer is out of reach."""
    for kind in ("text", "binary"):
        for probability in (0.1, 0.4):
            yield _noisy(bench, kind, probability)


def _noisy(bench: Bench, kind: str, probability: float) -> Row:
    count = bench.pick(50, 50)
    with stage(bench, f"noise-{kind}-{probability}", seed=7) as on:
        on.modem.faults.noise_kind = kind
        on.modem.faults.noise = probability
        begun = {}
        for number in range(count):
            begun[f"n{number}"] = announced(on.modem, PLATFORM, f"ping id=n{number}")
            time.sleep(GAP_S)
        with contextlib.suppress(TimeoutError):
            until(lambda: not on.modem.messages("SM"), PATIENCE_S, "an empty modem")
        on.quiet(0.5, PATIENCE_S)
        on.modem.faults.noise = 0.0
        reopened = on.agent.log.count("recovery rung=")
        notes = on.notes()
    times = collections.defaultdict(list)
    for at, id_ in notes.handled:
        times[id_].append(at)
    once = sum(len(times[id_]) == 1 for id_ in begun)
    waits = sorted(times[id_][0] - at for id_, at in begun.items() if times[id_])
    return Row(
        f"noise between lines ({kind}, {probability:g}): of {count} messages handled, once each",
        once,
        "messages",
        count,
        least=True,
        note=f"median {waits[len(waits) // 2] * 1e3:.0f} ms, longest {waits[-1]:.1f} s after its"
        f" announcement; rungs of the ladder taken: {reopened}",
    )
