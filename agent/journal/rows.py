"""The journal's rows as typed values, read and written inside a transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from agent.journal.states import COMMAND, REPORT, SEND, Table
from agent.system.clock import iso

__all__ = [
    "IS_APART",
    "IS_ENDED",
    "IS_OPEN",
    "IS_UNSENT",
    "CommandRow",
    "command",
    "elapsed_s",
    "find_command",
    "insert",
    "is_pending",
    "meta",
    "move_command",
    "move_report",
    "move_send",
    "open_commands",
    "set_meta",
    "update",
]


@dataclass(frozen=True, slots=True)
class CommandRow:
    """A row of `commands`; the fields are the columns (see schema.py)."""

    n: int
    space: str
    id: str
    command: str
    canonical: str
    args: Mapping[str, str]
    state: str
    reason: str
    detail: str
    result: Mapping[str, Any]
    channel: str
    platform: str
    sender: str
    reply_to: str
    route: str
    response: Mapping[str, str]
    key: str | None
    free: bool
    received_at: str
    due_at: str | None
    due_boottime: float | None
    delay_s: float | None
    expires_at: str | None
    next_boot: bool
    boot_id: str | None
    started_at: str | None
    finished_at: str | None
    duplicates_told: int = 0
    duplicate_told_s: float | None = None
    elapsed_s: float = 0.0
    expires_s: float | None = None


_COLUMNS = tuple(CommandRow.__dataclass_fields__)
# What the partial indexes hold (schema.py), in their own words: a query that does not say it scans.
IS_OPEN: Final = "state IN ('received', 'accepted', 'scheduled', 'running')"
IS_ENDED: Final = f"state NOT{IS_OPEN.removeprefix('state')}"
IS_APART: Final = (  # a segment
    "(verdict = 'repeat' OR (verdict IN ('part', 'unproven-read') AND message IS NULL))"
)
IS_UNSENT: Final = "state IN ('queued', 'sending')"

_JSON = frozenset({"args", "result", "response"})
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM commands"  # noqa: S608 - names of our own columns


def _row(values: tuple[Any, ...]) -> CommandRow:
    named = dict(zip(_COLUMNS, values, strict=True))
    for name in _JSON:
        named[name] = json.loads(named[name])
    named["next_boot"] = bool(named["next_boot"])
    named["free"] = bool(named["free"])
    return CommandRow(**named)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, Mapping | list):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return value


def insert(db: sqlite3.Connection, table: str, values: Mapping[str, Any]) -> int:
    """Insert one row and return its `n`; times become ISO text, mappings and lists JSON.

    The row is stamped with elapsed time.
    """
    names = ", ".join((*values, "elapsed_s"))
    marks = ", ".join((*("?" for _ in values), "elapsed()"))
    cursor = db.execute(
        f"INSERT INTO {table} ({names}) VALUES ({marks})",  # noqa: S608 - our own names
        [_plain(value) for value in values.values()],
    )
    return int(cursor.lastrowid or 0)


def _update(db: sqlite3.Connection, table: str, n: int, values: Mapping[str, Any]) -> None:
    sets = ", ".join(f"{name} = ?" for name in values)
    if "finished_at" in values:
        sets += ", elapsed_s = elapsed()"
    db.execute(
        f"UPDATE {table} SET {sets} WHERE n = ?",  # noqa: S608 - our own names
        [*(_plain(value) for value in values.values()), n],
    )


def elapsed_s(db: sqlite3.Connection) -> float:
    """Return elapsed time in seconds (agent/journal/elapsed.py)."""
    (value,) = db.execute("SELECT elapsed()").fetchone()
    return float(value)


def command(db: sqlite3.Connection, n: int) -> CommandRow:
    """Return the command with row number `n`; LookupError where there is none."""
    values = db.execute(f"{_SELECT} WHERE n = ?", (n,)).fetchone()
    if values is None:
        raise LookupError(f"no command {n}")
    return _row(values)


def find_command(db: sqlite3.Connection, space: str, id_: str) -> CommandRow | None:
    """Return the command that claims this id in this id space, if one does."""
    values = db.execute(
        f"{_SELECT} WHERE space = ? AND id = ? AND state <> 'rejected'", (space, id_)
    ).fetchone()
    return None if values is None else _row(values)


def is_pending(db: sqlite3.Connection, n: int) -> bool:
    """Whether the report with row number `n` still has to be told."""
    found = db.execute("SELECT 1 FROM reports WHERE n = ? AND state = 'pending'", (n,)).fetchone()
    return found is not None


def open_commands(db: sqlite3.Connection, states: Iterable[str]) -> Iterator[CommandRow]:
    """Yield the commands in any of these states, which are open ones, oldest first."""
    wanted = list(states)
    marks = ", ".join("?" for _ in wanted)
    for values in db.execute(
        f"{_SELECT} WHERE {IS_OPEN} AND state IN ({marks}) ORDER BY n", wanted
    ):
        yield _row(values)


def move_command(
    db: sqlite3.Connection, n: int, trigger: str, values: Mapping[str, Any] | None = None
) -> str:
    """Move a command along machines.COMMAND and set further columns; return the new state."""
    return _move(db, COMMAND, "commands", n, trigger, values)


def move_report(
    db: sqlite3.Connection, n: int, trigger: str, values: Mapping[str, Any] | None = None
) -> str:
    """Move a report along machines.REPORT and set further columns; return the new state."""
    return _move(db, REPORT, "reports", n, trigger, values)


def move_send(
    db: sqlite3.Connection, n: int, trigger: str, values: Mapping[str, Any] | None = None
) -> str:
    """Move a send along machines.SEND and set further columns; return the new state."""
    return _move(db, SEND, "sends", n, trigger, values)


def _move(
    db: sqlite3.Connection,
    table: Table,
    name: str,
    n: int,
    trigger: str,
    values: Mapping[str, Any] | None,
) -> str:
    found = db.execute(
        f"SELECT state FROM {name} WHERE n = ?",  # noqa: S608 - our own names
        (n,),
    ).fetchone()
    if found is None:
        raise LookupError(f"no row {n} in {name}")
    state = table.move(found[0], trigger)
    _update(db, name, n, {"state": state, **(values or {})})
    return state


def update(db: sqlite3.Connection, table: str, n: int, values: Mapping[str, Any]) -> None:
    """Set columns that are no state; states change only by the `move_…` functions."""
    if "state" in values:
        raise ValueError("a state is moved, not set")
    _update(db, table, n, values)


def meta(db: sqlite3.Connection, key: str) -> str | None:
    """Return a value of the `meta` table."""
    found = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return None if found is None else str(found[0])


def set_meta(db: sqlite3.Connection, key: str, value: str | None) -> None:
    """Set a value of the `meta` table; None removes it."""
    if value is None:
        db.execute("DELETE FROM meta WHERE key = ?", (key,))
    else:
        db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))
