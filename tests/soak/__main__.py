"""Hours of trouble in minutes: thousands of random kills, then thousands of messages.

    python -m tests.soak [--kills 2000] [--messages 6000] [--minutes 30] [--seed 1]

Ends with a table, and with status 1 where anything did not hold.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.soak.kills import KillReport, random_kills
from tests.soak.memory import GROWTH_KIB, MemoryReport, thousands_of_messages

OK, FAILED = 0, 1


class Progress:
    """One line on a terminal, nothing in a pipe."""

    def __init__(self) -> None:
        self._on = sys.stderr.isatty()
        self._begun = time.monotonic()

    def __call__(self, what: str, done: int, of: int) -> None:
        if self._on:
            passed = time.monotonic() - self._begun
            print(f"\r\033[K{what}: {done} of {of}, {passed:.0f} s", end="", file=sys.stderr)

    def end(self) -> None:
        if self._on:
            print("\r\033[K", end="", file=sys.stderr)


def main() -> int:
    options = _options()
    deadline = time.monotonic() + options.minutes * 60
    progress = Progress()
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        folder = Path(name)
        kills = random_kills(folder / "kills", options.kills, options.seed, deadline, progress)
        memory = thousands_of_messages(folder / "memory", options.messages, deadline, progress)
    progress.end()
    _print(kills, memory)
    return FAILED if kills.failures or not memory.good else OK


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=2000, help="random kill times")
    parser.add_argument("--messages", type=int, default=6000, help="messages for the memory part")
    parser.add_argument("--minutes", type=float, default=30.0, help="the whole run ends by then")
    parser.add_argument("--seed", type=int, default=1, help="of all random choices")
    return parser.parse_args()


def _print(kills: KillReport, memory: MemoryReport) -> None:
    rows = [
        ("random kill times", f"{kills.kills} of {kills.wanted}, in {kills.trials} lives"),
        ("  ended as", ", ".join(f"{n} {state}" for state, n in sorted(kills.states.items()))),
        ("  executed twice, lost, or untold", str(len(kills.failures))),
        ("messages through one process", f"{memory.messages} of {memory.wanted}"),
        ("  memory after 1,000 / 5,000 / all", memory.sizes),
        (
            "  growth after that",
            f"{memory.growth_kib} KiB of at most {GROWTH_KIB}"
            if memory.measured
            else "not measured: fewer than 5,000 messages",
        ),
        (
            "  commands executed",
            f"{memory.executed} of {memory.messages}, each once"
            if memory.once
            else f"{memory.executed} of {memory.messages}: WRONG",
        ),
        ("  messages a second", f"{memory.rate:.0f}"),
    ]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name:<{width}}  {value}")
    for failure in kills.failures[:5]:
        print(f"\n{failure}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
