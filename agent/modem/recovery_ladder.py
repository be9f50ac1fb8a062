"""The recovery ladder as a table: what is tried for a modem that does not answer, and how often."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["LADDER", "REOPEN", "RESET", "Rung", "next_rung", "refusal_pauses"]


@dataclass(frozen=True, slots=True)
class Rung:
    """One rung.

    patience_s: how long it is tried; settle_s: how long the modem is left alone afterwards;
    after_s: how long the trouble has to last before it is taken, REOPEN stands in until then;
    per_hour, per_day: its budget, 0: without limit.
    """

    name: str
    patience_s: float = 0.0
    after_s: float = 0.0
    settle_s: float = 0.0
    per_hour: int = 0
    per_day: int = 0


# A modem that is only mute for a while (a cell change, a long write) must not be reset for it:
# the gentle rungs and the bring-up after each of them wait for more than a minute. One that says
# OK to AT and nothing else would come past them in seconds: hence after_s.
REOPEN: Final = Rung("reopen", settle_s=1.0)
RESET: Final = Rung("reset", settle_s=15.0, after_s=60.0, per_hour=2, per_day=6)
LADDER: Final = (
    Rung("resynchronise", patience_s=45.0),
    REOPEN,
    RESET,
    Rung("power-cycle", settle_s=20.0, after_s=180.0, per_hour=1, per_day=4),
    Rung("back-off", settle_s=300.0),
)

REFUSED_S: Final = 15.0  # after the first refusal of what the bring-up needs; then twice as long
REFUSED_MAX_S: Final = 960.0


def refusal_pauses() -> Iterator[float]:
    """How long to wait after one refusal after another, in seconds."""
    pause_s = REFUSED_S
    while True:
        yield pause_s
        pause_s = min(2 * pause_s, REFUSED_MAX_S)


def next_rung(
    current: str | None,
    history: Iterable[tuple[float, str]],
    now_s: float,
    *,
    can_power_cycle: bool,
    troubled_s: float = math.inf,
    ladder: Sequence[Rung] = LADDER,
) -> Rung:
    """Return the rung to take after `current` (None: the first).

    history: (elapsed time, rung) of what was done before, over restarts of the agent too.
    troubled_s: how long the trouble has lasted. After the last rung the ladder is climbed again
    from REOPEN; rungs whose budget is spent are passed over.
    """
    names = [rung.name for rung in ladder]
    if current is None:
        return ladder[0]
    reopen = names.index(REOPEN.name)
    start = names.index(current) + 1 if current != ladder[-1].name else reopen
    done = list(history)
    for rung in ladder[start:]:
        if rung.name == "power-cycle" and not can_power_cycle:
            continue
        if _within(rung, done, now_s):
            return rung if rung.after_s <= troubled_s else ladder[reopen]
    return ladder[-1]


def _within(rung: Rung, done: list[tuple[float, str]], now_s: float) -> bool:
    for limit, period in ((rung.per_hour, 3600.0), (rung.per_day, 86400.0)):
        spent = sum(1 for at_s, name in done if name == rung.name and now_s - at_s < period)
        if limit and spent >= limit:
            return False
    return True
