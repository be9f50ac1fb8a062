"""`python -m tests.benchmarks`: everything that has a budget, in one table, with JSON beside it."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tests.benchmarks.stage import Bench
from tests.benchmarks.table import Row, line, put
from tests.support.agent import REPOSITORY

PAGE: Final = REPOSITORY / "docs" / "performance.md"
# In the order of the table; each is a module here with rows(bench).
GROUPS: Final = (
    "startup",
    "arrival",
    "drain",
    "sending",
    "idle",
    "outages",
    "noise",
    "blocking",
    "codecs",
    "history",
)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "--only",
        action="append",
        metavar="NAME",
        choices=(*GROUPS, "peers"),
        help=f"one group, may be repeated: {', '.join(GROUPS)}",
    )
    parser.add_argument("--peers", action="store_true", help="the peers too, a few minutes more")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, shorter outages")
    parser.add_argument("--json", metavar="FILE", type=Path, default=Path("bench.json"))
    parser.add_argument("--docs", action="store_true", help=f"put the table into {PAGE.name} too")
    return parser.parse_args()


def _measure(group: str, bench: Bench) -> Iterator[Row]:
    module = importlib.import_module(f"tests.benchmarks.{group}")
    begun = time.monotonic()
    print(f"== {group}", flush=True)
    for row in module.rows(bench):
        print(line(row), flush=True)
        yield row
    print(f"   {time.monotonic() - begun:.0f} s", flush=True)


def _machine() -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
    }


def _described(machine: dict[str, Any]) -> str:
    return (
        f"Python {machine['python']}, {machine['system']}, {machine['cores']} cores;"
        f" {machine['load']:.1f} processes wanted to run when it began."
    )


def main() -> int:
    """Measure and print; 0 when every budget is met."""
    options = _options()
    machine = _machine()
    table: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        bench = Bench(Path(folder), quick=options.quick)
        groups = list(options.only or GROUPS)
        if options.peers:
            groups.append("peers")
        for group in groups:
            table += _measure(group, bench)
    answer = {"machine": machine, "quick": options.quick, "rows": [row.json() for row in table]}
    options.json.write_text(json.dumps(answer, indent=1) + "\n", encoding="utf-8")
    if options.docs:
        put(PAGE, _described(machine), table)
    missed = [row for row in table if row.met is False]
    budgeted = sum(row.met is not None for row in table)
    print(f"== {budgeted - len(missed)} of {budgeted} budgets met; {options.json}")
    for row in missed:
        print(line(row))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
