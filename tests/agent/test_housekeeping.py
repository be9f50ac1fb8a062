"""The journal forgets after 30 days, and nothing that is not finished."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest

from agent import elapsed
from agent.housekeeping import forget
from agent.rows import insert
from agent.schema import migrate
from tests.agent.parts import TurnedClock

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY_S = 86400.0
TABLES = ("commands", "messages", "segments", "reports", "sends")


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def db(clock: TurnedClock) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys=ON")
        migrate(connection, "2026-01-01T00:00:00.000Z")
        elapsed.resume(connection, clock)
        elapsed.install(connection, clock)
        connection.execute("BEGIN")
        yield connection


def told(db: sqlite3.Connection, id_: str, *, state: str = "succeeded", report: str) -> int:
    """One command with everything that hangs on it."""
    command = insert(
        db,
        "commands",
        {
            "space": "",
            "id": id_,
            "state": state,
            "channel": "sms",
            "received_at": NOW,
            "finished_at": None if state == "scheduled" else NOW,
        },
    )
    message = insert(
        db,
        "messages",
        {
            "received_at": NOW,
            "channel": "sms",
            "sender": "000",
            "verdict": "accepted",
            "command": command,
        },
    )
    segment = {"received_at": NOW, "sender": "000", "sent_at": "", "alphabet": "gsm7"}
    insert(db, "segments", {**segment, "data": b"", "raw": "", "message": message})
    due = {"created_at": NOW, "not_before": NOW}
    row = {"kind": "result", "channel": "sms", "command": command, "state": report}
    insert(db, "reports", {**row, **due})
    row = {"kind": "received", "channel": "mqtt", "message": message, "state": "reported"}
    insert(db, "reports", {**row, **due})
    sent = {"recipient": "000", "state": "sent", "created_at": NOW, "finished_at": NOW}
    insert(db, "sends", {**sent, "command": command})
    return command


def counts(db: sqlite3.Connection) -> dict[str, int]:
    return {name: db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in TABLES}


def forget_all(db: sqlite3.Connection) -> None:
    for _ in range(10):
        if forget(db) == 0:
            return
    raise AssertionError("never done")


def test_what_is_older_than_30_days_goes_with_all_that_hangs_on_it(
    db: sqlite3.Connection, clock: TurnedClock
) -> None:
    told(db, "old", report="reported")
    clock.turn(2 * DAY_S)
    young = told(db, "young", report="reported")
    clock.turn(29 * DAY_S)
    forget_all(db)
    assert counts(db) == {"commands": 1, "messages": 1, "segments": 1, "reports": 2, "sends": 1}
    assert db.execute("SELECT n FROM commands").fetchone()[0] == young


@pytest.mark.parametrize(("state", "report"), [("succeeded", "pending"), ("scheduled", "reported")])
def test_what_is_not_finished_stays(
    db: sqlite3.Connection, clock: TurnedClock, state: str, report: str
) -> None:
    told(db, "open", state=state, report=report)
    clock.turn(31 * DAY_S)
    forget_all(db)
    assert counts(db)["commands"] == counts(db)["messages"] == counts(db)["segments"] == 1


def test_a_repeat_of_late_keeps_what_it_repeats(db: sqlite3.Connection, clock: TurnedClock) -> None:
    command = told(db, "old", report="reported")
    clock.turn(20 * DAY_S)
    repeat = {"received_at": NOW, "channel": "sms", "sender": "000", "verdict": "duplicate"}
    insert(db, "messages", {**repeat, "command": command})
    clock.turn(20 * DAY_S)
    forget_all(db)
    assert counts(db)["commands"] == 1


def test_a_long_backlog_goes_in_steps(db: sqlite3.Connection, clock: TurnedClock) -> None:
    for number in range(450):
        told(db, f"old{number}", report="reported")
    clock.turn(31 * DAY_S)
    assert counts(db)["commands"] > 0
    forget(db)
    assert counts(db)["commands"] == 250
    forget_all(db)
    assert counts(db) == dict.fromkeys(TABLES, 0)


def test_a_waiting_part_is_not_forgotten(db: sqlite3.Connection, clock: TurnedClock) -> None:
    segment = {"received_at": NOW, "sender": "000", "sent_at": "", "alphabet": "gsm7"}
    insert(db, "segments", {**segment, "data": b"", "raw": "", "verdict": "part"})
    insert(db, "segments", {**segment, "data": b"", "raw": "", "verdict": "repeat"})
    clock.turn(31 * DAY_S)
    forget_all(db)
    assert counts(db)["segments"] == 1


@pytest.mark.parametrize("days", [-400, 40, 12_000])
def test_a_wall_clock_that_is_set_makes_nothing_old(
    db: sqlite3.Connection, clock: TurnedClock, days: int
) -> None:
    clock.trust = True
    told(db, "young", report="reported")
    clock.set(days * DAY_S)
    forget_all(db)
    clock.turn(29 * DAY_S)
    told(db, "later", report="reported")
    forget_all(db)
    assert counts(db)["commands"] == 2
