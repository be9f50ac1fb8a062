"""The command line's own small tools: terminal text, times, read-only journals."""

from __future__ import annotations

import argparse
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from agent.cli.main import main
from agent.cli.terminal import pairs, printable, span, table
from agent.cli.times import moment
from agent.journal.readonly import ReadOnlyError, empty_journal, open_read_only
from agent.journal.schema import VERSION, migrate

NOW = datetime.fromisoformat("2026-11-21T12:30:00+01:00")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 世", "plain é 世"),
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("two\r\nlines\t", "two\\r\\nlines\\t"),
        ("\x07\x9b\x00", "\\x07\\x9b\\x00"),
        ("\u202eright to left", "\\u202eright to left"),
        ("\ud800", "\\ud800"),
        ("\U000e0001", "\\U000e0001"),
    ],
)
def test_text_of_strangers_cannot_command_the_terminal(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_table_fits_the_terminal_of_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    rows = [("a", "世界", "x" * 50), ("bb", "c", "short")]
    lines = table(rows, ("ONE", "TWO", "TEXT"), person=True)
    assert lines == [
        "ONE  TWO   TEXT",
        "a    世界  " + "x" * 18 + "…",
        "bb   c     short",
    ]
    assert table(rows, ("ONE", "TWO", "TEXT"), person=False) == [
        "a   世界  " + "x" * 50,
        "bb  c     short",
    ]


def test_values_and_durations() -> None:
    assert pairs({"up": 5, "text": "a b", "on": True}) == 'up=5 text="a b" on=true'
    assert [span(s) for s in (0, 59.9, 60, 3700, 90061)] == [
        "0 s",
        "59 s",
        "1 min",
        "1 h 1 min",
        "1 d 1 h",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2h", NOW - timedelta(hours=2)),
        ("90s", NOW - timedelta(seconds=90)),
        ("15m", NOW - timedelta(minutes=15)),
        ("1w", NOW - timedelta(days=7)),
        ("2026-11-20T10:00Z", datetime.fromisoformat("2026-11-20T10:00:00+00:00")),
        ("2026-11-20T10:00:05+02:00", datetime.fromisoformat("2026-11-20T10:00:05+02:00")),
    ],
)
def test_moments(text: str, expected: datetime) -> None:
    assert moment(text, NOW) == expected


def test_moments_of_today_are_of_this_machines_zone() -> None:
    here = NOW.astimezone()
    assert moment("today", NOW) == here.replace(hour=0, minute=0)
    assert moment("9:05", NOW) == here.replace(hour=9, minute=5)
    assert moment("2026-11-20", NOW).utcoffset() is not None


@pytest.mark.parametrize("text", ["", "soon", "25:00", "2026-13-01", "-2h", "2x", "9999999h"])
def test_no_moment(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="no time"):
        moment(text, NOW)


def test_journal_of_another_schema_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    db = sqlite3.connect(path, isolation_level=None)
    migrate(db, "2026-11-21T00:00:00Z")
    db.execute(f"PRAGMA user_version={VERSION + 1}")
    db.close()
    with pytest.raises(ReadOnlyError, match=f"schema {VERSION + 1}"), open_read_only(path):
        pass


def test_read_only_journal_cannot_be_written(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    db = sqlite3.connect(path, isolation_level=None)
    migrate(db, "2026-11-21T00:00:00Z")
    db.close()
    with (
        open_read_only(path) as found,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        found.execute("DELETE FROM messages")


def test_what_the_reader_of_a_journal_does_wrong_is_not_the_journals_fault(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    db = sqlite3.connect(path, isolation_level=None)
    migrate(db, "2026-11-21T00:00:00Z")
    db.close()
    with pytest.raises(BrokenPipeError), open_read_only(path):
        raise BrokenPipeError


def test_empty_journal_has_the_tables_and_no_row() -> None:
    with empty_journal("2026-11-21T00:00:00Z") as db:
        assert db.execute("SELECT count(*) FROM messages").fetchone() == (0,)


def test_file_of_the_configuration_may_be_called_like_a_sub_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["--config", "run", "config", "check"]) == 78
    assert "run: 1 problem" in capsys.readouterr().err
