"""Forgets what is older than the journal's memory, and gives the space back."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from typing import Final, NamedTuple

from agent.journal import elapsed
from agent.journal.journal import Journal, JournalUnavailableError
from agent.journal.rows import elapsed_s, move_report
from agent.system.clock import Clock, iso

__all__ = ["Forgetting", "Housekeeping", "vacuum"]

log = logging.getLogger(__name__)

DAY_S: Final = 86400.0
REMEMBERED_S: Final = 30 * DAY_S
TRIED_S: Final = 90 * DAY_S  # a report that nobody took in all that time is given up
RECOVERY_REMEMBERED_S: Final = 365 * DAY_S  # a handful of rows that tell a modem's story
FIRST_AFTER_S: Final = 300.0  # not while everything else starts
EVERY_S: Final = 6 * 3600.0
ROWS_AT_ONCE: Final = 60  # looked at in one transaction: others wait meanwhile
PAGES_AT_ONCE: Final = 256
PAGES_SPARE: Final = 256  # left in the file: the next messages need them
PAUSE_S: Final = 0.05  # between two steps: what waits goes first


class _How(NamedTuple):
    """SQL about the row :n. untaken: its reports pending since before :tried; old: if it may go."""

    untaken: str
    old: str
    deletes: tuple[str, ...]  # children before parents


_UNTAKEN: Final = "SELECT n FROM reports WHERE {which} AND state = 'pending' AND elapsed_s < :tried"
# ruff: noqa: S608 - the parts are our own words
_SENDS: Final = "(SELECT n FROM sends WHERE command = :n)"
_COMMAND: Final = _How(
    untaken=f"{_UNTAKEN.format(which='command = :n')}"
    f" UNION {_UNTAKEN.format(which=f'send IN {_SENDS}')}",
    old="SELECT 1 FROM commands WHERE n = :n AND elapsed_s < :limit"
    " AND state NOT IN ('received', 'accepted', 'scheduled', 'running')"
    " AND NOT EXISTS (SELECT 1 FROM reports WHERE command = :n AND state = 'pending')"
    f" AND NOT EXISTS (SELECT 1 FROM reports WHERE send IN {_SENDS} AND state = 'pending')"
    " AND NOT EXISTS"
    " (SELECT 1 FROM sends WHERE command = :n AND state IN ('queued', 'sending'))"
    " AND NOT EXISTS (SELECT 1 FROM messages WHERE command = :n AND elapsed_s >= :limit)"
    " AND NOT EXISTS (SELECT 1 FROM segments WHERE undeleted = 1"
    " AND message IN (SELECT n FROM messages WHERE command = :n))",
    deletes=(
        "DELETE FROM reports WHERE command = :n",
        f"DELETE FROM reports WHERE send IN {_SENDS}",
        "DELETE FROM sends WHERE command = :n",
        "UPDATE messages SET command = NULL WHERE command = :n",
        "DELETE FROM commands WHERE n = :n",
    ),
)
_MESSAGE: Final = _How(
    untaken=_UNTAKEN.format(which="message = :n"),
    old="SELECT 1 FROM messages WHERE n = :n AND command IS NULL"
    " AND NOT EXISTS (SELECT 1 FROM reports WHERE message = :n AND state = 'pending')"
    " AND NOT EXISTS (SELECT 1 FROM segments WHERE message = :n"
    " AND (elapsed_s >= :limit OR undeleted = 1))",
    deletes=(
        "DELETE FROM reports WHERE message = :n",
        "DELETE FROM segments WHERE message = :n",
        "DELETE FROM messages WHERE n = :n",
    ),
)
_SEND: Final = _How(
    untaken=_UNTAKEN.format(which="send = :n"),
    old="SELECT 1 FROM sends WHERE n = :n AND state NOT IN ('queued', 'sending')"
    " AND NOT EXISTS (SELECT 1 FROM reports WHERE send = :n AND state = 'pending')",
    deletes=("DELETE FROM reports WHERE send = :n", "DELETE FROM sends WHERE n = :n"),
)
_REPEAT: Final = _How(
    untaken="SELECT n FROM reports WHERE 0",
    old="SELECT 1 FROM segments WHERE n = :n AND verdict = 'repeat' AND undeleted = 0",
    deletes=("DELETE FROM segments WHERE n = :n",),
)


class Housekeeping:
    """Runs seldom and in small steps. What is old is so by elapsed time."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._kept: set[str] = set()  # what could not be deleted, as it was told

    async def run(self) -> None:
        """Forget for ever."""
        await asyncio.sleep(FIRST_AFTER_S)
        while True:
            with contextlib.suppress(JournalUnavailableError):
                await self._journal.commit(lambda db: elapsed.anchor(db, self._clock), lazy=True)
                await self.forget()
            await asyncio.sleep(EVERY_S)

    async def forget(self) -> None:
        """Delete what is old, then return its pages to the disk."""
        forgetting = Forgetting(iso(self._clock.wall()))
        for step in (forgetting.step, vacuum):
            more: int = True
            while more:
                more = await self._journal.commit(step)
                await asyncio.sleep(PAUSE_S)
        if forgetting.rows:
            log.info("journal forgot rows=%d", forgetting.rows)
        if forgetting.given_up:
            log.warning("reports given up, nobody took them count=%d", forgetting.given_up)
        if forgetting.kept - self._kept:
            log.error("journal rows cannot be deleted rows=%s", ", ".join(sorted(forgetting.kept)))
        self._kept = forgetting.kept


def vacuum(db: sqlite3.Connection) -> int:
    """Take some free pages out of the file; returns how many, 0 at the end.

    The file itself shrinks at the next check-point.
    """
    (free,) = db.execute("PRAGMA freelist_count").fetchone()
    pages = min(free - PAGES_SPARE, PAGES_AT_ONCE)
    if pages <= 0:
        return 0
    # Each row that is fetched frees one page: execute() alone would free no more than the first.
    db.execute(f"PRAGMA incremental_vacuum({pages})").fetchall()
    (left,) = db.execute("PRAGMA freelist_count").fetchone()
    return int(free - left)


class Forgetting:
    """One pass over the old rows, from the oldest on.

    What is not finished stays: an open command, a report that is still pending, a waiting part
    (it ends as `incomplete` first), a message that the modem still has, and whatever any of these
    belong to. A row that cannot be deleted is passed over: `kept` names it.
    """

    def __init__(self, now: str) -> None:
        self._now = now
        self._message = self._segment = 0  # the last ones looked at
        self._send = (-1.0, 0)
        self._limit_s = self._tried_s = 0.0
        self._stage = 0
        self.rows = 0
        self.given_up = 0
        self.kept: set[str] = set()

    def step(self, db: sqlite3.Connection) -> bool:
        """Delete what is old among the next few rows; False: there is no more to look at."""
        now_s = elapsed_s(db)
        self._limit_s, self._tried_s = now_s - REMEMBERED_S, now_s - TRIED_S
        before = db.total_changes
        stages = (self._messages, self._sends, self._repeats)
        if not stages[self._stage](db):
            self._stage += 1
        self.rows += db.total_changes - before
        if self._stage < len(stages):
            return True
        limit_s = now_s - RECOVERY_REMEMBERED_S
        db.execute("DELETE FROM recovery WHERE elapsed_s < ?", (limit_s,))
        return False

    def _messages(self, db: sqlite3.Connection) -> bool:
        """Look at the next messages and their commands: stamped in the order of their numbers."""
        page = db.execute(
            "SELECT n, command, elapsed_s FROM messages WHERE n > ? ORDER BY n LIMIT ?",
            (self._message, ROWS_AT_ONCE),
        ).fetchall()
        old = [(n, command) for n, command, at_s in page if at_s < self._limit_s]
        for command in sorted({command for _, command in old if command is not None}):
            self._delete(db, "commands", command, _COMMAND)
        for n, _ in old:
            self._delete(db, "messages", n, _MESSAGE)
        self._message = page[-1][0] if page else 0
        return len(old) == ROWS_AT_ONCE

    def _sends(self, db: sqlite3.Connection) -> bool:
        """Look at the next SMS that no command asked for."""
        page = db.execute(
            "SELECT elapsed_s, n, command FROM sends WHERE elapsed_s < ?"
            " AND (elapsed_s, n) > (?, ?) ORDER BY elapsed_s, n LIMIT ?",
            (self._limit_s, *self._send, ROWS_AT_ONCE),
        ).fetchall()
        for _, n, command in page:
            if command is None:
                self._delete(db, "sends", n, _SEND)
        if page:
            self._send = page[-1][:2]
        return len(page) == ROWS_AT_ONCE

    def _repeats(self, db: sqlite3.Connection) -> bool:
        """Look at the next parts: those that came again belong to no message."""
        page = db.execute(
            "SELECT n, message, elapsed_s FROM segments WHERE n > ? ORDER BY n LIMIT ?",
            (self._segment, ROWS_AT_ONCE),
        ).fetchall()
        old = [(n, message) for n, message, at_s in page if at_s < self._limit_s]
        for n, message in old:
            if message is None:
                self._delete(db, "segments", n, _REPEAT)
        self._segment = page[-1][0] if page else 0
        return len(old) == ROWS_AT_ONCE

    def _delete(self, db: sqlite3.Connection, table: str, n: int, how: _How) -> None:
        """Delete one row with what hangs on it, unless it is still needed."""
        values = {"n": n, "limit": self._limit_s}
        for (report,) in db.execute(how.untaken, {"n": n, "tried": self._tried_s}).fetchall():
            move_report(
                db, report, "give_up", {"finished_at": self._now, "error": "nobody took it"}
            )
            self.given_up += 1
        if db.execute(how.old, values).fetchone() is None:
            return
        db.execute("SAVEPOINT forgetting")
        try:
            for statement in how.deletes:
                db.execute(statement, values)
        except sqlite3.IntegrityError:
            db.execute("ROLLBACK TO forgetting")
            self.kept.add(f"{table} {n}")
        db.execute("RELEASE forgetting")
