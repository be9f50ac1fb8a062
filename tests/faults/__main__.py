"""Plays cells of the fault matrix by hand, or all of them to write docs/fault-matrix.md.

python -m tests.faults --write
python -m tests.faults mute/listing deaf/idle
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from pathlib import Path

from tests.faults import page, scenes
from tests.faults.losses import Cut
from tests.faults.matrix import Cell, every_cell, in_short
from tests.faults.site import shortened


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("cell", nargs="*", help="FAULT/PHASE, either may be left empty")
    parser.add_argument("--write", action="store_true", help="write the page")
    parser.add_argument("-v", "--verbose", action="count", default=0)
    options = parser.parse_args()
    if options.verbose:
        level = logging.DEBUG if options.verbose > 1 else logging.INFO
        logging.basicConfig(level=level, format="%(asctime)s %(name)s %(message)s")
        logging.getLogger("transitions").setLevel(logging.ERROR)
        logging.getLogger("asyncio").setLevel(logging.INFO)
    wanted = [cell.partition("/")[::2] for cell in options.cell]
    names = [
        f"{fault.name} x {phase.name}"
        for fault, phase in every_cell()
        if any(fault.name.startswith(f) and phase.name.startswith(p) for f, p in wanted)
    ]
    names = names or [*scenes.RECOVERIES, *scenes.LOSSES, *scenes.CELLS]
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="fault-matrix-") as folder, shortened():
        played = asyncio.run(scenes.play(names, Path(folder)))
    bad = 0
    for name, found in played.items():
        bad += isinstance(found, BaseException)
        if isinstance(found, Cell):
            bad += bool(found.problem)
            times = f"ready {found.ready_s:5.1f} s, done {found.done_s:5.1f} s"
            taken = in_short(taken.rung for taken in found.history)
            print(f"{name:36} {times}  [{taken}] {found.problem}")
        elif not isinstance(found, Cut):
            print(f"{name:36} {found!r}")
    print(f"{len(played)} played, {bad} bad, {time.monotonic() - begun:.0f} s")
    if options.write and not options.cell:
        page.write(played)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
