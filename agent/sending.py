"""Every SMS that leaves: budget, segments, unknown outcome, receipts."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import secrets
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from agent import sms_budget
from agent.clock import Clock
from agent.config import BudgetConfig
from agent.events import Event, Events
from agent.journal import Journal, JournalUnavailableError
from agent.link import Link
from agent.machines import SEND
from agent.pulse import Pulse
from agent.reports import Planner
from agent.rows import insert, move_send
from at import sms
from at.errors import AtError, CommandError, EncodeError, SendUnknownError

__all__ = ["NotSentError", "Sending", "Sent", "queue_send"]

log = logging.getLogger(__name__)

SEGMENTS_MAX: Final = 10  # of a requested SMS; a report's limit is its platform's
SEND_WITHIN_S: Final = 900.0  # the driver itself gives up after minutes
RETRY_S: Final = 30.0
NETWORK_CAUSES: Final = 256  # +CMS ERROR: 0-255 are the network's
PATIENCE: Final = timedelta(hours=72)  # how long a requested SMS is tried


@dataclass(frozen=True, slots=True)
class Sent:
    """An SMS that the network took: a TP-MR for each segment, in order."""

    references: tuple[int, ...]


class NotSentError(Exception):
    """An SMS that did not leave, or may not have.

    references: of the segments that did. unknown: the outcome of the next one cannot be known.
    after_s: when to try again, None: the caller's own back-off. permanent: trying is no use.
    """

    def __init__(
        self,
        reason: str,
        *,
        references: tuple[int, ...] = (),
        permanent: bool = False,
        unknown: bool = False,
        after_s: float | None = None,
    ) -> None:
        super().__init__(reason)
        self.references = references
        self.permanent = permanent
        self.unknown = unknown
        self.after_s = after_s


class Sending:
    """Owns the way out. One message at a time: the modem has one mouth."""

    def __init__(
        self,
        journal: Journal,
        link: Link,
        clock: Clock,
        events: Events,
        planner: Planner,
        budget: BudgetConfig,
        *,
        pulse: Pulse,
        wake_others: Callable[[], None],
    ) -> None:
        self._journal = journal
        self._link = link
        self._clock = clock
        self._events = events
        self._planner = planner
        self._budget = budget
        self._pulse = pulse
        self._wake_others = wake_others
        self._one = asyncio.Lock()
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Look again: an SMS was queued."""
        self._wake.set()

    async def transmit(
        self,
        recipient: str,
        body: str | bytes,
        *,
        max_segments: int = SEGMENTS_MAX,
        free: bool = False,
        want_report: bool = False,
    ) -> Sent:
        """Send one SMS now; `record` then books it.

        Raises NotSentError, also where the budget is spent (after_s says when it is not).
        """
        destination, parts = _prepared(recipient, body, max_segments)
        wait = functools.partial(self._over_budget, segments=len(parts), free=free)
        over = await self._journal.read(wait)
        if over is not None:
            raise over
        return await self._send_parts(destination, parts, want_report=want_report)

    async def _send_parts(
        self, destination: sms.Address, parts: Sequence[sms.UserData], *, want_report: bool
    ) -> Sent:
        async with self._one:
            references: list[int] = []
            for number, part in enumerate(parts, 1):
                submit = sms.Submit(
                    destination=destination, user_data=part, status_report_request=want_report
                )
                try:
                    messages = await self._link.messages()
                    with self._pulse.during("sending", SEND_WITHIN_S):
                        references.append(await messages.send(submit, more=number < len(parts)))
                except AtError as error:
                    self._link.suspect(error)
                    raise _not_sent(error, tuple(references)) from error
        return Sent(tuple(references))

    def _over_budget(
        self, db: sqlite3.Connection, segments: int, *, free: bool
    ) -> NotSentError | None:
        """Return the error that says how long the budget is spent; None where it is not."""
        over = sms_budget.over(db, self._budget, segments, free=free)
        return None if over is None else NotSentError(over.reason, after_s=over.after_s)

    async def run(self) -> None:
        """Send what is queued in `sends`, for ever. What was under way at a crash is `unknown`."""
        recovered = False
        while True:
            self._wake.clear()
            try:
                if not recovered:
                    await self._journal.commit(self._lose_interrupted)
                    recovered = True
                wait_s = await self._send_next()
            except JournalUnavailableError:
                wait_s = RETRY_S
            if wait_s == 0.0:
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()

    def _lose_interrupted(self, db: sqlite3.Connection) -> None:
        now = self._clock.wall()
        for (n,) in db.execute("SELECT n FROM sends WHERE state = 'sending'").fetchall():
            move_send(db, n, "lose", {"error": "the agent ended while sending", "finished_at": now})
            self._planner.sent(db, n, now)

    async def _send_next(self) -> float | None:
        """Send the oldest queued SMS; return seconds to wait before the next, None: when woken."""
        if await self._journal.read(_next_queued) is None:
            return None
        await self._link.wait_ready()
        row, over = await self._journal.commit(self._claim)
        if over is not None:
            return over.after_s
        if row is None:
            return None
        try:
            sent = await self._send_row(row)
        except NotSentError as error:
            return await self._not_sent(row, error)
        values = {"refs": _references(sent.references), "segments": len(sent.references)}
        await self._settle(row, "sent", values)
        return 0.0

    def _claim(self, db: sqlite3.Connection) -> tuple[dict[str, Any] | None, NotSentError | None]:
        """Take the oldest queued SMS where the budget allows it, inside one transaction."""
        row = _next_queued(db)
        if row is None:
            return None, None
        over = self._over_budget(db, _segments(row), free=bool(row["free"]))
        if over is not None:
            return None, over
        move_send(db, row["n"], "start")
        return row, None

    async def _send_row(self, row: dict[str, Any]) -> Sent:
        destination, parts = _prepared(row["recipient"], _body(row))
        return await self._send_parts(destination, parts, want_report=bool(row["want_report"]))

    async def _not_sent(self, row: dict[str, Any], error: NotSentError) -> float:
        values = {
            "error": str(error),
            "refs": _references(error.references),
            "segments": len(error.references) + error.unknown,
        }
        created_at = datetime.fromisoformat(row["created_at"])
        late = self._clock.wall() - created_at > PATIENCE
        if error.unknown:
            await self._settle(row, "lose", values)
        elif error.permanent or error.references or late:
            # With some segments gone a second try would tell a part of it twice.
            await self._settle(row, "fail", values)
        else:
            await self._journal.commit(
                lambda db: move_send(db, row["n"], "retry", {"error": str(error)})
            )
            return error.after_s or RETRY_S
        return 0.0

    async def _settle(self, row: dict[str, Any], trigger: str, values: dict[str, Any]) -> None:
        now = self._clock.wall()

        def work(db: sqlite3.Connection) -> str:
            state = move_send(db, row["n"], trigger, {**values, "finished_at": now})
            self._planner.sent(db, row["n"], now)
            return state

        state = await self._journal.commit(work)
        self._events.tell(Event(now, "send", id=row["id"] or "", state=state))
        self._wake_others()

    def record(
        self,
        db: sqlite3.Connection,
        recipient: str,
        text: str,
        *,
        references: tuple[int, ...],
        trigger: str,
        command: int,
        free: bool,
    ) -> None:
        """Book an SMS that carried a report, inside the caller's transaction.

        trigger: how machines.SEND ends it: "sent", "lose", or "fail" where only a part has left.
        """
        now = self._clock.wall()
        values = {
            "recipient": recipient,
            "text": text,
            "state": SEND.move(SEND.move("queued", "start"), trigger),
            "segments": len(references) + (trigger == "lose"),
            "refs": _references(references),
            "free": free,
            "command": command,
            "created_at": now,
            "finished_at": now,
        }
        insert(db, "sends", values)


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
    """Queue one SMS inside the caller's transaction; wake `Sending` after the commit."""
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


def _prepared(
    recipient: str, body: str | bytes, max_segments: int = SEGMENTS_MAX
) -> tuple[sms.Address, Sequence[sms.UserData]]:
    """Return what goes on the air. Raises NotSentError for what cannot."""
    try:
        destination = sms.Address.number(recipient)
        parts = sms.segment(body, reference=secrets.randbelow(256), max_segments=max_segments)
    except EncodeError as error:
        raise NotSentError(str(error), permanent=True) from error
    return destination, parts


def _body(row: dict[str, Any]) -> str | bytes:
    body: str | bytes = row["text"] if row["text"] is not None else row["data"]
    return body


def _segments(row: dict[str, Any]) -> int:
    """Return what a queued SMS costs; 1 for what will turn out not to be sendable."""
    try:
        return len(_prepared(row["recipient"], _body(row))[1])
    except NotSentError:
        return 1


def _references(references: tuple[int, ...]) -> list[dict[str, int | None]]:
    return [{"reference": reference, "status": None} for reference in references]


def _next_queued(db: sqlite3.Connection) -> dict[str, Any] | None:
    cursor = db.execute("SELECT * FROM sends WHERE state = 'queued' ORDER BY n LIMIT 1")
    values = cursor.fetchone()
    if values is None:
        return None
    return dict(zip((column[0] for column in cursor.description), values, strict=True))


def _not_sent(error: AtError, references: tuple[int, ...]) -> NotSentError:
    if isinstance(error, SendUnknownError):
        return NotSentError(str(error), references=references, unknown=True)
    if isinstance(error, CommandError):
        return NotSentError(str(error), references=references, permanent=_is_refused(error))
    if isinstance(error, EncodeError):
        return NotSentError(str(error), references=references, permanent=True)
    return NotSentError(str(error), references=references)


def _is_refused(error: CommandError) -> bool:
    """Whether the network refused this very message (RP and TP causes, TS 27.005 3.2.5).

    Whatever else the modem complains of, its SIM or its own state, may be mended meanwhile.
    """
    of_network = error.domain == "CMS" and error.code is not None and error.code < NETWORK_CAUSES
    return of_network and error.temporary is False
