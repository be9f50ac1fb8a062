"""The journal forgets after 30 days, and nothing that is not finished."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.journal import elapsed
from agent.journal.retention import ROWS_AT_ONCE, Forgetting, vacuum
from agent.journal.rows import insert
from agent.journal.schema import migrate
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


def forget_all(db: sqlite3.Connection) -> Forgetting:
    forgetting = Forgetting("2026-11-21T12:00:00.000Z")
    for _ in range(20):
        if not forgetting.step(db):
            return forgetting
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
    Forgetting("2026-11-21T12:00:00.000Z").step(db)
    assert counts(db)["commands"] == 450 - ROWS_AT_ONCE
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


def test_a_row_that_cannot_be_deleted_stops_no_other(
    db: sqlite3.Connection, clock: TurnedClock
) -> None:
    told(db, "bad", report="reported")
    told(db, "good", report="reported")
    # A table of a later version, say, that this one does not know to empty.
    db.execute("CREATE TABLE stranger (command INTEGER REFERENCES commands(n))")
    db.execute("INSERT INTO stranger VALUES (1)")
    clock.turn(31 * DAY_S)
    forgetting = forget_all(db)
    assert forgetting.kept == {"commands 1"}
    assert [id_ for (id_,) in db.execute("SELECT id FROM commands")] == ["bad"]
    assert counts(db) == {"commands": 1, "messages": 1, "segments": 1, "reports": 2, "sends": 1}


def test_a_report_of_a_send_goes_with_the_command_that_asked_for_it(
    db: sqlite3.Connection, clock: TurnedClock
) -> None:
    told(db, "old", report="reported")
    (send,) = db.execute("SELECT n FROM sends").fetchone()
    row = {"kind": "sent", "channel": "mqtt", "send": send, "state": "reported"}
    insert(db, "reports", {**row, "created_at": NOW, "not_before": NOW})
    clock.turn(31 * DAY_S)
    assert not forget_all(db).kept
    assert counts(db) == dict.fromkeys(TABLES, 0)


def test_a_report_that_nobody_ever_took_is_given_up_and_forgotten(
    db: sqlite3.Connection, clock: TurnedClock
) -> None:
    told(db, "refused", report="pending")
    clock.turn(91 * DAY_S)
    assert forget_all(db).given_up == 1
    assert counts(db) == dict.fromkeys(TABLES, 0)


def test_an_id_is_kept_while_the_modem_still_has_its_message(
    db: sqlite3.Connection, clock: TurnedClock
) -> None:
    told(db, "stuck", report="reported")
    db.execute("UPDATE segments SET undeleted = 1")
    clock.turn(400 * DAY_S)
    forget_all(db)
    assert counts(db)["commands"] == counts(db)["messages"] == counts(db)["segments"] == 1
    db.execute("UPDATE segments SET undeleted = 0")
    forget_all(db)
    assert counts(db) == dict.fromkeys(TABLES, 0)


def test_the_disk_gets_the_space_back(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.executescript("PRAGMA page_size=1024; PRAGMA auto_vacuum=INCREMENTAL")
        db.executescript("PRAGMA journal_mode=WAL; CREATE TABLE much (data)")
        db.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
            " INSERT INTO much SELECT zeroblob(1000) FROM n"
        )
        db.execute("DELETE FROM much")
        steps = 0
        while vacuum(db):
            steps += 1
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert steps > 2
    assert path.stat().st_size < 400 * 1024
