"""The recovery ladder as a table: what is tried for a modem that does not answer, and how often."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

__all__ = ["LADDER", "RESET", "Rung", "next_rung"]


@dataclass(frozen=True, slots=True)
class Rung:
    """One rung.

    patience_s: how long it is tried; settle_s: how long the modem is left alone afterwards;
    per_hour, per_day: its budget, 0: without limit.
    """

    name: str
    patience_s: float = 0.0
    settle_s: float = 0.0
    per_hour: int = 0
    per_day: int = 0


# A modem that is only mute for a while (a cell change, a long write) must not be reset for it:
# the gentle rungs and the bring-up after each of them wait for more than a minute.
RESET: Final = Rung("reset", settle_s=15.0, per_hour=2, per_day=6)
LADDER: Final = (
    Rung("resynchronise", patience_s=45.0),
    Rung("reopen", settle_s=1.0),
    RESET,
    Rung("power-cycle", settle_s=20.0, per_hour=1, per_day=4),
    Rung("back-off", settle_s=300.0),
)


def next_rung(
    current: str | None,
    history: Iterable[tuple[datetime, str]],
    now: datetime,
    *,
    can_power_cycle: bool,
    ladder: Sequence[Rung] = LADDER,
) -> Rung:
    """Return the rung to take after `current` (None: the first).

    history: (time, rung) of what was done before, over restarts of the agent too. After the last
    rung the ladder is climbed again from "reopen"; rungs whose budget is spent are passed over.
    """
    names = [rung.name for rung in ladder]
    if current is None:
        return ladder[0]
    start = names.index(current) + 1 if current != ladder[-1].name else names.index("reopen")
    done = list(history)
    for rung in ladder[start:]:
        if rung.name == "power-cycle" and not can_power_cycle:
            continue
        if _within(rung, done, now):
            return rung
    return ladder[-1]


def _within(rung: Rung, done: list[tuple[datetime, str]], now: datetime) -> bool:
    for limit, period in ((rung.per_hour, timedelta(hours=1)), (rung.per_day, timedelta(days=1))):
        if (
            limit
            and sum(1 for at, name in done if name == rung.name and now - at < period) >= limit
        ):
            return False
    return True
