"""Delivery reports, matched to the SMS they are about."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from agent.journal.rows import move_send, update
from agent.payload.platforms import identity
from agent.reports.planner import Planner
from agent.system.clock import from_iso
from at import sms

__all__ = ["match"]

MATCHED_WITHIN_S: Final = 7 * 86400.0  # TP-MR wraps at 256: older ones are other messages
SUBMITTED_WITHIN: Final = timedelta(minutes=10)  # between our sending and the centre's stamp
ALIKE_DIGITS: Final = 7  # subscriber numbers without area code and trunk prefix
# TP-ST (TS 23.040 9.2.3.15): below the first received, below the second still trying, else failed.
STILL_TRYING: Final = 0x20
FAILED: Final = 0x40


@dataclass(frozen=True, slots=True)
class _Open:
    """An SMS that asked for delivery reports and waits for the one with this TP-MR."""

    n: int
    id: str | None
    recipient: str
    sent_at: datetime
    segments: list[dict[str, Any]]
    segment: int  # which of them

    def is_near(self, report: sms.StatusReport) -> bool:
        """Whether the network took it when we sent it, as far as the wall clock can tell."""
        taken = report.timestamp.time
        return taken is not None and abs(taken - self.sent_at) < SUBMITTED_WITHIN


def match(db: sqlite3.Connection, report: sms.StatusReport, now: datetime, planner: Planner) -> str:
    """Note a delivery report at what was sent, inside the caller's transaction.

    Networks write the recipient in another form than it was sent to (national, international,
    with 00): then the last digits decide, and the time where several fit; who is not told apart
    is not guessed. Returns the id of the request it belongs to, or what is known of it.
    """
    recipient = identity(str(report.recipient))
    waiting = _waiting(db, report.reference)
    found = [one for one in waiting if identity(one.recipient) == recipient][:1]
    if not found:
        alike = [one for one in waiting if _alike(one.recipient, recipient)]
        found = alike if len(alike) == 1 else [one for one in alike if one.is_near(report)]
    if len(found) != 1:
        return "of no message sent here" if not found else "of one of several messages sent here"
    (sent,) = found
    sent.segments[sent.segment]["status"] = report.status
    _note(db, sent.n, sent.segments, now, planner)
    return str(sent.id or f"send {sent.n}")


def _waiting(db: sqlite3.Connection, reference: int) -> list[_Open]:
    """Return what waits for a report with this TP-MR, newest first."""
    rows = db.execute(
        "SELECT n, id, recipient, finished_at, refs FROM sends"
        " WHERE state IN ('sent', 'unknown') AND want_report = 1"
        " AND elapsed_s > elapsed() - ? ORDER BY elapsed_s DESC, n DESC",
        (MATCHED_WITHIN_S,),
    )
    waiting = []
    for n, id_, recipient, finished_at, refs in rows:
        segments = json.loads(refs)
        for place, segment in enumerate(segments):
            if segment["reference"] == reference and _is_open(segment["status"]):
                waiting.append(_Open(n, id_, recipient, from_iso(finished_at), segments, place))
                break
    return waiting


def _alike(number: str, other: str) -> bool:
    """Whether two numbers may be of one subscriber: prefixes differ, the last digits do not."""
    ends = [one[-ALIKE_DIGITS:] for one in (number, other)]
    return ends[0] == ends[1] and len(ends[0]) == ALIKE_DIGITS and ends[0].isdecimal()


def _is_open(status: int | None) -> bool:
    return status is None or STILL_TRYING <= status < FAILED


def _note(
    db: sqlite3.Connection, n: int, entries: list[dict[str, Any]], now: datetime, planner: Planner
) -> None:
    statuses = [entry["status"] for entry in entries]
    failed = [status for status in statuses if status is not None and status >= FAILED]
    if failed:
        values = {"refs": entries, "error": f"TP-ST 0x{failed[0]:02X}"}
        move_send(db, n, "fail", values)
    elif all(status is not None and status < STILL_TRYING for status in statuses):
        move_send(db, n, "deliver", {"refs": entries})
    else:
        update(db, "sends", n, {"refs": entries})
        return
    planner.sent(db, n, now)
