"""What may be spent on SMS: by the hour, by the day, and by unauthenticated senders."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from agent.config.model import BudgetConfig

__all__ = ["PERIODS_S", "Over", "most_segments", "over", "spent"]

FREE_SHARE: Final = 4  # unsigned and refused messages together may cause a quarter
PERIODS_S: Final = {"hour": 3600.0, "day": 86400.0}
_SPENT: Final = "('sent', 'delivered', 'unknown', 'failed')"


@dataclass(frozen=True, slots=True)
class Over:
    """The budget does not allow it now. after_s: when it will; None: never."""

    reason: str
    after_s: float | None


def most_segments(budget: BudgetConfig, *, free: bool) -> int:
    """Return how many segments one SMS may have at most, whatever was sent before."""
    return min(limit for limit, _, _ in _limits(budget, free=free))


def over(db: sqlite3.Connection, budget: BudgetConfig, segments: int, *, free: bool) -> Over | None:
    """Return why so many segments may not leave now; None where they may.

    free: caused by an unsigned or refused message.
    """
    for limit, period, condition in _limits(budget, free=free):
        if segments > limit:
            reason = f"{segments} segments are more than the SMS budget ({limit} in one {period})"
            return Over(reason, None)
        after_s = _wait_s(db, segments, limit, PERIODS_S[period], condition)
        if after_s > 0:
            return Over(f"SMS budget is spent ({limit} in one {period})", after_s)
    return None


def spent(db: sqlite3.Connection, period_s: float) -> int:
    """Return how many segments left within the last `period_s` of elapsed time."""
    found = db.execute(
        f"SELECT coalesce(sum(segments), 0) FROM sends WHERE state IN {_SPENT}"  # noqa: S608 - our own
        " AND elapsed_s > elapsed() - ?",
        (period_s,),
    ).fetchone()
    return int(found[0])


def _limits(budget: BudgetConfig, *, free: bool) -> Iterator[tuple[int, str, str]]:
    """Yield (segments, period, SQL condition on what counts)."""
    for limit, period in ((budget.sms_per_hour, "hour"), (budget.sms_per_day, "day")):
        yield limit, period, ""
        if free:
            yield min(limit, max(1, limit // FREE_SHARE)), period, " AND free = 1"


def _wait_s(
    db: sqlite3.Connection,
    segments: int,
    limit: int,
    period_s: float,
    condition: str,
) -> float:
    """Return how long until `segments` more fit into `limit` within `period_s`; 0: they do now."""
    rows = db.execute(
        f"SELECT elapsed() - elapsed_s, segments FROM sends WHERE state IN {_SPENT}"  # noqa: S608 - our own
        f" AND elapsed_s > elapsed() - ?{condition} ORDER BY elapsed_s DESC",
        (period_s,),
    )
    spent = 0
    for ago_s, count in rows:
        spent += count
        if spent + segments > limit:
            # When this one has left the period, everything older has too.
            return max(1.0, period_s - float(ago_s))
    return 0.0
