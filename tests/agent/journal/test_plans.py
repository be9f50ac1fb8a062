"""No question that the agent asks its journal reads a whole table: years of messages lie in there.

The questions are caught where SQLite is asked, so that a new one is checked without being named.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from agent.app import App
from agent.control import status
from agent.journal.retention import Housekeeping
from agent.sms import delivery_reports
from at import sms
from tests.agent.parts import NOW, TurnedClock, arrival, body, make_app, stored

if TYPE_CHECKING:
    from pytest_mock import MockerFixture

TABLES = "messages|segments|commands|reports|sends|m|s|c|r"
# A scan that ends by itself: in the order of the rows, after so many.
SCAN = re.compile(rf"SCAN ({TABLES})$")
BOUNDED = re.compile(r"ORDER BY (\w\.)?n( DESC)? LIMIT", re.IGNORECASE)


class Questions:
    """What was asked of a connection, and how SQLite would look for the answer."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def scans(self, db: sqlite3.Connection) -> list[tuple[str, str]]:
        found = []
        for sql in dict.fromkeys(self.asked):
            if (
                not sql.lstrip()
                .upper()
                .startswith(("SELECT", "UPDATE", "DELETE", "WITH", "INSERT"))
            ):
                continue
            for *_, step in db.execute(f"EXPLAIN QUERY PLAN {sql}"):
                if SCAN.match(step) and not BOUNDED.search(sql):
                    found.append((step, sql))
        return found


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    made = await make_app(
        tmp_path,
        TurnedClock(),
        {"mqtt": {"url": "mqtt://127.0.0.1:1"}, "report": {"route": "both"}},
    )
    yield made
    await made.journal.close()


@pytest.fixture
async def questions(app: App) -> Questions:
    made = Questions()
    await app.journal.read(lambda db: db.set_trace_callback(made.asked.append))
    return made


async def no_scan(app: App, questions: Questions) -> None:
    await app.journal.read(lambda db: db.set_trace_callback(None))
    assert len(questions.asked) > 2
    assert await app.journal.read(questions.scans) == []


async def test_the_whole_way_of_a_command(app: App, questions: Questions) -> None:
    app.link._ready.set()
    await app.journal.read(app._recall)
    await app.executor.recover()
    await app.scheduler.adopt()
    for text in ("mark id=a", "mark id=a", "mark id=b when=+2h", "mark id=c exp=nonsense", "hello"):
        await app.intake.admit(arrival(text))
    row = await app.journal.read(lambda db: next(iter([r for r in _commands(db) if r.id == "a"])))
    await app.executor.execute(row)
    await app.scheduler._dispatch()
    for reporter in app.reporters:
        await app.journal.read(reporter._due)
    await no_scan(app, questions)


def _commands(db: sqlite3.Connection) -> list[Any]:
    from agent.journal.rows import open_commands  # noqa: PLC0415 - beside its only use

    return list(open_commands(db, ("accepted",)))


async def test_parts_of_messages(app: App, questions: Questions) -> None:
    pieces = list(sms.segment("set note=" + "x" * 400, reference=7))
    await app.inbox._keep_all([stored(piece) for piece in pieces])
    await app.inbox._keep_all([stored(pieces[0])])
    app.inbox._incomplete_at = 0.0
    await app.inbox._give_up_incomplete()
    await no_scan(app, questions)


async def test_sms_that_leave_and_their_receipts(
    app: App, questions: Questions, mocker: MockerFixture
) -> None:
    async def send(_submit: sms.Submit, *, more: bool = False) -> int:
        return 1

    messages = mocker.AsyncMock()
    messages.send = send
    mocker.patch.object(app.link, "messages", return_value=messages)
    app.link._ready.set()
    from agent.sms.queue import queue_send  # noqa: PLC0415 - beside its only use

    await app.journal.commit(
        lambda db: queue_send(
            db, id_="a", recipient="+491", body="x", now=NOW, want_report=True, free=True
        )
    )
    assert await app.send_queue.send_next() == 0.0
    await app.journal.commit(app.send_queue._lose_interrupted)
    stamp = sms.Timestamp.of(NOW)
    report = sms.StatusReport(
        reference=1,
        recipient=sms.Address.parse("+491"),
        timestamp=stamp,
        discharged=stamp,
        status=0,
    )
    await app.journal.commit(lambda db: delivery_reports.match(db, report, NOW, app.planner))
    await no_scan(app, questions)


async def test_what_status_counts(app: App, questions: Questions) -> None:
    await app.journal.read(status._counts)
    await no_scan(app, questions)


async def test_what_is_forgotten(app: App, questions: Questions) -> None:
    await app.intake.admit(arrival("mark id=a"))
    await app.inbox._keep_all([stored(body("ping"))])
    await Housekeeping(app.journal, app.clock).forget()
    await no_scan(app, questions)
