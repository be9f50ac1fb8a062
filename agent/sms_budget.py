"""What may be spent on SMS: by the hour, by the day, and by those who have proven nothing."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from agent.clock import from_iso, iso
from agent.config import BudgetConfig

__all__ = ["Over", "over"]

FREE_SHARE: Final = 4  # unsigned and refused messages together may cause a quarter
_SPENT: Final = "('sent', 'delivered', 'unknown', 'failed')"


@dataclass(frozen=True, slots=True)
class Over:
    """The budget does not allow it now. after_s: when it will."""

    reason: str
    after_s: float


def over(
    db: sqlite3.Connection, budget: BudgetConfig, now: datetime, segments: int, *, free: bool
) -> Over | None:
    """Return why so many segments may not leave now; None where they may.

    free: caused by an unsigned or refused message.
    """
    for limit, period in (
        (budget.sms_per_hour, timedelta(hours=1)),
        (budget.sms_per_day, timedelta(days=1)),
    ):
        shares = [(limit, "")]
        if free:
            shares.append((max(1, limit // FREE_SHARE), " AND free = 1"))
        for share, condition in shares:
            after_s = _wait_s(db, now, segments, share, period, condition)
            if after_s > 0:
                return Over(f"SMS budget is spent ({share} in {period})", after_s)
    return None


def _wait_s(
    db: sqlite3.Connection,
    now: datetime,
    segments: int,
    limit: int,
    period: timedelta,
    condition: str,
) -> float:
    """Return how long until `segments` more fit into `limit` within `period`; 0: they do now."""
    # Later than now by more than the period: the wall clock has been set back since.
    rows = db.execute(
        f"SELECT finished_at, segments FROM sends WHERE state IN {_SPENT}"  # noqa: S608 - our own
        f" AND finished_at > ? AND finished_at < ?{condition} ORDER BY finished_at DESC",
        (iso(now - period), iso(now + period)),
    )
    spent = 0
    for finished_at, count in rows:
        spent += count
        if spent + segments > limit:
            # When this one has left the period, everything older has too.
            return max(1.0, (from_iso(finished_at) + period - now).total_seconds())
    return 0.0
