"""Everything there is to play, by name, and the playing of it side by side."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from tests.faults import losses, recovery
from tests.faults.catalogue import FAULTS
from tests.faults.matrix import PHASES, every_cell, run_cell

EVERYTHING: Final = "MODEM_AGENT_FAULTS"  # set to "all": every cell, every message
ALL: Final = os.environ.get(EVERYTHING) == "all"
AT_ONCE: Final = 20

Scene = Callable[[Path], Awaitable[Any]]

CELLS: Mapping[str, Scene] = {
    f"{fault.name} x {phase.name}": partial(run_cell, fault, phase) for fault, phase in every_cell()
}
# Each fault in two phases, each phase with a third of the faults.
REPRESENTATIVE: Final = tuple(
    f"{fault.name} x {PHASES[(row + shift) % len(PHASES)].name}"
    for row, fault in enumerate(FAULTS)
    for shift in (0, 3)
)
RECOVERIES: Mapping[str, Scene] = {
    "gone": recovery.gone,
    "mute": recovery.mute,
    "deaf": recovery.deaf,
    "unannounced": recovery.unannounced,
    "unopened": recovery.unopened,
    "budgets": recovery.budgets,
    **{
        f"noise {kind} {probability}": partial(recovery.noise, kind=kind, probability=probability)
        for kind in ("text", "binary")
        for probability in (0.1, 0.4)
    },
}
COUNT: Final = 1000 if ALL else 100
LOSSES: Mapping[str, Scene] = {
    "lossy from the modem": partial(losses.lossy, count=COUNT, one_in=5000, both=False),
    "lossy both ways": partial(losses.lossy, count=COUNT, one_in=5000, both=True),
    "very lossy both ways": partial(losses.lossy, count=COUNT // 4, one_in=400, both=True),
    "octets cut": losses.octets_cut,
}
_EVERY: Mapping[str, Scene] = {**RECOVERIES, **LOSSES, **CELLS}


async def play(names: Sequence[str], folder: Path) -> dict[str, Any]:
    """Play scenes; what one raises is its result."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one(number: int, name: str) -> Any:
        async with places:
            return await _EVERY[name](folder / f"scene-{number}")

    # The longest first: they are the ones to wait for.
    order = sorted(names, key=lambda name: list(_EVERY).index(name))
    ends = await asyncio.gather(
        *(one(number, name) for number, name in enumerate(order)), return_exceptions=True
    )
    gc.collect()  # what holds a port ends here, while there still are threads to close it in
    return dict(zip(order, ends, strict=True))
