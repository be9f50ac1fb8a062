"""Elapsed time: nobody can set it, and it goes on over restarts."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from agent.journal import elapsed, schema
from agent.journal.file import open_file
from agent.journal.rows import elapsed_s, insert, meta
from agent.system.clock import from_iso
from tests.agent.parts import NOW, TurnedClock

DAY_S = 86400.0
BOOTS = ("0" * 32, "1" * 32, "2" * 32)


class Box:
    """A gateway: its journal, and clocks that a test turns."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._path = folder / "journal.db"
        self._monkeypatch = monkeypatch
        self.clock = TurnedClock()
        self.boot(0)

    def boot(self, number: int, *, up_s: float = 10.0) -> None:
        """Start the box anew; its wall clock stays where it was."""
        self._monkeypatch.setenv("BOOT_ID", BOOTS[number])
        before, self.clock = self.clock, TurnedClock(self.clock.now)
        self.clock.ntp = before.ntp
        self.clock.up_s = up_s

    @contextlib.contextmanager
    def journal(self) -> Iterator[sqlite3.Connection]:
        """An agent's life."""
        db, _ = open_file(self._path, self.clock)
        with contextlib.closing(db):
            yield db

    def elapsed_s(self) -> float:
        with self.journal() as db:
            return elapsed_s(db)

    def note(self) -> None:
        with self.journal() as db:
            insert(db, "messages", MESSAGE)

    def anchor(self) -> None:
        """What housekeeping does every few hours."""
        with self.journal() as db:
            db.execute("BEGIN")
            elapsed.anchor(db, self.clock)
            db.execute("COMMIT")


MESSAGE = {"received_at": NOW, "channel": "sms", "sender": "000", "verdict": "stranger"}


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Box:
    return Box(tmp_path, monkeypatch)


def test_it_begins_with_the_journal_and_goes_on_over_a_restart_of_the_agent(box: Box) -> None:
    assert box.elapsed_s() == 0
    box.clock.turn(40)
    assert box.elapsed_s() == 40
    box.clock.set(-300 * DAY_S)
    box.clock.turn(2)
    assert box.elapsed_s() == 42


def test_it_goes_on_after_a_boot_from_the_newest_row(box: Box) -> None:
    assert box.elapsed_s() == 0
    box.clock.turn(1000)
    box.note()
    box.clock.turn(500)  # nothing is written: a power cut loses it
    box.boot(1)
    assert box.elapsed_s() == 1000
    box.clock.turn(7)
    assert box.elapsed_s() == 1007


def test_an_idle_box_that_loses_power_every_day_ages_all_the_same(box: Box) -> None:
    for day in range(3):
        box.boot(day)
        box.elapsed_s()
        box.clock.turn(DAY_S / 2)
        box.anchor()
    box.boot(0)
    assert box.elapsed_s() == 3 * DAY_S / 2


@pytest.mark.parametrize("days", [-400, 40, 12_000])
def test_a_wall_clock_set_between_two_boots_counts_for_nothing(box: Box, days: int) -> None:
    box.note()
    box.boot(1)
    box.clock.set(days * DAY_S)
    box.anchor()
    assert box.elapsed_s() == 0


def test_what_ntp_vouches_for_before_and_after_a_boot_counts(box: Box) -> None:
    box.clock.ntp = True
    box.anchor()
    box.clock.turn(3600)
    box.boot(1)
    box.clock.now += timedelta(days=40)  # so long it was off
    box.anchor()
    assert box.elapsed_s() == pytest.approx(40 * DAY_S + 3600, abs=10)
    box.anchor()
    assert box.elapsed_s() == pytest.approx(40 * DAY_S + 3600, abs=10)


@pytest.mark.parametrize("order", [(True, False), (False, True)])
def test_one_end_that_ntp_vouches_for_is_not_enough(box: Box, order: tuple[bool, bool]) -> None:
    box.clock.ntp = order[0]
    box.anchor()
    box.boot(1)
    box.clock.ntp = order[1]
    box.clock.now += timedelta(days=40)
    box.anchor()
    assert box.elapsed_s() == 0


def test_ntp_that_comes_late_counts_what_lay_before_the_boot(box: Box) -> None:
    box.clock.ntp = True
    box.anchor()
    box.boot(1)
    box.clock.ntp = False
    box.clock.now += timedelta(days=3)
    box.anchor()
    box.clock.turn(3600)
    box.clock.ntp = True
    box.anchor()
    assert box.elapsed_s() == pytest.approx(3 * DAY_S + 3600, abs=20)


def test_in_one_boot_a_step_of_the_wall_clock_counts_for_nothing_whoever_vouches(box: Box) -> None:
    box.clock.ntp = True
    box.anchor()
    box.clock.set(400 * DAY_S)
    box.anchor()
    assert box.elapsed_s() == 0


def test_rows_of_an_older_journal_count_from_its_migration_on(
    box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal.db"
    monkeypatch.setattr(schema, "VERSION", 1)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as old:
        schema.migrate(old, "2020-01-01T00:00:00.000Z")
        old.execute(
            "INSERT INTO messages (received_at, channel, sender, verdict)"
            " VALUES ('2020-01-01T00:00:00.000Z', 'sms', '000', 'stranger')"
        )
        assert meta(old, "elapsed") is None
    monkeypatch.undo()
    box.boot(0, up_s=90 * DAY_S)
    with box.journal() as db:
        assert db.execute("SELECT elapsed() - elapsed_s FROM messages").fetchone()[0] == 0


def test_without_a_boot_id_it_still_never_goes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = Box(tmp_path, monkeypatch)
    monkeypatch.setattr("agent.journal.elapsed.boot_id", lambda: None)
    with box.journal() as db:
        box.clock.turn(100)
        insert(db, "messages", MESSAGE)
    box.clock.up_s = 3.0
    assert box.elapsed_s() >= 100


def test_the_moment_of_the_anchor_is_a_time_that_can_be_read_back(box: Box) -> None:
    box.clock.ntp = True
    box.anchor()
    with box.journal() as db:
        text = meta(db, "elapsed") or ""
    assert from_iso(json.loads(text)["synchronised"][0]) == NOW
