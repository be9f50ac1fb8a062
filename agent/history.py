"""What the journal tells of received messages: lists of them, and the road of each."""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from agent.clock import iso

__all__ = ["Filters", "Key", "details", "find", "road", "selected"]

Item = dict[str, Any]

LIMIT_MAX: Final = 10_000  # items of one answer; whoever wants more asks by time

# A message; or a part that no message has taken up yet; or a part that had been there before.
_KEYS: Final = """
SELECT 'message' AS kind, m.n AS n, m.received_at AS received_at
  FROM messages m LEFT JOIN commands c ON c.n = m.command
 WHERE {messages}
UNION ALL
SELECT 'part', s.n, s.received_at FROM segments s
 WHERE (s.verdict = 'repeat' OR (s.verdict = 'part' AND s.message IS NULL)) AND {parts}
 ORDER BY received_at DESC, kind, n DESC LIMIT :limit
"""
_STATE: Final = """(c.state = :state OR :state IN
(SELECT r.state FROM reports r WHERE r.message = m.n OR r.command = m.command))"""
_DIGITS: Final = "ltrim({column}, '+') = ltrim(:sender, '+')"


@dataclass(frozen=True, slots=True)
class Filters:
    """Which messages; None: any. until is exclusive; sender is compared without a leading "+".

    id: the command's or the message's; command: its name; state: of the command or of one of its
    reports. limit: the newest so many.
    """

    since: datetime | None = None
    until: datetime | None = None
    sender: str | None = None
    channel: str | None = None
    state: str | None = None
    verdict: str | None = None
    id: str | None = None
    command: str | None = None
    message: int | None = None
    limit: int = 20


@dataclass(frozen=True, slots=True)
class Key:
    """Where an item stands: kind is "message" or "part", n the row's number."""

    kind: str
    n: int


def find(db: sqlite3.Connection, filters: Filters) -> list[Key]:
    """Return the items that match, oldest first."""
    messages, parts = ["1"], ["1"]
    values: dict[str, Any] = {"limit": max(1, min(filters.limit, LIMIT_MAX))}
    for name, both in (
        ("since", "{t}.received_at >= :since"),
        ("until", "{t}.received_at < :until"),
        ("verdict", "{t}.verdict = :verdict"),
    ):
        value = getattr(filters, name)
        if value is not None:
            values[name] = iso(value) if isinstance(value, datetime) else value
            messages.append(both.format(t="m"))
            parts.append(both.format(t="s"))
    if filters.sender is not None:
        values["sender"] = filters.sender
        messages.append(_DIGITS.format(column="m.sender"))
        parts.append(_DIGITS.format(column="s.sender"))
    if filters.channel is not None:
        values["channel"] = filters.channel
        messages.append("m.channel = :channel")
        parts.append("'sms' = :channel")
    for name, condition in (
        ("id", "(m.id = :id OR c.id = :id)"),
        ("command", "c.command = :command"),
        ("message", "m.n = :message"),
        ("state", _STATE),
    ):
        value = getattr(filters, name)
        if value is not None:
            values[name] = value
            messages.append(condition)
            parts.append("0")
    sql = _KEYS.format(messages=" AND ".join(messages), parts=" AND ".join(parts))
    return [Key(kind, n) for kind, n, _ in db.execute(sql, values)][::-1]


def selected(db: sqlite3.Connection, filters: Filters, *, at_once: int = 100) -> Iterator[Item]:
    """Yield the items that match, oldest first, read `at_once` at a time."""
    keys = find(db, filters)
    for start in range(0, len(keys), at_once):
        yield from details(db, keys[start : start + at_once])


def details(db: sqlite3.Connection, keys: Sequence[Key]) -> list[Item]:
    """Return the items in full; one that is gone meanwhile is left out."""
    found = (_message(db, key.n) if key.kind == "message" else _part(db, key.n) for key in keys)
    return [item for item in found if item is not None]


def _dicts(db: sqlite3.Connection, sql: str, *values: object) -> list[dict[str, Any]]:
    cursor = db.execute(sql, values)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def _message(db: sqlite3.Connection, n: int) -> Item | None:
    for row in _dicts(db, "SELECT * FROM messages WHERE n = ?", n):
        command = row.pop("command")
        return {
            "kind": "message",
            **_body(row),
            "command": None if command is None else _command(db, command),
            "reports": _reports(db, n, command, row["verdict"]),
            "parts": _dicts(
                db,
                "SELECT n, received_at, sent_at, sequence, total, flags FROM segments"
                " WHERE message = ? ORDER BY sequence",
                n,
            ),
        }
    return None


def _body(row: dict[str, Any]) -> Item:
    data = row.pop("data")
    encoded = None if data is None else base64.b64encode(data).decode("ascii")
    return {**row, "data": encoded}


def _part(db: sqlite3.Connection, n: int) -> Item | None:
    sql = (
        "SELECT n, received_at, sent_at, sender, reference, sequence, total, verdict, flags"
        " FROM segments WHERE n = ?"
    )
    for row in _dicts(db, sql, n):
        return {
            "kind": "part",
            **row,
            "id": "",
            "channel": "sms",
            "platform": "",
            "text": None,
            "data": None,
            "reason": "",
            "detail": f"{row['sequence']} of {row['total']}",
            "command": None,
            "reports": [],
            "parts": [],
        }
    return None


_COMMAND: Final = (
    "SELECT n, id, command, args, state, reason, detail, result, route, reply_to, key, received_at,"
    " due_at, delay_s, next_boot, expires_at, started_at, finished_at FROM commands WHERE n = ?"
)


def _command(db: sqlite3.Connection, n: int) -> Item | None:
    for row in _dicts(db, _COMMAND, n):
        row["args"], row["result"] = json.loads(row["args"]), json.loads(row["result"])
        row["next_boot"] = bool(row["next_boot"])
        return row
    return None


_REPORTS: Final = (
    "SELECT kind, channel, state, created_at, not_before, fallback, attempts, error, finished_at"
    " FROM reports WHERE {which} ORDER BY n"
)


def _reports(db: sqlite3.Connection, message: int, command: int | None, verdict: str) -> list[Item]:
    """Return what had to be told of a message; of a command's, what its own outcome asked for."""
    found = _dicts(db, _REPORTS.format(which="message = ?"), message)
    if command is not None:
        kind = "duplicate" if verdict == "duplicate" else "result"
        found += _dicts(db, _REPORTS.format(which="command = ? AND kind = ?"), command, kind)
    for report in found:
        report["fallback"] = bool(report["fallback"])
    return found


# ---- the road of one message ----------------------------------------------------------------


def road(db: sqlite3.Connection, item: Item) -> list[Item]:
    """Return the steps an item took, in order of time: {"at", "step", "text"} each.

    at: ISO 8601, None for what is not known to have a time. step: one word.
    """
    steps = _arrival(item)
    if item["kind"] == "part":
        return steps
    steps.append(_step(item["received_at"], "verdict", _joined(item, "verdict")))
    command = item["command"]
    since = ""
    if command is not None and item["verdict"] == "duplicate":
        since = item["received_at"]
        text = (
            f"repeats {_name(command)}, received {command['received_at']}: "
            f"{_joined(command, 'state')}"
        )
        steps.append(_step(since, "duplicate", text))
    elif command is not None:
        steps += _life(command)
        steps += _repeats(db, item["n"], command["n"])
    for report in item["reports"]:
        steps += _told(report)
    if command is not None:
        steps += _sent(db, command["n"], since)
    return sorted(steps, key=lambda step: step["at"] or "")


def _step(at: str | None, step: str, text: str) -> Item:
    return {"at": at, "step": step, "text": text}


def _joined(row: Item, first: str) -> str:
    words = [row[first], row.get("reason"), row.get("detail")]
    return " ".join(word for word in words if word)


def _arrival(item: Item) -> list[Item]:
    sender = f" from {item['sender']}" if item["sender"] else ""
    if item["kind"] == "part":
        text = f"part {item['detail']}{sender}: {item['verdict']}"
        if item["verdict"] == "part":
            text += ", waits for the others"
        return [_step(item["received_at"], "received", text)]
    steps = []
    if item["sent_at"]:
        at = iso(datetime.fromisoformat(item["sent_at"]))
        steps.append(_step(at, "sent", "time stamp of the service centre"))
    for part in item["parts"]:
        of = f"part {part['sequence']} of {part['total']}" if part["total"] > 1 else "message"
        flags = f" (flags: {part['flags']})" if part["flags"] else ""
        steps.append(_step(part["received_at"], "received", f"{of}{sender} by sms{flags}"))
    if not item["parts"]:
        text = f"message{sender} by {item['channel']}"
        steps.append(_step(item["received_at"], "received", text))
    if item["platform"]:
        text = f"{item['sender']} is platform {item['platform']}"
        steps.append(_step(item["received_at"], "platform", text))
    return steps


def _life(command: Item) -> list[Item]:
    name = _name(command)
    steps = []
    if command["state"] != "rejected":
        signed = f", signed with key {command['key']}" if command["key"] is not None else ""
        steps.append(_step(command["received_at"], "accepted", f"{name}{signed}"))
    due = _due(command)
    if due:
        steps.append(_step(command["received_at"], "scheduled", due))
    if command["started_at"]:
        steps.append(_step(command["started_at"], "running", name))
    if command["finished_at"] and command["state"] != "rejected":
        told = ", ".join(f"{key}={value}" for key, value in command["result"].items())
        text = " ".join(word for word in (_joined(command, "state"), told) if word)
        steps.append(_step(command["finished_at"], command["state"], text))
    return steps


def _name(command: Item) -> str:
    return f"{command['command'] or 'command'} id {command['id']}"


def _due(command: Item) -> str:
    words = []
    if command["delay_s"] is not None:
        words.append(f"after {command['delay_s']:g} s")
    elif command["due_at"]:
        words.append(f"at {command['due_at']}")
    if command["next_boot"]:
        words.append("at the next boot")
    if words and command["expires_at"]:
        words.append(f"no later than {command['expires_at']}")
    return ", ".join(words)


def _repeats(db: sqlite3.Connection, n: int, command: int) -> list[Item]:
    sql = "SELECT received_at, channel, verdict FROM messages WHERE command = ? AND n <> ?"
    return [
        _step(row["received_at"], "repeat", f"told again by {row['channel']}: {row['verdict']}")
        for row in _dicts(db, sql, command, n)
        if row["verdict"] == "duplicate"
    ]


def _told(report: Item) -> list[Item]:
    what = f"{report['kind']} by {report['channel']}"
    planned = f"{what}, not before {report['not_before']}" if report["fallback"] else what
    steps = [_step(report["created_at"], "report", planned)]
    tries = f" after {report['attempts']} failed tries" if report["attempts"] else ""
    error = f": {report['error']}" if report["error"] else ""
    if report["finished_at"]:
        steps.append(_step(report["finished_at"], report["state"], f"{what}{tries}{error}"))
    elif tries or error:
        steps.append(_step(None, "pending", f"{what}{tries}{error}"))
    return steps


def _sent(db: sqlite3.Connection, command: int, since: str) -> list[Item]:
    sql = (
        "SELECT recipient, text, state, error, created_at, finished_at FROM sends"
        " WHERE command = ? AND created_at >= ? ORDER BY n"
    )
    steps = []
    for row in _dicts(db, sql, command, since):
        error = f": {row['error']}" if row["error"] else ""
        text = f"SMS to {row['recipient']} {row['state']}{error}: {row['text'] or '8-bit data'}"
        steps.append(_step(row["finished_at"] or row["created_at"], "sms", text))
    return steps
