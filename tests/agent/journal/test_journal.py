from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.journal import file, schema
from agent.journal.journal import Journal, JournalBusyError, JournalError, JournalUnavailableError
from agent.journal.rows import meta, set_meta
from agent.journal.schema import VERSION
from agent.system.clock import Clock
from tests.agent.parts import TurnedClock

if TYPE_CHECKING:
    from pytest_mock import MockerFixture

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    opened = await Journal.open(tmp_path / "journal.db", TurnedClock())
    yield opened
    await asyncio.wait_for(opened.close(), 30)


def put(key: str, value: str = "x") -> Callable[[sqlite3.Connection], None]:
    return lambda db: set_meta(db, key, value)


async def get(journal: Journal, key: str) -> str | None:
    return await journal.read(lambda db: meta(db, key))


def on_disk(journal: Journal, key: str) -> str | None:
    with contextlib.closing(sqlite3.connect(journal.path)) as db:
        return meta(db, key)


def refuse_disk(mocker: MockerFixture, times: int) -> None:
    """Let the next so many commits fail as a full disk makes them."""
    sync = Journal._sync
    left = [times]

    def refusing(self: Journal, db: sqlite3.Connection) -> None:
        if left[0]:
            left[0] -= 1
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        sync(self, db)

    mocker.patch.object(Journal, "_sync", refusing)


async def test_a_commit_is_on_disk_when_it_returns(journal: Journal) -> None:
    await journal.commit(put("a"))
    assert on_disk(journal, "a") == "x"


async def test_works_that_wait_together_share_one_sync(journal: Journal) -> None:
    before = journal.commits
    await asyncio.gather(*(journal.commit(put(str(n))) for n in range(50)))
    assert journal.commits - before < 10
    assert [await get(journal, str(n)) for n in range(50)] == ["x"] * 50


async def test_works_are_done_in_the_order_they_were_given(journal: Journal) -> None:
    await asyncio.gather(*(journal.commit(put("last", str(n))) for n in range(200)))
    assert await get(journal, "last") == "199"


async def test_a_work_that_raises_is_undone_alone_and_its_error_carried(journal: Journal) -> None:
    def faulty(db: sqlite3.Connection) -> None:
        set_meta(db, "half", "done")
        raise KeyError("its own")

    good = asyncio.ensure_future(journal.commit(put("good")))
    with pytest.raises(KeyError, match="its own"):
        await journal.commit(faulty)
    await good
    assert on_disk(journal, "good") == "x"
    assert on_disk(journal, "half") is None


@pytest.mark.parametrize("kind", ["read", "commit"])
async def test_a_statement_that_is_wrong_fails_its_caller_and_nobody_else(
    journal: Journal, kind: str
) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        await getattr(journal, kind)(lambda db: db.execute("SELECT * FROM nowhere"))
    await asyncio.wait_for(journal.commit(put("after")), 30)
    assert not journal.unavailable


async def test_a_cancelled_caller_does_not_undo_its_work(journal: Journal) -> None:
    task = asyncio.ensure_future(journal.commit(put("a")))
    await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert await get(journal, "a") == "x"


async def test_a_lazy_work_is_seen_at_once_and_synced_with_the_next_commit(
    journal: Journal,
) -> None:
    await journal.commit(put("lazy"), lazy=True)
    assert await get(journal, "lazy") == "x"
    assert on_disk(journal, "lazy") is None
    await journal.commit(put("next"))
    assert on_disk(journal, "lazy") == "x"


async def test_a_lazy_work_is_synced_by_itself_before_long(
    tmp_path: Path, mocker: MockerFixture
) -> None:
    mocker.patch("agent.journal.journal.LAZY_S", 0.05)
    journal = await Journal.open(tmp_path / "journal.db", TurnedClock())
    await journal.commit(put("lazy"), lazy=True)
    for _ in range(200):
        if on_disk(journal, "lazy"):
            break
        await asyncio.sleep(0.01)
    assert on_disk(journal, "lazy") == "x"
    await journal.close()


async def test_closing_syncs_what_is_lazy(tmp_path: Path) -> None:
    journal = await Journal.open(tmp_path / "journal.db", TurnedClock())
    await journal.commit(put("lazy"), lazy=True)
    await journal.close()
    assert on_disk(journal, "lazy") == "x"


async def test_a_full_disk_fails_every_work_of_the_batch_and_leaves_no_trace(
    journal: Journal, mocker: MockerFixture
) -> None:
    refuse_disk(mocker, 1)
    with pytest.raises(JournalUnavailableError, match="full"):
        await journal.commit(put("a"))
    assert journal.unavailable
    assert on_disk(journal, "a") is None
    await journal.commit(put("b"))
    assert not journal.unavailable
    assert on_disk(journal, "b") == "x"


async def test_what_was_done_lazily_outlives_another_work_s_failure(
    journal: Journal, mocker: MockerFixture
) -> None:
    await journal.commit(put("lazy"), lazy=True)
    refuse_disk(mocker, 1)
    with pytest.raises(JournalUnavailableError):
        await journal.commit(put("a"))
    await journal.commit(put("b"))
    assert await get(journal, "lazy") == "x"
    assert on_disk(journal, "lazy") == "x"


async def test_asking_whether_it_is_writable_tries_the_disk(
    journal: Journal, mocker: MockerFixture
) -> None:
    await journal.wait_writable()
    refuse_disk(mocker, 2)
    with pytest.raises(JournalUnavailableError):
        await journal.commit(put("a"))
    with pytest.raises(JournalUnavailableError):
        await journal.wait_writable()
    await journal.wait_writable()
    assert not journal.unavailable


async def test_damage_met_in_use_ends_acknowledging_and_asks_for_a_new_start(
    journal: Journal,
) -> None:
    def damaged(_: sqlite3.Connection) -> None:
        error = sqlite3.DatabaseError("database disk image is malformed")
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error

    with pytest.raises(JournalUnavailableError):
        await journal.commit(damaged)
    assert isinstance(await asyncio.wait_for(journal.failed, 30), JournalError)


async def test_a_second_opening_is_refused_with_the_holder_s_name(journal: Journal) -> None:
    with pytest.raises(JournalBusyError, match=r"process [0-9]+"):
        await Journal.open(journal.path, TurnedClock())
    await journal.commit(put("a"))  # the first one is not disturbed


async def test_the_lock_ends_with_the_journal(tmp_path: Path) -> None:
    for _ in range(3):
        journal = await Journal.open(tmp_path / "journal.db", TurnedClock())
        await journal.close()


async def test_a_folder_that_cannot_be_made_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="cannot be opened"):
        await Journal.open(tmp_path / "file" / "journal.db", TurnedClock())


async def test_a_file_from_a_newer_version_is_refused_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    journal = await Journal.open(path, TurnedClock())
    await journal.close()
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version={VERSION + 1}")
    with pytest.raises(JournalError, match="newer version"):
        await Journal.open(path, TurnedClock())
    assert not path.with_name("journal.db.new").exists()
    with contextlib.closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone()[0] == VERSION + 1


async def test_a_fresh_journal_is_proven_and_one_in_place_of_a_damaged_one_is_not(
    tmp_path: Path,
) -> None:
    path = tmp_path / "journal.db"
    fresh = await Journal.open(path, TurnedClock())
    assert fresh.unproven is False
    await fresh.close()
    path.write_bytes(b"no database" * 1000)
    after = await Journal.open(path, TurnedClock())
    assert after.unproven
    assert after.damaged is not None
    assert after.damaged.read_bytes().startswith(b"no database")
    assert await after.confirm() is not None
    await after.close()
    again = await Journal.open(path, TurnedClock())
    assert again.unproven is False
    await again.close()


class Crash(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("step", range(1, 9))
def test_a_crash_anywhere_in_the_replacement_of_a_damaged_file_keeps_the_protection(
    tmp_path: Path, mocker: MockerFixture, step: int
) -> None:
    path = tmp_path / "journal.db"
    db, _ = file.open_file(path, TurnedClock())
    db.close()
    path.write_bytes(b"no database" * 1000)
    path.with_name("journal.db-wal").write_bytes(b"no log either")
    left = [step]

    def point() -> None:
        left[0] -= 1
        if not left[0]:
            raise Crash

    rename, create, migrate = file._rename, file._create, schema.migrate

    def dying_rename(source: Path, target: Path) -> None:
        point()
        rename(source, target)
        point()

    def dying_create(place: Path, clock: Clock, *, reset: bool) -> None:
        point()
        create(place, clock, reset=reset)
        point()

    def dying_migrate(db: sqlite3.Connection, now: str) -> None:
        migrate(db, now)
        point()

    mocker.patch.object(file, "_rename", dying_rename)
    mocker.patch.object(file, "_create", dying_create)
    mocker.patch.object(file, "migrate", dying_migrate)
    with contextlib.suppress(Crash):
        file.open_file(path, TurnedClock())[0].close()
    mocker.stopall()
    db, _ = file.open_file(path, TurnedClock())
    with contextlib.closing(db):
        assert meta(db, "reset_at") is not None
    assert list(tmp_path.glob("journal.db.damaged-*"))


async def test_what_follows_a_commit_happens_also_where_the_asker_has_gone(
    journal: Journal,
) -> None:
    told: list[str] = []
    asker = asyncio.ensure_future(journal.commit(put("a"), then=lambda _: told.append("a")))
    await asyncio.sleep(0)
    asker.cancel()
    await journal.commit(put("b"), then=lambda _: told.append("b"))
    assert told == ["a", "b"]


async def test_nothing_follows_a_work_that_failed(journal: Journal) -> None:
    told: list[object] = []

    def fail(_: sqlite3.Connection) -> None:
        raise LookupError("no")

    with pytest.raises(LookupError):
        await journal.commit(fail, then=told.append)
    await journal.commit(put("b"))
    assert told == []
