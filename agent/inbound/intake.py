"""The one door for every channel: a whole message in, its verdict and its rows in one commit."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from agent.inbound.evidence import cut_data, cut_text, joined
from agent.inbound.judge import Judge
from agent.inbound.message import Arrival
from agent.inbound.verdict import Accepted, Duplicate, Judgement, OfCommand, Rejected
from agent.journal.journal import Journal
from agent.journal.rows import command, insert
from agent.journal.states import COMMAND
from agent.journal.trace import encode
from agent.payload import signatures
from agent.reports.planner import Planner, Target
from agent.system.clock import Clock, boot_id
from agent.system.events import Event, Events

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
        text, data, detail = _kept(arrival, judgement)
        message = insert(
            db,
            "messages",
            {
                "received_at": arrival.received_at,
                "id": judgement.id or arrival.fingerprint or "",
                "channel": arrival.channel,
                "sender": arrival.sender,
                "platform": _platform(judgement),
                "sent_at": arrival.sent_at.isoformat() if arrival.sent_at else "",
                "text": text,
                "data": data,
                "verdict": judgement.verdict,
                "reason": judgement.reason,
                "detail": detail,
                "command": row,
                "trace": encode(judgement.trace),
            },
        )
        self._plan(db, arrival, judgement, message, row)
        for segment in segments:
            db.execute("UPDATE segments SET message = ? WHERE n = ?", (message, segment))
        if arrival.channel == "sms":
            self._planner.received(db, message, arrival.received_at)
        return Recorded(arrival, judgement, message, row)

    def announce(self, recorded: Recorded) -> None:
        """Tell what was committed, and wake whoever works on it."""
        judgement = recorded.judgement
        if recorded.arrival.sent_at is not None and self._judge.may_command(judgement):
            self._clock.tell_lower_bound(recorded.arrival.sent_at)
        self._events.tell(
            Event(
                at=recorded.arrival.received_at,
                kind="message",
                id=judgement.id,
                state=judgement.existing.state if isinstance(judgement, Duplicate) else "",
                verdict=judgement.verdict,
                reason=judgement.reason,
                detail=judgement.detail,
            )
        )
        if judgement.verdict == "accepted":
            self._wake()
        if judgement.verdict != "accepted" or self._planner.has_mqtt:
            self._wake_others()  # there is something to tell

    def _record_command(
        self, db: sqlite3.Connection, arrival: Arrival, judgement: Judgement
    ) -> int | None:
        if isinstance(judgement, Duplicate):
            return judgement.existing.n
        if not isinstance(judgement, OfCommand):
            return None
        state = "received"
        values = {**_of_command(arrival, judgement), "boot_id": boot_id()}
        if isinstance(judgement, Accepted):
            state = COMMAND.move(state, "accept")
            values |= self._of_accepted(judgement)
            if judgement.waits:
                state = COMMAND.move(state, "schedule")
            if judgement.claim.signer is not None:
                _claim(db, judgement.claim.signer)
        else:
            state = COMMAND.move(state, "reject")
            values["finished_at"] = arrival.received_at
        return insert(db, "commands", {**values, "state": state})

    def _of_accepted(self, judgement: Accepted) -> dict[str, object]:
        boottime, due_at, expires_s = None, judgement.due_at, None
        if judgement.expires_in_s is not None:
            expires_s = self._clock.elapsed() + judgement.expires_in_s
        if judgement.due_in_s is not None:
            boottime = self._clock.boottime() + judgement.due_in_s
            now = self._clock.trusted()
            # By the wall clock, a delay is due only where that can be told.
            due_at = None if now is None else now + timedelta(seconds=judgement.due_in_s)
        return {
            "space": judgement.space,
            "free": judgement.free,
            "due_at": due_at,
            "delay_s": judgement.due_in_s,
            "due_boottime": boottime,
            "expires_at": judgement.expires_at,
            "expires_s": expires_s,
            "next_boot": judgement.next_boot,
        }

    def _plan(
        self,
        db: sqlite3.Connection,
        arrival: Arrival,
        judgement: Judgement,
        message: int,
        row: int | None,
    ) -> None:
        """Plan what is told of a command that will not run because of this message."""
        if isinstance(judgement, Duplicate):
            claim = judgement.claim
            target = Target(
                arrival.channel,
                _platform(judgement),
                judgement.heard.reply_to,
                claim.route,
                arrival.response,
            )
            self._planner.duplicate(
                db,
                judgement.existing,
                target,
                message,
                arrival.received_at,
                silent=claim.silent,
            )
        elif isinstance(judgement, Rejected) and row is not None:
            self._planner.outcome(
                db, command(db, row), arrival.received_at, silent=judgement.claim.silent
            )


def _kept(arrival: Arrival, judgement: Judgement) -> tuple[str | None, bytes | None, str]:
    """Return text, data and detail as they are journalled: what nobody reads on is cut.

    The free text of an SMS is published, and never long.
    """
    text, data = judgement.heard.text, arrival.data
    text_whole = data_whole = ""
    if judgement.verdict == "rejected" or arrival.channel != "sms":
        if text is not None:
            text, text_whole = cut_text(text)
        if data is not None:
            data, data_whole = cut_data(data)
    return text, data, joined(judgement.detail, text_whole or data_whole)


def _platform(judgement: Judgement) -> str:
    return judgement.heard.platform.name if judgement.heard.platform else ""


def _of_command(arrival: Arrival, judgement: OfCommand) -> dict[str, object]:
    claim = judgement.claim
    return {
        "space": "",
        "id": claim.id,
        "command": claim.request.cmd if claim.request else "",
        "canonical": claim.canonical,
        "args": dict(claim.request.args) if claim.request else {},
        "reason": judgement.reason,
        "detail": judgement.detail,
        "channel": arrival.channel,
        "platform": _platform(judgement),
        "sender": arrival.sender,
        "reply_to": judgement.heard.reply_to,
        "route": claim.route,
        "response": dict(arrival.response),
        "key": claim.signer.key_id if claim.signer else None,
        "free": True,
        "received_at": arrival.received_at,
    }


def _claim(db: sqlite3.Connection, signer: signatures.Signer) -> None:
    """Claim a counter: the highest 64 of a key are kept."""
    used = [
        row[0] for row in db.execute("SELECT counter FROM counters WHERE key = ?", (signer.key_id,))
    ]
    kept = signatures.claim(signer.counter, used)
    db.execute("INSERT INTO counters VALUES (?, ?)", (signer.key_id, signer.counter))
    db.execute("DELETE FROM counters WHERE key = ? AND counter < ?", (signer.key_id, kept[0]))
