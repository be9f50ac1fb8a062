"""Messages handed over that needed tolerance: each reading is journalled, two alike are believed.

A reading is a segment of the verdict `unproven-read` without a message; it is given one when the
message comes once more alike, comes different too often, or does not come any more.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from agent.inbound.message import Arrival
from agent.inbound.reassembly import UNPROVEN, Origin, as_read, journal_reading, origin
from agent.journal.rows import IS_APART, update
from agent.system.clock import from_iso
from at.store.messages import Stored

__all__ = ["Reading", "claim", "give_up", "keep", "may_come_again", "readings"]

READINGS_MAX: Final = 3  # of one message that comes different each time
WAITING_MAX: Final = 16  # readings of all messages; a line as bad as that is not waited for
PATIENCE_S: Final = 86400.0  # the network has given up, or the message came undamaged

_WAITING: Final = (
    "SELECT n, raw, elapsed() - elapsed_s, sender, sent_at, reference, sequence"  # noqa: S608 - our own words
    f" FROM segments INDEXED BY segments_apart WHERE {IS_APART} AND verdict = ? ORDER BY n"
)


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading that waits for another. stamp: the service centre's, as journalled."""

    n: int
    raw: str
    age_s: float
    sender: str
    stamp: str
    reference: int | None
    sequence: int

    @property
    def origin(self) -> Origin:
        """As of a message that was read."""
        return Origin(self.sender, self.stamp, self.reference, self.sequence)


def readings(db: sqlite3.Connection) -> list[Reading]:
    """Return all readings that wait, in the order in which they came."""
    return [Reading(*row) for row in db.execute(_WAITING, (UNPROVEN,))]


def may_come_again(stored: Stored, waiting: list[Reading]) -> bool:
    """Whether another reading of this message is worth waiting for."""
    return len(waiting) < WAITING_MAX and len(_of(stored, waiting)) < READINGS_MAX


def keep(db: sqlite3.Connection, stored: Stored, now: datetime) -> int:
    """Journal one reading that waits for another."""
    return journal_reading(db, stored, now, verdict=UNPROVEN)


def claim(db: sqlite3.Connection, stored: Stored, *, whole: bool) -> tuple[int, ...]:
    """Return the waiting readings of a message that has its verdict now: those that were alike.

    Where it was never read twice alike, all of them. whole: that verdict is a message's, which
    takes them; a part has none yet: they are repeats.
    """
    waiting = readings(db)
    unproven = stored.error is not None and stored.error.field == UNPROVEN
    own = _of(stored, waiting) if unproven else [one for one in waiting if one.raw == stored.raw]
    if not whole:
        for one in own:
            update(db, "segments", one.n, {"verdict": "repeat"})
    return tuple(one.n for one in own)


def give_up(db: sqlite3.Connection, now: datetime) -> list[tuple[Arrival, list[int]]]:
    """Return, for each reading that has waited too long, its verdict and its segment."""
    return [
        (
            Arrival(
                "sms",
                now.astimezone(UTC),
                sender=one.sender,
                sent_at=from_iso(one.stamp) if one.stamp else None,
                data=as_read(one.raw),
                verdict=UNPROVEN,
                detail="it did not come again",
            ),
            [one.n],
        )
        for one in readings(db)
        if one.age_s >= PATIENCE_S
    ]


def _of(stored: Stored, waiting: list[Reading]) -> list[Reading]:
    """Those of the same sender, time stamp and part: the same message, as far as can be told."""
    return [one for one in waiting if one.origin == origin(stored)]
