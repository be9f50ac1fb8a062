"""How long the event loop stands still while a serial port opens, closes and flushes."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests.benchmarks.stage import PLATFORM, Bench, stage
from tests.benchmarks.table import Row
from tests.benchmarks.wire import announced

STUCK_S = 2.0


def rows(bench: Bench) -> Iterator[Row]:
    """A driver that blocks for seconds; then an ordinary day with an unplugged modem."""
    yield from _stuck(bench)
    yield _unplugged(bench)


def _stuck(bench: Bench) -> Iterator[Row]:
    opening, closing, flushing = [], [], []
    for number in range(bench.pick(3, 1)):
        begun = time.monotonic()
        with stage(bench, f"stuck-{number}", env={"STUCK": str(STUCK_S)}) as on:
            opened = time.monotonic()
            assert opened - begun > STUCK_S, "the driver did not block"
            # Nobody takes what the agent writes, then the port is given up with octets unsent.
            on.modem.stall()
            announced(on.modem, PLATFORM, "ping id=stuck")
            time.sleep(1.0)
            flushed = time.monotonic()
            on.modem.call(lambda shell: shell.vanish(3.0, power_lost=False))
            on.agent.wait_log("modem ready", count=2, timeout_s=60.0)
            on.quiet()
            notes = on.notes()
        working = [(at, for_s) for at, for_s in notes.stretches if at > notes.ready[0] + 0.05]
        opening.append(max((for_s for at, for_s in working if at < opened), default=0.0))
        flushing.append(max((f for at, f in working if opened <= at < flushed), default=0.0))
        closing.append(max((f for at, f in working if at >= flushed), default=0.0))
    note = f"longest stretch of work between two waits of the loop; the driver blocks {STUCK_S:g} s"
    phases = (("opens", opening), ("takes no octets", flushing), ("closes and opens", closing))
    for name, values in phases:
        yield Row(
            f"event loop blocked while a stuck port {name}", min(values) * 1e3, "ms", 50, note=note
        )


def _unplugged(bench: Bench) -> Row:
    longest = []
    for number in range(bench.pick(3, 1)):
        with stage(bench, f"unplugged-{number}") as on:
            for count in (2, 3, 4):
                on.modem.call(lambda shell: shell.vanish(0.3, power_lost=False))
                on.agent.wait_log("modem ready", count=count, timeout_s=30.0)
                on.quiet()
            notes = on.notes()
        working = [f for at, f in notes.stretches if at > notes.ready[0] + 0.05]
        longest.append(max(working, default=0.0))
    return Row(
        "event loop blocked, modem unplugged three times",
        min(longest) * 1e3,
        "ms",
        50,
    )
