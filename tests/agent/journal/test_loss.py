"""A journal that is missing, older than it was, or another: what is opened knows of the loss."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.journal.file import open_file
from agent.journal.rows import insert, meta
from tests.agent.parts import NOW, TurnedClock

MESSAGE = {"received_at": NOW, "channel": "sms", "sender": "000", "verdict": "stranger"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a journal has been in use once."""
    place = tmp_path / "state" / "journal.db"
    place.parent.mkdir()
    with opened(place) as db:
        insert(db, "messages", MESSAGE)
    return place


@contextlib.contextmanager
def opened(path: Path, clock: TurnedClock | None = None) -> Iterator[sqlite3.Connection]:
    db, _ = open_file(path, clock or TurnedClock())
    with contextlib.closing(db):
        yield db


def is_reset(path: Path) -> bool:
    with opened(path) as db:
        return meta(db, "reset_at") is not None


def messages(path: Path) -> int:
    with opened(path) as db:
        count: int = db.execute("SELECT count(*) FROM messages").fetchone()[0]
    return count


def crashed_log(path: Path, folder: Path) -> bytes:
    """The log of a process that was killed before it could check-point."""
    with opened(path) as db:
        insert(db, "messages", MESSAGE)
        shutil.copy(path.with_name("journal.db-wal"), folder / "log")
    return (folder / "log").read_bytes()


def test_a_first_start_and_every_orderly_one_is_proven(path: Path) -> None:
    assert not is_reset(path)
    assert not is_reset(path)
    assert messages(path) == 1


def test_a_journal_that_was_removed_is_a_loss(path: Path) -> None:
    path.unlink()
    assert is_reset(path)
    assert is_reset(path)


def test_the_log_of_a_removed_journal_brings_no_rows_back(path: Path, tmp_path: Path) -> None:
    log = crashed_log(path, tmp_path)
    path.unlink()
    path.with_name("journal.db-wal").write_bytes(log)
    path.with_name("journal.db.id").unlink()
    assert is_reset(path)
    assert messages(path) == 0


def test_a_journal_from_an_older_backup_is_a_loss_also_beside_a_newer_log(
    path: Path, tmp_path: Path
) -> None:
    shutil.copy(path, tmp_path / "backup")
    assert not is_reset(path)
    log = crashed_log(path, tmp_path)
    shutil.copy(tmp_path / "backup", path)
    path.with_name("journal.db-wal").write_bytes(log)
    assert is_reset(path)
    assert messages(path) == 1


def test_a_journal_from_the_backup_before_last_start_is_a_loss(path: Path, tmp_path: Path) -> None:
    shutil.copy(path, tmp_path / "backup")
    assert not is_reset(path)
    shutil.copy(tmp_path / "backup", path)
    assert is_reset(path)


def test_another_boxs_journal_is_a_loss(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "journal.db"
    for _ in range(5):
        with opened(other):
            pass
    shutil.copy(other, path)
    assert is_reset(path)


def test_a_journal_that_was_moved_to_another_folder_is_still_proven(
    path: Path, tmp_path: Path
) -> None:
    moved = tmp_path / "elsewhere" / "journal.db"
    moved.parent.mkdir()
    shutil.copy(path, moved)
    assert not is_reset(moved)
    moved.unlink()
    assert is_reset(moved)


def test_a_power_cut_before_the_check_point_is_no_loss(path: Path, tmp_path: Path) -> None:
    log = crashed_log(path, tmp_path)
    shutil.copy(path, tmp_path / "main")
    shutil.copy(tmp_path / "main", path)
    path.with_name("journal.db-wal").write_bytes(log)
    assert not is_reset(path)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"0123 many"])
def test_a_witness_that_cannot_be_read_proves_nothing(path: Path, content: bytes) -> None:
    path.with_name("journal.db.id").write_bytes(content)
    assert not is_reset(path)


def test_the_time_of_a_loss_is_known_by_ntp_alone(path: Path) -> None:
    path.unlink()
    with opened(path) as db:
        assert meta(db, "reset_elapsed_s") == "0.0"
    path.unlink()
    clock = TurnedClock()
    clock.ntp = True
    with opened(path, clock) as db:
        assert meta(db, "reset_elapsed_s") is None
