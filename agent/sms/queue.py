"""Sends what is queued in `sends`: what MQTT and the control socket ask for."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, TypeVar

from agent.journal.journal import Journal, JournalUnavailableError
from agent.journal.rows import IS_UNSENT, insert, move_send
from agent.modem.link import Link
from agent.reports.planner import Planner
from agent.sms.sender import NotSentError, Sending, prepare, references_column
from agent.system.clock import Clock
from agent.system.events import Event, Events

__all__ = ["SendQueue", "queue_send"]

T = TypeVar("T")

LOOK_EVERY_S: Final = 300.0  # at the journal, whether or not anybody woke us
LOOKED_AT: Final = 50  # queued SMS that are held against the budget at once
RETRY_S: Final = 5.0  # after a journal that could not be written
# After a failure: of one number for that number, of the link for all.
BACK_OFF_S: Final = (30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)
NUMBERS_FAILING: Final = 3  # so many one after the other: it is not the numbers
PATIENCE_S: Final = 72 * 3600.0  # how long an SMS is tried

_QUEUED: Final = f"{IS_UNSENT} AND state = 'queued'"
_UNDER_WAY: Final = f"SELECT n FROM sends WHERE {IS_UNSENT} AND state = 'sending'"  # noqa: S608 - our own
_NEXT_DUE: Final = f"SELECT min(due_s) FROM sends WHERE {_QUEUED}"  # noqa: S608 - our own
_DUE: Final = (
    f"SELECT *, elapsed() - elapsed_s AS waited_s FROM sends WHERE {_QUEUED}"  # noqa: S608 - our own
    " AND due_s <= elapsed() ORDER BY free, n LIMIT ?"
)
_WAIT: Final = f"UPDATE sends SET due_s = elapsed() + ? WHERE {_QUEUED} AND recipient = ?"  # noqa: S608 - our own


class SendQueue:
    """Sends the oldest SMS that is due and within the budget, one after the other."""

    def __init__(
        self,
        journal: Journal,
        link: Link,
        clock: Clock,
        events: Events,
        planner: Planner,
        sending: Sending,
        *,
        wake_others: Callable[[], None],
    ) -> None:
        self._journal = journal
        self._link = link
        self._clock = clock
        self._events = events
        self._planner = planner
        self._sending = sending
        self._wake_others = wake_others
        self._wake = asyncio.Event()
        self._paused_until_s = 0.0  # elapsed time: the link is in trouble
        self._pauses = 0  # since something was sent last
        self._failing: set[str] = set()  # numbers that failed since

    def wake(self) -> None:
        """Look again: an SMS was queued."""
        self._wake.set()

    async def run(self) -> None:
        """Send for ever. What was under way at a crash is `unknown`."""
        recovered = False
        while True:
            self._wake.clear()
            try:
                if not recovered:
                    await self._journal.commit(self._lose_interrupted)
                    recovered = True
                wait_s = min(LOOK_EVERY_S, await self.send_next())
            except JournalUnavailableError:
                wait_s = RETRY_S
            if wait_s == 0.0:
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()

    async def send_next(self) -> float:
        """Send the next SMS that may leave; return how long to wait before the one after it."""
        now_s = self._clock.elapsed()
        due_s = await self._journal.read(_next_due)
        if due_s is None:
            return LOOK_EVERY_S
        wait_s = max(self._paused_until_s, due_s) - now_s
        if wait_s > 0:
            return wait_s
        await self._link.wait_ready()
        async with self._sending.turn:
            row, wait_s = await self._journal.commit(self._claim)
            if row is None:
                return wait_s
            try:
                destination, parts = prepare(row["recipient"], _body(row))
                sent = await self._sending.send_parts(
                    destination, parts, want_report=bool(row["want_report"])
                )
            except NotSentError as error:
                await self._not_sent(row, error)
            else:
                self._pauses = 0
                self._failing.clear()
                values = {
                    "refs": references_column(sent.references),
                    "segments": len(sent.references),
                }
                await self._settle(row, "sent", values)
        return 0.0

    def _claim(self, db: sqlite3.Connection) -> tuple[dict[str, Any] | None, float]:
        """Take the oldest SMS that is due and within the budget, inside one transaction.

        Returns its row; where there is none, how long to wait.
        """
        waits: list[float] = []
        for row in _due(db):
            over = self._sending.over_budget(db, _segments(row), free=bool(row["free"]))
            if over is None:
                move_send(db, row["n"], "start")
                return row, 0.0
            if over.permanent:
                self._end(db, row["n"], "fail", {"error": str(over)})
                waits.append(0.0)
            elif over.after_s is not None:
                waits.append(over.after_s)
        return None, min(waits, default=LOOK_EVERY_S)

    async def _not_sent(self, row: dict[str, Any], error: NotSentError) -> None:
        values = {
            "error": str(error),
            "refs": references_column(error.references),
            "segments": len(error.references) + error.unknown,
        }
        if error.unknown:
            await self._settle(row, "lose", values)
        elif error.permanent or error.references or row["waited_s"] > PATIENCE_S:
            # With some segments gone a second try would tell a part of it twice.
            await self._settle(row, "fail", values)
        else:
            await self._retry_later(row, error)

    async def _retry_later(self, row: dict[str, Any], error: NotSentError) -> None:
        """Queue it again: trouble of one number holds up what goes there, that of the link all."""
        recipient, attempts = row["recipient"], row["attempts"] + (not error.of_link)
        if not error.of_link:
            self._failing.add(recipient)
        if error.of_link or len(self._failing) >= NUMBERS_FAILING:
            self._paused_until_s = self._clock.elapsed() + _back_off_s(self._pauses)
            self._pauses += 1
        after_s = 0.0 if error.of_link else _back_off_s(attempts - 1)

        def work(db: sqlite3.Connection) -> None:
            move_send(db, row["n"], "retry", {"error": str(error), "attempts": attempts})
            db.execute(
                _WAIT,
                (after_s, recipient),
            )

        await self._commit(work)

    async def _settle(self, row: dict[str, Any], trigger: str, values: dict[str, Any]) -> None:
        def announce(state: str) -> None:
            self._events.tell(Event(self._clock.wall(), "send", id=row["id"] or "", state=state))
            self._wake_others()

        await self._commit(lambda db: self._end(db, row["n"], trigger, values), then=announce)

    def _end(self, db: sqlite3.Connection, n: int, trigger: str, values: dict[str, Any]) -> str:
        now = self._clock.wall()
        state = move_send(db, n, trigger, {**values, "finished_at": now})
        self._planner.sent(db, n, now)
        return state

    def _lose_interrupted(self, db: sqlite3.Connection) -> None:
        for (n,) in db.execute(_UNDER_WAY).fetchall():
            self._end(db, n, "lose", {"error": "the agent ended while sending"})

    async def _commit(
        self,
        work: Callable[[sqlite3.Connection], T],
        *,
        then: Callable[[T], object] | None = None,
    ) -> None:
        """Commit as soon as the disk takes it: whatever left the modem is booked."""
        while True:
            try:
                await self._journal.commit(work, then=then)
            except JournalUnavailableError:
                await asyncio.sleep(RETRY_S)
            else:
                return


def queue_send(
    db: sqlite3.Connection,
    *,
    id_: str | None,
    recipient: str,
    body: str | bytes,
    now: datetime,
    want_report: bool = False,
    free: bool = False,
    command: int | None = None,
) -> int:
    """Queue one SMS inside the caller's transaction; wake the queue after the commit."""
    return insert(
        db,
        "sends",
        {
            "id": id_,
            "recipient": recipient,
            "text": body if isinstance(body, str) else None,
            "data": body if isinstance(body, bytes) else None,
            "want_report": want_report,
            "free": free,
            "state": "queued",
            "command": command,
            "created_at": now,
        },
    )


def _next_due(db: sqlite3.Connection) -> float | None:
    """Return when the next queued SMS is due, by elapsed time; None where none is queued."""
    found = db.execute(_NEXT_DUE).fetchone()
    return None if found[0] is None else float(found[0])


def _due(db: sqlite3.Connection) -> list[dict[str, Any]]:
    """Return the SMS that are due, oldest first; those that share a quarter of the budget last."""
    cursor = db.execute(
        _DUE,
        (LOOKED_AT,),
    )
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, values, strict=True)) for values in cursor]


def _body(row: dict[str, Any]) -> str | bytes:
    body: str | bytes = row["text"] if row["text"] is not None else row["data"]
    return body


def _segments(row: dict[str, Any]) -> int:
    """Return what a queued SMS costs; 1 for what will turn out not to be sendable."""
    try:
        return len(prepare(row["recipient"], _body(row))[1])
    except NotSentError:
        return 1


def _back_off_s(failures: int) -> float:
    return BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)]
