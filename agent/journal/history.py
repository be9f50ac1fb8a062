"""What the journal tells of the messages that were received, and of the parts of others."""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from agent.journal import trace
from agent.journal.rows import IS_APART, IS_ENDED, IS_OPEN
from agent.journal.states import COMMAND, REPORT
from agent.payload.platforms import read_sender
from agent.system.clock import iso
from at.errors import EncodeError

__all__ = ["STATES", "VERDICTS", "Filters", "Item", "Key", "details", "dicts", "find", "selected"]

Item = dict[str, Any]

VERDICTS: Final = (
    *("accepted", "rejected", "duplicate"),
    *("not-a-command", "stranger", "undecodable", "unproven-read", "unsupported"),
    *("junk", "receipt"),
    *("part", "repeat", "incomplete"),
)
STATES: Final = tuple(dict.fromkeys((*COMMAND.states, *REPORT.states)))
LIMIT_MAX: Final = 10_000  # items of one answer; whoever wants more asks by time

NARROWED_MAX: Final = 2000  # commands; where more match, the newest are soon met on the way

# A message; or a part that no message has taken up yet; or a part that had been there before.
# {messages}: by time in an index that has all other columns, or these few by their numbers.
_KEYS: Final = """
SELECT 'message' AS kind, m.n AS n, m.received_at AS received_at
  FROM {messages} LEFT JOIN commands c ON c.n = m.command
 WHERE {of_messages}
{parts}
 ORDER BY received_at DESC, kind, n DESC LIMIT :limit
"""
_PARTS: Final = f"""UNION ALL
SELECT 'part', s.n, s.received_at FROM segments s INDEXED BY segments_apart
 WHERE {IS_APART} AND {{}}"""  # noqa: S608 - our own words
_BY_TIME: Final = "messages m INDEXED BY messages_told"
_BY_NUMBER: Final = "messages m NOT INDEXED"
_STATE: Final = """(c.state = :state OR :state IN
(SELECT r.state FROM reports r WHERE r.message = m.n OR r.command = m.command))"""
_OF_COMMANDS: Final = (
    "SELECT n, NULL FROM commands WHERE {}"
    " AND command = coalesce(?, command) AND state = coalesce(?, state) LIMIT ?"
)
_OF_REPORTS: Final = "SELECT command, message FROM reports WHERE state = '{}'"


@dataclass(frozen=True, slots=True)
class Filters:
    """Which messages; None: any. until is exclusive; sender is compared without a leading "+".

    id: the command's or the message's; command: its name; state: of the command or of one of its
    reports. limit: the newest so many. Raises ValueError for a state or verdict that there is not.
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

    def __post_init__(self) -> None:
        for name, value, known in (
            ("state", self.state, STATES),
            ("verdict", self.verdict, VERDICTS),
        ):
            if value is not None and value not in known:
                raise ValueError(f"{name} {value!r} is none of {', '.join(known)}")


@dataclass(frozen=True, slots=True)
class Key:
    """Where an item stands: kind is "message" or "part", n the row's number."""

    kind: str
    n: int


def find(db: sqlite3.Connection, filters: Filters) -> list[Key]:
    """Return the items that match, oldest first."""
    values: dict[str, Any] = {"limit": max(1, min(filters.limit, LIMIT_MAX))}
    messages, parts = _conditions(filters, values)
    source, numbers = _BY_TIME, _narrowed(db, filters)
    if numbers is not None:
        if not numbers:
            return []
        source = _BY_NUMBER
        messages.append(f"m.n IN ({','.join(map(str, numbers))})")
    sql = _KEYS.format(
        messages=source,
        of_messages=" AND ".join(messages),
        parts=_PARTS.format(" AND ".join(parts)) if parts else "",
    )
    return [Key(kind, n) for kind, n, _ in db.execute(sql, values)][::-1]


def _conditions(filters: Filters, values: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Return SQL conditions on a message m (with its command c), and on a part s; []: on none."""
    messages, parts = ["1"], ["1"]
    for name, both in (
        ("since", "{t}.received_at >= :since"),
        ("until", "{t}.received_at < :until"),
        ("verdict", "{t}.verdict = :verdict"),
        ("sender", "{t}.sender IN (:sender, '+' || :sender)"),
    ):
        value = getattr(filters, name)
        if value is not None:
            values[name] = iso(value) if isinstance(value, datetime) else value
            messages.append(both.format(t="m"))
            parts.append(both.format(t="s"))
    if filters.sender is not None:
        values["sender"] = _sender(filters.sender).lstrip("+")
    if filters.channel is not None:
        values["channel"] = filters.channel
        messages.append("m.channel = :channel")
        parts.append("'sms' = :channel")
    for name, condition in (
        ("id", "m.id = :id"),
        ("command", "c.command = :command"),
        ("message", "m.n = :message"),
        ("state", _STATE),
    ):
        value = getattr(filters, name)
        if value is not None:
            values[name] = value
            messages.append(condition)
            parts.clear()
    return messages, parts


def _sender(written: str) -> str:
    """Read a sender as a person writes it; what was meant as a number and is none finds nothing."""
    try:
        return read_sender(written)
    except EncodeError:
        return written


def _narrowed(db: sqlite3.Connection, filters: Filters) -> list[int] | None:
    """Return the only messages that can match, where an index tells few; None: any may."""
    if filters.message is not None:
        return [filters.message]
    found: list[tuple[int | None, int | None]] = []
    of_command = filters.state in COMMAND.states
    if filters.command is not None or of_command:
        ended = filters.state in COMMAND.final
        for which in (IS_ENDED,) if ended else (IS_OPEN,) if of_command else (IS_OPEN, IS_ENDED):
            sql = _OF_COMMANDS.format(which)
            values = (filters.command, filters.state if of_command else None, NARROWED_MAX)
            found += db.execute(sql, values)
    elif filters.state in ("pending", "undeliverable"):
        sql = f"{_OF_REPORTS.format(filters.state)} LIMIT ?"
        found += db.execute(sql, (NARROWED_MAX,))
    elif filters.state is None or filters.state in REPORT.states:
        return None
    if len(found) >= NARROWED_MAX:
        return None
    numbers = {message for _, message in found if message is not None}
    for command in {command for command, _ in found if command is not None}:
        rows = db.execute("SELECT n FROM messages WHERE command = ?", (command,))
        numbers.update(n for (n,) in rows)
    return sorted(numbers) if len(numbers) <= 10 * NARROWED_MAX else None


def selected(db: sqlite3.Connection, filters: Filters, *, at_once: int = 100) -> Iterator[Item]:
    """Yield the items that match, oldest first, read `at_once` at a time."""
    keys = find(db, filters)
    for start in range(0, len(keys), at_once):
        yield from details(db, keys[start : start + at_once])


def details(db: sqlite3.Connection, keys: Sequence[Key]) -> list[Item]:
    """Return the items in full; one that is gone meanwhile is left out."""
    found = (_message(db, key.n) if key.kind == "message" else _part(db, key.n) for key in keys)
    return [item for item in found if item is not None]


def dicts(db: sqlite3.Connection, sql: str, *values: object) -> list[Item]:
    """Return a query's rows by their columns' names."""
    cursor = db.execute(sql, values)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def _message(db: sqlite3.Connection, n: int) -> Item | None:
    for row in dicts(db, "SELECT * FROM messages WHERE n = ?", n):
        command = row.pop("command")
        told = None if command is None else _command(db, command)
        checks = row.pop("trace")
        about = {**row, "command": told and told["command"]}
        return {
            "kind": "message",
            **_body(row),
            "state": None if told is None else told["state"],
            "command": told,
            "checks": None if checks is None else trace.told(trace.decode(checks), about),
            "reports": _reports(db, n, command, row["verdict"]),
            "parts": dicts(
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
    for row in dicts(db, sql, n):
        return {
            "kind": "part",
            **row,
            "id": "",
            "channel": "sms",
            "platform": "",
            "text": None,
            "data": None,
            "state": None,
            "reason": "",
            "detail": f"{row['sequence']} of {row['total']}",
            "command": None,
            "checks": None,
            "untold": None,
            "reports": [],
            "parts": [],
        }
    return None


_COMMAND: Final = (
    "SELECT n, id, command, args, state, reason, detail, result, route, reply_to, key, received_at,"
    " due_at, delay_s, next_boot, expires_at, started_at, finished_at FROM commands WHERE n = ?"
)


def _command(db: sqlite3.Connection, n: int) -> Item | None:
    for row in dicts(db, _COMMAND, n):
        row["args"], row["result"] = json.loads(row["args"]), json.loads(row["result"])
        row["next_boot"] = bool(row["next_boot"])
        return row
    return None


_REPORTS: Final = (
    "SELECT kind, channel, state, created_at, not_before, fallback, attempts, error, finished_at"
    " FROM reports WHERE {which} ORDER BY n"
)


# A report of a repeat has its message; before there were traces it did not.
_OF_COMMAND: Final = """command = ?1 AND (kind = 'result' AND ?2 <> 'duplicate'
OR kind = 'duplicate' AND ?2 = 'duplicate' AND message IS NULL)"""


def _reports(db: sqlite3.Connection, message: int, command: int | None, verdict: str) -> list[Item]:
    """Return what had to be told of a message; of a command's, what its own outcome asked for."""
    found = dicts(db, _REPORTS.format(which="message = ?"), message)
    if command is not None:
        found += dicts(db, _REPORTS.format(which=_OF_COMMAND), command, verdict)
    for report in found:
        report["fallback"] = bool(report["fallback"])
    return found
