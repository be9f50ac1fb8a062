"""The SMS channel: an outcome as one line to the platform's address."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from agent.journal.rows import CommandRow, is_pending
from agent.modem.link import Link
from agent.payload.platforms import Platform
from agent.reports.channel import Booking, GiveUpError, Report, RetryError, UnwantedError
from agent.reports.reply import compose_error, compose_ok, compose_waiting
from agent.sms.sender import NotSentError, Sending
from agent.system.clock import from_iso

__all__ = ["SmsChannel", "compose"]

PATIENCE: Final = timedelta(hours=72)


class SmsChannel:
    """Sends replies through `Sending`. platforms: the configured rows by name."""

    name = "sms"
    at_once = 1
    patience_s: float | None = PATIENCE.total_seconds()

    def __init__(self, sending: Sending, link: Link, platforms: Mapping[str, Platform]) -> None:
        self._sending = sending
        self._link = link
        self._platforms = platforms

    async def ready(self) -> None:
        """Return once the modem can send."""
        await self._link.wait_ready()

    async def deliver(self, report: Report) -> Booking | None:
        """Send one reply; the function returned books it. Raises as ReportChannel says."""
        row = report.command
        if row is None or not report.reply_to:
            raise GiveUpError("no address to reply to")
        # A message can be repeated by whoever once saw it: telling that again has a small budget.
        free = row.free or report.kind == "duplicate"
        platform = self._platforms.get(report.platform)
        allowed = self._sending.most_segments(free=free)
        if allowed == 0:
            raise GiveUpError("the SMS budget is 0")
        max_segments = min(platform.max_segments if platform else 1, allowed)
        text = compose(row, repeated=report.kind == "duplicate", max_segments=max_segments)
        references: tuple[int, ...]
        failure: NotSentError | None = None
        try:
            sent = await self._sending.transmit(
                report.reply_to,
                text,
                max_segments=max_segments,
                free=free,
                wanted=lambda db: is_pending(db, report.n),
            )
            references = sent.references
        except NotSentError as error:
            if error.unwanted:
                raise UnwantedError(str(error)) from error
            if error.permanent:
                raise GiveUpError(str(error)) from error
            if not error.unknown and not error.references:
                raise RetryError(str(error), error.after_s) from error
            failure, references = error, error.references

        trigger = "sent" if failure is None else "lose" if failure.unknown else "fail"

        def book(db: sqlite3.Connection) -> None:
            self._sending.record(
                db,
                report.reply_to,
                text,
                references=references,
                trigger=trigger,
                command=row.n,
                free=free,
            )

        if failure is not None:
            # It carries the id, so telling it twice does no harm; not telling it would.
            raise RetryError(str(failure), also=book)
        return book


def compose(row: CommandRow, *, repeated: bool = False, max_segments: int = 1) -> str:
    """Compose the reply line of a command as it stands now."""
    if row.state == "succeeded":
        return compose_ok(row.id, row.result, repeated=repeated, max_segments=max_segments)
    if row.finished_at is not None:
        return compose_error(
            row.id,
            row.reason or "error",
            row.detail,
            refused=row.state == "rejected",
            repeated=repeated,
            max_segments=max_segments,
        )
    due = from_iso(row.due_at) if row.due_at and row.state == "scheduled" else None
    state = "running" if row.state == "running" else "scheduled"
    return compose_waiting(row.id, state, due, max_segments=max_segments)
