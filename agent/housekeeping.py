"""Forgets what is older than the journal's memory, and gives the space back."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from typing import Final

from agent import elapsed
from agent.clock import Clock
from agent.journal import Journal, JournalUnavailableError
from agent.rows import elapsed_s

__all__ = ["Housekeeping", "forget"]

log = logging.getLogger(__name__)

DAY_S: Final = 86400.0
REMEMBERED_S: Final = 30 * DAY_S
RECOVERY_REMEMBERED_S: Final = 365 * DAY_S  # a handful of rows that tell a modem's story
FIRST_AFTER_S: Final = 300.0  # not while everything else starts
EVERY_S: Final = 6 * 3600.0
ROWS_AT_ONCE: Final = 200  # of each table in one transaction: others wait meanwhile
PAGES_AT_ONCE: Final = 256


class Housekeeping:
    """Runs seldom and in small steps. What is old is so by elapsed time."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock

    async def run(self) -> None:
        """Forget for ever."""
        await asyncio.sleep(FIRST_AFTER_S)
        while True:
            with contextlib.suppress(JournalUnavailableError):
                await self._journal.commit(lambda db: elapsed.anchor(db, self._clock), lazy=True)
                await self._forget()
            await asyncio.sleep(EVERY_S)

    async def _forget(self) -> None:
        total = 0
        while await self._journal.read(_has_old):
            rows = await self._journal.commit(forget)
            total += rows
            if rows == 0:
                break
        if total:
            log.info("journal forgot rows=%d", total)


def _has_old(db: sqlite3.Connection) -> bool:
    """Whether there is anything to forget: most days there is not, and nothing is written."""
    found = db.execute(
        "SELECT EXISTS (SELECT 1 FROM messages WHERE elapsed_s < elapsed() - ?1)"
        " OR EXISTS (SELECT 1 FROM segments WHERE elapsed_s < elapsed() - ?1 AND message IS NULL)"
        " OR EXISTS (SELECT 1 FROM sends"
        " WHERE elapsed_s < elapsed() - ?1 AND finished_at IS NOT NULL)",
        (REMEMBERED_S,),
    ).fetchone()
    return bool(found[0])


def forget(db: sqlite3.Connection) -> int:
    """Delete one step's worth of rows past their time; returns how many.

    What is not finished stays: an open command, a report that is still pending, a waiting part
    (it ends as `incomplete` first), and whatever any of these belong to.
    """
    now_s = elapsed_s(db)
    before = db.total_changes
    for statement in _FORGET:
        db.execute(statement, {"limit": now_s - REMEMBERED_S, "rows": ROWS_AT_ONCE})
    db.execute("DELETE FROM recovery WHERE elapsed_s < ?", (now_s - RECOVERY_REMEMBERED_S,))
    changed = db.total_changes - before
    db.execute(f"PRAGMA incremental_vacuum({PAGES_AT_ONCE})")
    return changed


_OPEN: Final = "('received', 'accepted', 'scheduled', 'running')"
_OLD_COMMANDS: Final = f"""
    SELECT n FROM commands c WHERE elapsed_s < :limit
    AND state NOT IN {_OPEN}
    AND NOT EXISTS (SELECT 1 FROM reports WHERE command = c.n AND state = 'pending')
    AND NOT EXISTS (SELECT 1 FROM messages WHERE command = c.n AND elapsed_s >= :limit)
    ORDER BY n LIMIT :rows
"""  # noqa: S608 - our own words
_OLD_MESSAGES: Final = """
    SELECT n FROM messages m WHERE elapsed_s < :limit
    AND NOT EXISTS (SELECT 1 FROM reports WHERE message = m.n AND state = 'pending')
    AND NOT EXISTS (SELECT 1 FROM segments WHERE message = m.n AND elapsed_s >= :limit)
    AND (command IS NULL OR NOT EXISTS (SELECT 1 FROM commands WHERE n = m.command))
    ORDER BY n LIMIT :rows
"""
_OLD_SENDS: Final = """
    SELECT n FROM sends s WHERE elapsed_s < :limit AND state NOT IN ('queued', 'sending')
    AND NOT EXISTS (SELECT 1 FROM reports WHERE send = s.n AND state = 'pending')
    AND command IS NULL ORDER BY n LIMIT :rows
"""
# Children before parents. A command goes with everything that hangs on it.
_FORGET: Final = (
    "CREATE TEMP TABLE IF NOT EXISTS gone (n INTEGER PRIMARY KEY)",
    "DELETE FROM gone",
    f"INSERT INTO gone {_OLD_COMMANDS}",
    "DELETE FROM reports WHERE command IN gone",
    "DELETE FROM sends WHERE command IN gone",
    (
        "DELETE FROM reports WHERE message IN (SELECT n FROM messages WHERE command IN gone)"
        " AND state <> 'pending'"
    ),
    "UPDATE messages SET command = NULL WHERE command IN gone",
    "DELETE FROM commands WHERE n IN gone",
    "DELETE FROM gone",
    f"INSERT INTO gone {_OLD_MESSAGES}",
    "DELETE FROM reports WHERE message IN gone",
    "DELETE FROM segments WHERE message IN gone",
    "DELETE FROM messages WHERE n IN gone",
    "DELETE FROM gone",
    f"INSERT INTO gone {_OLD_SENDS}",
    "DELETE FROM reports WHERE send IN gone",
    "DELETE FROM sends WHERE n IN gone",
    (
        "DELETE FROM segments WHERE n IN (SELECT n FROM segments WHERE message IS NULL"
        " AND verdict = 'repeat' AND elapsed_s < :limit LIMIT :rows)"
    ),
)
