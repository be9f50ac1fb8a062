"""Brings every pending report to its channel, again and again until it got through."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sqlite3
from datetime import timedelta
from typing import Any, Final

from agent.journal.journal import Journal, JournalUnavailableError
from agent.journal.rows import command, is_pending, move_report, update
from agent.reports.channel import (
    Booking,
    GiveUpError,
    Report,
    ReportChannel,
    RetryError,
    UnwantedError,
)
from agent.system.clock import Clock
from agent.system.events import Event, Events

__all__ = ["Reporter"]

log = logging.getLogger(__name__)

BACK_OFF_S: Final = (5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)
LOOK_EVERY_S: Final = 300.0  # at the journal, whether or not anybody woke us
RETRY_S: Final = 5.0  # after a journal that could not be written


class Reporter:
    """One instance for each channel; `run` delivers for ever."""

    def __init__(
        self, journal: Journal, clock: Clock, events: Events, channel: ReportChannel
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._events = events
        self._channel = channel
        self._wake = asyncio.Event()

    @property
    def name(self) -> str:
        """The channel's name."""
        return self._channel.name

    def wake(self) -> None:
        """Look again: a report was planned."""
        self._wake.set()

    async def run(self) -> None:
        """Deliver for ever, oldest first."""
        while True:
            self._wake.clear()
            try:
                wait_s = min(LOOK_EVERY_S, await self._round())
            except JournalUnavailableError:
                wait_s = RETRY_S
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()

    async def _round(self) -> float:
        """Deliver what is due; return after how many seconds to look again unless woken."""
        while True:
            due, next_s = await self._journal.read(self._due)
            if not due:
                if next_s is None:
                    return LOOK_EVERY_S
                return max(0.0, next_s - self._clock.elapsed())
            await self._channel.ready()
            # What cannot be booked is not told: it would be told again at every round.
            await self._journal.wait_writable()
            ends = await asyncio.gather(
                *(self._deliver(report) for report in due), return_exceptions=True
            )
            for end in ends:
                if isinstance(end, BaseException):
                    raise end

    def _due(self, db: sqlite3.Connection) -> tuple[list[Report], float | None]:
        """Return what is due now; where nothing is, when the next will be, by elapsed time."""
        rows = db.execute(
            "SELECT n, kind, created_at, attempts, elapsed() - elapsed_s, platform, reply_to,"
            " response, command, message, send FROM reports"
            " WHERE channel = ? AND state = 'pending' AND due_s <= elapsed()"
            " ORDER BY due_s, n LIMIT ?",
            (self._channel.name, self._channel.at_once),
        ).fetchall()
        if not rows:
            found = db.execute(
                "SELECT min(due_s) FROM reports WHERE channel = ? AND state = 'pending'",
                (self._channel.name,),
            ).fetchone()
            return [], found[0]
        return [_report(db, row) for row in rows], None

    async def _deliver(self, report: Report) -> None:
        try:
            also = await self._channel.deliver(report)
        except RetryError as error:
            await self._retry(report, error)
        except GiveUpError as error:
            await self._give_up(report, str(error))
        except UnwantedError:
            log.debug("report not wanted any more n=%d", report.n)
        else:
            await self._reported(report, also)

    async def _reported(self, report: Report, also: Booking | None) -> None:
        now = self._clock.wall()

        def work(db: sqlite3.Connection) -> bool:
            if also is not None:
                also(db)  # it has left the modem, whatever became of the report meanwhile
            if not is_pending(db, report.n):
                return False
            move_report(db, report.n, "report", {"finished_at": now, "error": ""})
            if report.command is not None and self._channel.name == "mqtt":
                # It got through: the SMS that would have told the same is not needed any more.
                db.execute(
                    "DELETE FROM reports WHERE command = ? AND kind = ? AND fallback = 1"
                    " AND state = 'pending'",
                    (report.command.n, report.kind),
                )
            return True

        # Lazy: lost in a power cut, the report is told twice, which it may be.
        if await self._journal.commit(work, lazy=True):
            self._tell(report, "reported", "")

    async def _retry(self, report: Report, error: RetryError) -> None:
        now = self._clock.wall()
        patience_s = self._channel.patience_s
        if patience_s is not None and report.waited_s > patience_s:
            await self._give_up(report, str(error), error.also)
            return
        after_s = error.after_s
        if after_s is None:
            after_s = BACK_OFF_S[min(report.attempts, len(BACK_OFF_S) - 1)]
        values = {
            "attempts": report.attempts + 1,
            "due_s": self._clock.elapsed() + after_s,
            "not_before": now + timedelta(seconds=after_s),
            "error": str(error),
        }

        def work(db: sqlite3.Connection) -> None:
            if error.also is not None:
                error.also(db)
            update(db, "reports", report.n, values)

        await self._journal.commit(work, lazy=error.also is None)

    async def _give_up(self, report: Report, detail: str, also: Booking | None = None) -> None:
        values = {"finished_at": self._clock.wall(), "error": detail}

        def work(db: sqlite3.Connection) -> bool:
            if also is not None:
                also(db)
            if not is_pending(db, report.n):
                return False
            move_report(db, report.n, "give_up", values)
            return True

        if await self._journal.commit(work):
            self._tell(report, "undeliverable", detail)

    def _tell(self, report: Report, state: str, detail: str) -> None:
        id_ = report.command.id if report.command else ""
        detail = detail or self._channel.name
        self._events.tell(Event(self._clock.wall(), "report", id=id_, state=state, detail=detail))


def _report(db: sqlite3.Connection, row: tuple[Any, ...]) -> Report:
    n, kind, created_at, attempts, waited_s, platform, reply_to, response = row[:8]
    of_command, of_message, of_send = row[8:]
    return Report(
        n=n,
        kind=kind,
        created_at=created_at,
        attempts=attempts,
        waited_s=waited_s,
        platform=platform,
        reply_to=reply_to,
        response=json.loads(response),
        command=command(db, of_command) if of_command is not None else None,
        message=_columns(db, "messages", of_message),
        send=_columns(db, "sends", of_send),
    )


def _columns(db: sqlite3.Connection, table: str, n: int | None) -> dict[str, Any] | None:
    if n is None:
        return None
    cursor = db.execute(f"SELECT * FROM {table} WHERE n = ?", (n,))  # noqa: S608 - our own names
    names = [column[0] for column in cursor.description]
    return dict(zip(names, cursor.fetchone(), strict=True))
