from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.app import App
from agent.inbound import reassembly
from agent.inbound.inbox import _recall_undeleted
from agent.journal.journal import Journal, JournalUnavailableError
from agent.journal.retention import Housekeeping
from at.errors import AtError, CommandTimeoutError
from at.result_codes import command_error
from at.store.messages import Deleted, Stored
from tests.agent.parts import TurnedClock, body, make_app, stored

if TYPE_CHECKING:
    from pytest_mock import MockerFixture


class Sim:
    """The messages of a modem, with what goes wrong at a deletion."""

    def __init__(self, journal: Journal) -> None:
        self.held: list[Stored] = []
        self.refused: dict[int, AtError] = {}
        self.deleted: list[int] = []
        self.journalled_at_delete: list[bool] = []
        self._journal = journal

    async def list_stored(self) -> list[Stored]:
        return list(self.held)

    async def read(self, storage: str, index: int) -> Stored | None:
        return next((one for one in self.held if one.index == index), None)

    async def delete(self, one: Stored) -> Deleted:
        with contextlib.closing(sqlite3.connect(self._journal.path)) as db:
            found = db.execute("SELECT 1 FROM segments WHERE raw = ?", (one.raw,)).fetchone()
        self.journalled_at_delete.append(found is not None)
        if one.index in self.refused:
            raise self.refused[one.index]
        self.held.remove(one)
        self.deleted.append(one.index)
        return Deleted.DONE


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    made = await make_app(tmp_path, TurnedClock())
    yield made
    await made.journal.close()


@pytest.fixture
def sim(app: App, mocker: MockerFixture) -> Sim:
    made = Sim(app.journal)

    async def messages() -> Sim:
        return made

    mocker.patch.object(app.link, "messages", messages)
    return made


async def count(app: App, table: str) -> int:
    return await app.journal.read(
        lambda db: int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
    )


async def test_a_message_is_deleted_only_once_it_is_on_disk(app: App, sim: Sim) -> None:
    sim.held = [stored(f"mark id=a{n}") for n in range(5)]
    await app.inbox._drain(None)
    assert not sim.held
    assert sim.journalled_at_delete == [True] * 5


async def test_nothing_is_deleted_where_the_journal_refuses(
    app: App, sim: Sim, mocker: MockerFixture
) -> None:
    sim.held = [stored("mark id=a")]
    mocker.patch.object(app.journal, "commit", side_effect=JournalUnavailableError("full"))
    with pytest.raises(JournalUnavailableError):
        await app.inbox._drain(None)
    assert sim.deleted == []


async def test_what_was_not_read_alike_twice_is_neither_kept_nor_deleted(
    app: App, sim: Sim
) -> None:
    from dataclasses import replace  # noqa: PLC0415

    sim.held = [replace(stored("mark id=a"), proven=False)]
    await app.inbox._drain(None)
    assert sim.deleted == []
    assert await count(app, "segments") == 0


async def test_a_message_that_cannot_be_deleted_is_journalled_once(app: App, sim: Sim) -> None:
    sim.held = [stored("mark id=a")]
    sim.refused = {sim.held[0].index: CommandTimeoutError("+CMGD", 5.0, "result")}
    for _ in range(5):
        with contextlib.suppress(AtError):
            await app.inbox._drain(None)
    assert await count(app, "messages") == 1
    assert await count(app, "segments") == 1
    sim.refused.clear()
    await app.inbox._drain(None)
    assert not sim.held
    assert await count(app, "messages") == 1


async def test_another_message_in_the_place_of_an_undeleted_one_is_taken(
    app: App, sim: Sim
) -> None:
    sim.held = [stored("mark id=a", index=3)]
    sim.refused = {3: CommandTimeoutError("+CMGD", 5.0, "result")}
    with contextlib.suppress(AtError):
        await app.inbox._drain(None)
    sim.refused.clear()
    sim.held = [stored("mark id=b", index=3)]
    await app.inbox._drain(None)
    assert await count(app, "messages") == 2


async def test_a_slot_that_refuses_to_be_deleted_does_not_keep_the_others(
    app: App, sim: Sim
) -> None:
    sim.held = [stored(f"mark id=a{n}", index=n) for n in range(1, 5)]
    sim.refused = {1: command_error("+CMGD=1", "+CMS ERROR: 320")}
    with contextlib.suppress(AtError):
        await app.inbox._drain(None)
    assert [one.index for one in sim.held] == [1]


async def test_a_message_that_trips_over_a_fault_is_set_aside_and_the_others_go_on(
    app: App, sim: Sim, mocker: MockerFixture
) -> None:
    sim.held = [stored(f"mark id=a{n}") for n in range(3)]
    poison = sim.held[1].raw
    take = reassembly.take

    def faulty(db: sqlite3.Connection, one: Stored, now: object) -> reassembly.Taken:
        if one.raw == poison:
            raise ZeroDivisionError("a fault of ours")
        return take(db, one, now)  # type: ignore[arg-type]  # passed on as it came

    mocker.patch.object(reassembly, "take", faulty)
    await app.inbox._drain(None)
    assert not sim.held
    rows = await app.journal.read(
        lambda db: db.execute("SELECT id, verdict FROM messages ORDER BY n").fetchall()
    )
    assert [row for row in rows if row[1] == "accepted"] == [
        ("a0", "accepted"),
        ("a2", "accepted"),
    ]
    assert len(rows) == 3


async def test_a_hint_reads_one_slot_and_no_list(app: App, sim: Sim, mocker: MockerFixture) -> None:
    sim.held = [stored("mark id=a", index=1), stored("mark id=b", index=2)]
    listing = mocker.spy(sim, "list_stored")
    await app.inbox._drain(frozenset({("SM", 2)}))
    assert sim.deleted == [2]
    assert listing.call_count == 0


async def test_a_ring_for_an_empty_slot_is_nothing(app: App, sim: Sim) -> None:
    await app.inbox._drain(frozenset({("SM", 9)}))
    assert sim.deleted == []


async def test_a_hundred_messages_are_three_commits(app: App, sim: Sim) -> None:
    sim.held = [stored(body("x" * n)) for n in range(1, 101)]
    before = app.journal.commits
    await app.inbox._drain(None)
    assert app.journal.commits - before == 3
    assert not sim.held


async def test_an_orderly_end_in_the_middle_of_a_drain_loses_nothing(app: App, sim: Sim) -> None:
    sim.held = [stored(f"mark id=a{n}") for n in range(20)]
    task = asyncio.ensure_future(app.inbox._drain(None))
    await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    await app.inbox._drain(None)
    rows = await app.journal.read(
        lambda db: db.execute("SELECT id FROM commands WHERE state = 'accepted'").fetchall()
    )
    assert sorted(rows) == sorted((f"a{n}",) for n in range(20))


@pytest.mark.parametrize(
    "error",
    [
        command_error("+CMGD=1", "+CMS ERROR: 500"),
        CommandTimeoutError("+CMGD", 5.0, "result"),
    ],
)
async def test_a_message_that_cannot_be_deleted_is_known_over_restarts_and_kept_for_good(
    tmp_path: Path, mocker: MockerFixture, error: AtError
) -> None:
    held = [stored("mark id=a")]
    clock = TurnedClock()
    for _ in range(4):
        app = await make_app(tmp_path, clock)
        sim = Sim(app.journal)
        sim.held, sim.refused = held, {held[0].index: error}
        mocker.patch.object(app.link, "messages", mocker.AsyncMock(return_value=sim))
        app.inbox._refused = await app.journal.read(_recall_undeleted)
        with contextlib.suppress(AtError):
            await app.inbox._drain(None)
        assert await count(app, "messages") == 1
        assert await count(app, "reports") == 0
        clock.turn(40 * 86400)
        await app.journal.commit(
            lambda db: db.execute("UPDATE commands SET state = 'succeeded' WHERE 1")
        )
        await Housekeeping(app.journal, clock).forget()
        assert await count(app, "commands") == 1
        await app.journal.close()
    app = await make_app(tmp_path, clock)
    sim = Sim(app.journal)
    sim.held = held
    mocker.patch.object(app.link, "messages", mocker.AsyncMock(return_value=sim))
    app.inbox._refused = await app.journal.read(_recall_undeleted)
    await app.inbox._drain(None)
    assert not sim.held
    await Housekeeping(app.journal, clock).forget()
    assert await count(app, "commands") == 0
    await app.journal.close()
