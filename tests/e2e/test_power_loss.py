"""Power cuts: what a disk may hold after one, and what the agent makes of it.

docs/crash-safety.md says what is shown here, and what is not.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.journal.file import open_file
from tests.agent.parts import TurnedClock
from tests.e2e.forked import ForkServer
from tests.e2e.road import EFFECT, Road, parts_of
from tests.e2e.workers import failures, run_all

ID = "p1"
PDUS = parts_of(f"mark id={ID} note=" + "x" * 200)
WAL_HEADER = 32  # octets, sqlite.org/fileformat.html §4.1
FRAME_HEADER = 24
NOW = datetime(2026, 6, 1, tzinfo=UTC)

SYNCED = "commit, after"


@dataclass(frozen=True)
class Moment:
    """The world between two syncs, at its worst for the agent.

    disk: the journal's files as of the last sync. deleted, effects, told: what the modem, the box
    and the sender had seen at the latest when the next sync had not happened yet.
    """

    number: int
    disk: Path
    deleted: frozenset[int]
    effects: int
    told: int


@dataclass(frozen=True)
class Run:
    """An undisturbed run, recorded. places: index in the modem -> PDU."""

    places: dict[int, str]
    moments: list[Moment]
    copies: list[Path]


@pytest.fixture(scope="module")
def recorded(fork_server: ForkServer, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run the road once: two parts live, one command, one reply; copy the disk at each sync."""
    folder = tmp_path_factory.mktemp("recorded")
    copies = folder / "copies"
    copies.mkdir()
    with Road(fork_server, folder, traced=True) as road:
        road.start(copies=str(copies))
        road.agent.wait_log("modem ready")
        places: dict[int, str] = {}
        for pdu in reversed(PDUS):
            index = road.deliver(pdu)
            assert index is not None
            assert index not in places, "one index for each part keeps this test simple"
            places[index] = pdu
        road.wait(road.replies, "reply")
        road.wait(lambda: not road.stored(), "deletion")
        road.agent.wait_rows("SELECT 1 FROM reports WHERE state = 'reported'")
        road.agent.kill()
        points = road.points()
    # The last lazy commit may have been cut off between its copy and its mark.
    disks = sorted(copies.iterdir())[: points.count(SYNCED)]
    return Run(places, _moments(points, disks), disks)


def _moments(points: list[str], disks: list[Path]) -> list[Moment]:
    """Cut the recorded run into the spans between one finished commit and the next."""
    syncs = [n for n, name in enumerate(points) if name == SYNCED]
    assert len(syncs) == len(disks)
    moments = []
    for number, disk in enumerate(disks):
        until = syncs[number + 1] if number + 1 < len(syncs) else len(points)
        seen = points[:until]
        deleted = {
            int(name.split("=")[1].split(",")[0])
            for name in seen
            if name.startswith("AT+CMGD=") and name.endswith(", written")
        }
        told = sum(name == "the message's body, written" for name in seen)
        moments.append(Moment(number + 1, disk, frozenset(deleted), seen.count(EFFECT), told))
    return moments


def _after_power_cut(server: ForkServer, folder: Path, moment: Moment, run: Run) -> str:
    """Start from what the disk held; returns the command's final state."""
    with Road(server, folder) as road:
        for name in ("journal.db", "journal.db-wal"):
            shutil.copyfile(moment.disk / name, road.agent.journal_path.with_name(name))
        road.effects_path.write_text(f"{ID}\n" * moment.effects)
        for index, pdu in run.places.items():
            if index not in moment.deleted:
                road.deliver(pdu, announce=False)
        road.agent.start(wait_ready=False)
        if not moment.told:
            road.wait(lambda: any(r.startswith(f"{ID} ") for r in road.replies()), "reply")
        road.settle()
        told = [reply for reply in road.replies() if reply.startswith(f"{ID} ")]
        for pdu in PDUS:
            road.deliver(pdu)
        road.wait(lambda: not road.stored(), "repeats deleted")
        state = road.check(ID)
        for reply in told:
            assert reply.startswith(f"{ID} OK" if state == "succeeded" else f"{ID} ER interrupted")
        if moment.told:
            assert state == "succeeded", "told as done, and forgotten"
    return state


@pytest.mark.timeout(120)
def test_from_the_disk_as_of_every_sync_nothing_acknowledged_is_lost_and_nothing_runs_twice(
    recorded: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def one(server: ForkServer, folder: Path, moment: Moment) -> str:
        return _after_power_cut(server, folder, moment, recorded)

    trials = list(run_all(recorded.moments, one, tmp_path))
    assert not failures(trials), failures(trials)
    ended = {trial.case.number: trial.result for trial in trials}
    with capsys.disabled():
        print(f"\n  power cut after each of {len(ended)} syncs, ended {ended}")
    assert {"succeeded", "interrupted"} <= set(ended.values())


def test_a_message_is_deleted_only_after_the_sync_that_keeps_it(recorded: Run) -> None:
    assert len(recorded.places) == 2
    for moment in recorded.moments:
        for index in moment.deleted:
            assert _holds(moment.disk, recorded.places[index]), (moment.number, index)


def _holds(disk: Path, pdu: str) -> bool:
    return any(pdu in row for row in _content(disk)["segments"])


def _content(disk: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of the journal in a folder, which is not touched."""
    with contextlib.closing(sqlite3.connect(":memory:")) as copy:
        place = disk.with_name(f"{disk.name}-read")
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(disk, place)
        with contextlib.closing(sqlite3.connect(place / "journal.db")) as db:
            db.backup(copy)
        shutil.rmtree(place)
        names = copy.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        return {
            name: copy.execute(f"SELECT * FROM {name}").fetchall()
            for (name,) in names.fetchall()
            if not name.startswith("sqlite_")
        }


def _torn(before: bytes, after: bytes) -> list[tuple[str, bytes]]:
    """Everything a disk may hold of the frames that were not synced yet: cut, torn, with holes."""
    page = struct.unpack(">I", after[8:12])[0]
    frame = FRAME_HEADER + page
    start = max(len(before), WAL_HEADER)
    assert (start - WAL_HEADER) % frame == 0
    edges = range(start, len(after), frame)
    torn = []
    for edge in edges:
        torn.append((f"cut at {edge}", after[:edge]))
        torn += [(f"torn at {edge}+{n}", after[: edge + n]) for n in (1, 23, 24, page // 2, page)]
        hole = after[:edge] + bytes(frame) + after[edge + frame :]
        torn.append((f"hole at {edge}", hole))
        garbage = after[:edge] + b"\xa5" * frame + after[edge + frame :]
        torn.append((f"garbage at {edge}", garbage))
    return torn


def test_a_torn_or_missing_frame_brings_back_exactly_what_the_last_sync_held(
    recorded: Run, tmp_path: Path
) -> None:
    tried = 0
    for earlier, later in zip(recorded.copies, recorded.copies[1:], strict=False):
        before = (earlier / "journal.db-wal").read_bytes()
        after = (later / "journal.db-wal").read_bytes()
        assert after.startswith(before), "no check-point in this short run"
        if after == before:
            continue  # a commit that had nothing to write
        kept = _content(earlier)
        assert kept != _content(later)
        for what, wal in _torn(before, after):
            disk = tmp_path / f"{tried}"
            disk.mkdir()
            shutil.copyfile(earlier / "journal.db", disk / "journal.db")
            (disk / "journal.db-wal").write_bytes(wal)
            assert _content(disk) == kept, f"{later.name}: {what}"
            # The agent's own opening: nothing is taken for damage, nothing is set aside.
            db, damaged = open_file(disk / "journal.db", TurnedClock())
            db.close()
            assert damaged is None, f"{later.name}: {what}"
            shutil.rmtree(disk)
            tried += 1
    assert tried > 100


def test_the_journal_syncs_every_commit_to_the_disk(tmp_path: Path) -> None:
    db, _ = open_file(tmp_path / "journal.db", TurnedClock())
    with contextlib.closing(db):
        assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert db.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL
