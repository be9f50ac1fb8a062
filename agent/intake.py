"""The one door for every channel: a whole message in, its verdict and its rows in one commit."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent import security
from agent.arrival import Arrival
from agent.clock import Clock, boot_id
from agent.events import Event, Events
from agent.journal import Journal
from agent.judging import Judge, Judgement
from agent.machines import COMMAND
from agent.reports import Planner, Target
from agent.rows import command, insert

__all__ = ["Intake", "Recorded"]


@dataclass(frozen=True, slots=True)
class Recorded:
    """A message that is on disk: message and command are row numbers."""

    arrival: Arrival
    judgement: Judgement
    message: int
    command: int | None


class Intake:
    """Judges and journals whole messages.

    wake: called when a command was accepted; wake_others: when there is something to tell.
    """

    def __init__(
        self,
        journal: Journal,
        judge: Judge,
        planner: Planner,
        clock: Clock,
        events: Events,
        wake: Callable[[], None],
        wake_others: Callable[[], None],
    ) -> None:
        self._journal = journal
        self._judge = judge
        self._planner = planner
        self._clock = clock
        self._events = events
        self._wake = wake
        self._wake_others = wake_others

    async def admit(self, arrival: Arrival) -> Recorded:
        """Judge and commit one message; when this returns it may be acknowledged."""
        return await self._journal.commit(lambda db: self.record(db, arrival), then=self.announce)

    def record(
        self, db: sqlite3.Connection, arrival: Arrival, segments: Sequence[int] = ()
    ) -> Recorded:
        """Judge a message and write its rows inside the caller's transaction.

        segments: the rows of its parts. After the commit: `announce`.
        """
        judgement = self._judge.judge(db, arrival)
        row = self._record_command(db, arrival, judgement)
        message = insert(
            db,
            "messages",
            {
                "received_at": arrival.received_at,
                "id": judgement.id or arrival.fingerprint or "",
                "channel": arrival.channel,
                "sender": arrival.sender,
                "platform": judgement.platform.name if judgement.platform else "",
                "sent_at": arrival.sent_at.isoformat() if arrival.sent_at else "",
                "text": judgement.text,
                "data": arrival.data,
                "verdict": judgement.verdict,
                "reason": judgement.reason,
                "detail": judgement.detail,
                "command": row,
            },
        )
        for segment in segments:
            db.execute("UPDATE segments SET message = ? WHERE n = ?", (message, segment))
        if arrival.channel == "sms":
            self._planner.received(db, message, arrival.received_at)
        return Recorded(arrival, judgement, message, row)

    def announce(self, recorded: Recorded) -> None:
        """Tell what was committed, and wake whoever works on it."""
        judgement = recorded.judgement
        if recorded.arrival.channel == "sms" and recorded.arrival.sent_at is not None:
            self._clock.tell_lower_bound(recorded.arrival.sent_at)
        self._events.tell(
            Event(
                at=recorded.arrival.received_at,
                kind="message",
                id=judgement.id,
                state=judgement.existing.state if judgement.existing else "",
                verdict=judgement.verdict,
                reason=judgement.reason,
                detail=judgement.detail,
            )
        )
        if judgement.verdict == "accepted":
            self._wake()
        if judgement.verdict != "accepted" or self._planner.has_mqtt:
            self._wake_others()  # there is something to tell

    def _due_at(self, judgement: Judgement) -> datetime | None:
        """Return when it is due by the wall clock: of a delay only where that can be told."""
        now = self._clock.trusted()
        if judgement.due_in_s is not None and now is not None:
            return now + timedelta(seconds=judgement.due_in_s)
        return judgement.due_at

    def _record_command(
        self, db: sqlite3.Connection, arrival: Arrival, judgement: Judgement
    ) -> int | None:
        if judgement.verdict == "duplicate" and judgement.existing is not None:
            existing = judgement.existing
            target = Target(
                arrival.channel,
                judgement.platform.name if judgement.platform else "",
                judgement.reply_to,
                judgement.route,
                arrival.response,
            )
            self._planner.duplicate(
                db, existing, target, arrival.received_at, silent=judgement.silent
            )
            return existing.n
        if judgement.verdict not in ("accepted", "rejected") or not judgement.id:
            return None
        accepted = judgement.verdict == "accepted"
        state = COMMAND.move("received", "accept" if accepted else "reject")
        waits = (
            judgement.due_at is not None or judgement.due_in_s is not None or judgement.next_boot
        )
        if accepted and waits:
            state = COMMAND.move(state, "schedule")
        n = insert(
            db,
            "commands",
            {
                **_of_request(arrival, judgement),
                "state": state,
                "reason": judgement.reason,
                "detail": judgement.detail,
                "received_at": arrival.received_at,
                "due_at": self._due_at(judgement),
                "delay_s": judgement.due_in_s,
                "due_boottime": (
                    None
                    if judgement.due_in_s is None
                    else self._clock.boottime() + judgement.due_in_s
                ),
                "expires_at": judgement.expires_at,
                "next_boot": judgement.next_boot,
                "boot_id": boot_id(),
                "finished_at": None if accepted else arrival.received_at,
            },
        )
        if judgement.signer is not None and accepted:
            _claim(db, judgement.signer)
        if not accepted:
            row = command(db, n)
            self._planner.outcome(db, row, arrival.received_at, silent=judgement.silent)
        return n


def _of_request(arrival: Arrival, judgement: Judgement) -> dict[str, object]:
    request = judgement.request
    return {
        "space": judgement.space,
        "id": judgement.id,
        "command": request.cmd if request else "",
        "canonical": judgement.canonical,
        "args": dict(request.args) if request else {},
        "channel": arrival.channel,
        "platform": judgement.platform.name if judgement.platform else "",
        "sender": arrival.sender,
        "reply_to": judgement.reply_to,
        "route": judgement.route,
        "response": dict(arrival.response),
        "key": judgement.signer.key_id if judgement.signer else None,
        "free": judgement.free,
    }


def _claim(db: sqlite3.Connection, signer: security.Signer) -> None:
    """Claim a counter: the highest 64 of a key are kept."""
    used = [
        row[0] for row in db.execute("SELECT counter FROM counters WHERE key = ?", (signer.key_id,))
    ]
    kept = security.claim(signer.counter, used)
    db.execute("INSERT INTO counters VALUES (?, ?)", (signer.key_id, signer.counter))
    db.execute("DELETE FROM counters WHERE key = ? AND counter < ?", (signer.key_id, kept[0]))
