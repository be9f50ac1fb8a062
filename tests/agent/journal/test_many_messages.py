"""Half a million messages: what is asked of the journal reads few rows, and holds up no commit."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agent.journal import elapsed
from agent.journal.history import Filters, find
from agent.journal.journal import Journal
from agent.journal.rows import meta, set_meta
from agent.journal.schema import VERSION, migrate
from tests.agent.parts import TurnedClock

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MANY = 20_000

# One command in a hundred fails, one message in a hundred is a stranger's.
FILL = f"""
WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < {MANY})
INSERT INTO commands (n, space, id, command, state, channel, received_at)
SELECT n, '', 'id' || n, CASE WHEN n = 77 THEN 'reboot' ELSE 'ping' END,
  CASE WHEN n % 100 THEN 'succeeded' ELSE 'failed' END, 'sms', '2026-01-01T00:00:00.000Z' FROM i;
INSERT INTO messages (n, received_at, id, channel, sender, verdict, command, text)
SELECT n, strftime('%Y-%m-%dT%H:%M:%S.000Z', '2026-01-01', n || ' seconds'), id, 'sms',
  '+4917' || n, CASE WHEN n % 100 = 7 THEN 'stranger' ELSE 'accepted' END,
  CASE WHEN n % 100 <> 7 THEN n END, 'ping' FROM commands;
INSERT INTO reports (n, kind, channel, command, state, created_at, not_before)
SELECT n, 'result', 'sms', n, CASE WHEN n = 99 THEN 'undeliverable' ELSE 'reported' END, '', ''
  FROM commands;
"""


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, "2026-01-01T00:00:00.000Z")
        clock = TurnedClock()
        elapsed.resume(connection, clock)
        elapsed.install(connection, clock)
        yield connection


QUESTIONS: dict[str, Callable[[sqlite3.Connection], Any]] = {
    "history": lambda db: find(db, Filters()),
    "history of an id": lambda db: find(db, Filters(id="id1")),
    "history of a message": lambda db: find(db, Filters(message=1)),
    "history of a command": lambda db: find(db, Filters(command="ping")),
    "history of a state": lambda db: find(db, Filters(state="failed")),
    "history of reports": lambda db: find(db, Filters(state="undeliverable")),
    "history of a time": lambda db: find(db, Filters(since=NOW, until=NOW)),
    "history of a sender": lambda db: find(
        db, Filters(sender="1", channel="sms", verdict="stranger")
    ),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_question_reads_a_whole_table(db: sqlite3.Connection, question: str) -> None:
    asked: list[str] = []
    db.set_trace_callback(asked.append)
    QUESTIONS[question](db)
    db.set_trace_callback(None)
    read = [sql for sql in asked if sql.lstrip().startswith(("SELECT", "WITH"))]
    plans = [row[3] for sql in read for row in db.execute(f"EXPLAIN QUERY PLAN {sql}")]
    whole = [plan for plan in plans if plan.startswith("SCAN ") and not _is_short(plan)]
    assert plans
    assert not whole


def _is_short(plan: str) -> bool:
    """Whether a scan reads a small index only: by time until enough was found, or what is rare."""
    rare = "messages_told", "commands_told", "commands_open", "segments_apart"
    small = any(plan.endswith(f"INDEX {name}") for name in (*rare, "reports_told"))
    return small or "reports_pending" in plan or plan in ("SCAN recovery", "SCAN CONSTANT ROW")


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(id="id9"), [9]),
        (Filters(sender="491711"), [11]),
        (Filters(sender="+491711"), [11]),
        (Filters(command="reboot"), [77]),
        (Filters(command="reboot", state="succeeded"), [77]),
        (Filters(command="ping", state="interrupted"), []),
        (Filters(command="ping", state="reported", limit=1), [MANY]),
        (Filters(state="undeliverable"), [99]),
        (Filters(state="failed", limit=2), [MANY - 100, MANY]),
        (Filters(verdict="stranger", limit=1), [MANY - 93]),
        (Filters(command="ping", limit=1), [MANY]),
        (Filters(state="reported", limit=1), [MANY]),
        (Filters(command="no such"), []),
        (Filters(message=5), [5]),
        (Filters(since=datetime(2026, 1, 1, 0, 0, 10, tzinfo=UTC), limit=1), [MANY]),
        (Filters(until=datetime(2026, 1, 1, 0, 0, 3, tzinfo=UTC)), [1, 2]),
    ],
)
def test_every_filter_finds_among_many(
    many: sqlite3.Connection, filters: Filters, expected: list[int]
) -> None:
    # 77 % 100 is not 7: it is a command; n % 100 == 7 are strangers without one.
    assert [key.n for key in find(many, filters)] == expected


@pytest.fixture(scope="module")
def many() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, "2026-01-01T00:00:00.000Z")
        connection.executescript(f"BEGIN;{FILL};COMMIT")
        yield connection


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    opened = await Journal.open(tmp_path / "journal.db", TurnedClock())
    yield opened
    await asyncio.wait_for(opened.close(), 30)


async def test_no_commit_waits_for_a_long_look(journal: Journal) -> None:
    looking, enough = threading.Event(), threading.Event()

    def long(db: sqlite3.Connection) -> str | None:
        looking.set()
        enough.wait(30)
        return meta(db, "key")

    look = asyncio.ensure_future(journal.look(long))
    await asyncio.to_thread(looking.wait, 30)
    async with asyncio.timeout(20):
        await journal.commit(lambda db: set_meta(db, "key", "new"))
    enough.set()
    await look
    with contextlib.closing(sqlite3.connect(journal.path)) as other:
        busy, _, _ = other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    assert not busy  # no reader stays behind


async def test_a_look_sees_what_was_done_lazily_and_cannot_write(journal: Journal) -> None:
    await journal.commit(lambda db: set_meta(db, "key", "lazy"), lazy=True)
    assert await journal.look(lambda db: meta(db, "key")) == "lazy"
    with pytest.raises(Exception, match="readonly"):
        await journal.look(lambda db: set_meta(db, "key", "other"))


@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_a_journal_of_an_older_version_becomes_todays_with_its_rows(
    version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as old:
        with monkeypatch.context() as patched:
            patched.setattr("agent.journal.schema.VERSION", version)
            migrate(old, "2026-01-01T00:00:00.000Z")
        old.executescript(f"BEGIN;{FILL.replace(str(MANY), '200')};COMMIT")
        old.execute(
            "INSERT INTO segments (received_at, sender, sent_at, alphabet, data, raw, message)"
            " VALUES ('2026-01-01', '000', '', 'gsm7', x'', '', 1)"
        )
        migrate(old, "2026-01-02T00:00:00.000Z")
        assert old.execute("PRAGMA user_version").fetchone() == (VERSION,)
        assert old.execute("SELECT undeleted FROM segments").fetchall() == [(0,)]
        assert old.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert [key.n for key in find(old, Filters(id="id9"))] == [9]
