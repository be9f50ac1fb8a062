"""Delivery reports, matched to the SMS they are about."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime
from typing import Any, Final

from agent.platforms import identity
from agent.reports import Planner
from agent.rows import move_send, update
from at import sms

__all__ = ["match"]

MATCHED_WITHIN_S: Final = 7 * 86400.0  # TP-MR wraps at 256: older ones are other messages
# TP-ST (TS 23.040 9.2.3.15): below the first received, below the second still trying, else failed.
STILL_TRYING: Final = 0x20
FAILED: Final = 0x40


def match(db: sqlite3.Connection, report: sms.StatusReport, now: datetime, planner: Planner) -> str:
    """Note a delivery report at what was sent, inside the caller's transaction.

    Returns the id of the request it belongs to, or what is known of it.
    """
    recipient = identity(str(report.recipient))
    rows = db.execute(
        "SELECT n, id, recipient, refs FROM sends WHERE state IN ('sent', 'unknown')"
        " AND elapsed_s > elapsed() - ? ORDER BY n DESC",
        (MATCHED_WITHIN_S,),
    ).fetchall()
    for n, id_, to, refs in rows:
        if identity(to) != recipient:
            continue
        entries = json.loads(refs)
        for entry in entries:
            if entry["reference"] == report.reference and _is_open(entry["status"]):
                entry["status"] = report.status
                _note(db, n, entries, now, planner)
                return str(id_ or f"send {n}")
    return "of no message sent here"


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
