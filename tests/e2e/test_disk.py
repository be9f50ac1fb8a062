"""A disk that is full, and a journal that is damaged: nothing is acknowledged that is not kept."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from at.simulator.texts import pdus_of
from tests.e2e.conftest import MakeRoad
from tests.e2e.road import Road, parts_of


def replies_to(road: Road, id_: str) -> list[str]:
    return [reply for reply in road.replies() if reply.startswith(f"{id_} ")]


def fill(road: Road) -> None:
    """From now on no file of the agent may grow: what a full disk does to an append."""
    wal = road.agent.journal_path.with_name("journal.db-wal")
    size = max(wal.stat().st_size, road.agent.log_path.stat().st_size + 4096)
    resource.prlimit(road.agent.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def make_room(road: Road) -> None:
    endless = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    resource.prlimit(road.agent.pid, resource.RLIMIT_FSIZE, endless)


def started(road: Road) -> Road:
    """Start and run one command, so that the journal's file is larger than anything else."""
    road.start()
    for n in range(3):
        road.deliver(parts_of(f"mark id=first{n} note=x")[0])
    road.wait(lambda: len(road.replies()) == 3, "first replies")
    road.agent.wait_rows("SELECT 1 FROM reports WHERE state = 'reported'", count=3)
    return road


def test_on_a_full_disk_messages_stay_in_the_modem_until_there_is_room(make_road: MakeRoad) -> None:
    road = started(make_road(modem={"poll_s": 1}))
    fill(road)
    road.deliver(parts_of("mark id=a note=x")[0])
    road.agent.wait_log("journal unavailable")
    time.sleep(1.0)  # it tries again meanwhile
    assert road.stored() == 1
    assert "a" not in road.effects()
    assert not replies_to(road, "a")
    make_room(road)
    road.wait(lambda: replies_to(road, "a"), "reply once there is room")
    road.wait(lambda: not road.stored(), "deletion")
    assert road.effects().count("a") == 1
    road.agent.wait_log("journal writable again")
    assert road.check("a") == "succeeded"


def test_a_disk_that_fills_while_a_command_runs_costs_no_second_run_and_no_flood_of_sms(
    make_road: MakeRoad,
) -> None:
    road = started(make_road(modem={"poll_s": 1}))
    before = len(road.replies())
    # The command itself fills the disk, after it has begun and before its outcome is known.
    road.deliver(parts_of("mark id=a note=x")[0])
    road.wait(lambda: "a" in road.effects(), "effect")
    fill(road)
    for n in range(4):  # each of them wakes the reporters
        road.deliver(parts_of(f"ping id=more{n}")[0])
        time.sleep(0.5)
    told = len(road.replies()) - before
    assert told <= 2, road.replies()
    make_room(road)
    road.wait(lambda: replies_to(road, "a"), "reply once there is room")
    road.wait(lambda: all(replies_to(road, f"more{n}") for n in range(4)), "the others")
    assert road.effects().count("a") == 1
    assert len(replies_to(road, "a")) <= 2
    road.settle()


def test_what_was_told_just_before_the_disk_filled_is_not_told_at_every_round(
    make_road: MakeRoad,
) -> None:
    road = started(make_road(modem={"poll_s": 1}))
    road.deliver(parts_of("ping id=a")[0])
    road.wait(lambda: replies_to(road, "a"), "reply")
    fill(road)  # its booking is lazy: it was perhaps not synced yet
    for n in range(4):
        road.deliver(parts_of(f"ping id=more{n}")[0])
        time.sleep(0.4)
    assert len(replies_to(road, "a")) <= 2
    make_room(road)
    road.wait(lambda: all(replies_to(road, f"more{n}") for n in range(4)), "the others")
    road.settle()
    assert len(replies_to(road, "a")) <= 2


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 200 KiB, where this machine lets us mount one."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k,mode=700", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("may not mount a file system here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill_file_system(folder: Path) -> Path:
    path = folder / "filler"
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(1024)):
                pass
        except OSError:
            return path
    raise AssertionError("a file of no end")


def test_started_on_a_full_file_system_it_waits_for_room_and_then_runs(
    make_road: MakeRoad, small_disk: Path
) -> None:
    path = small_disk / "journal.db"
    road = make_road(journal={"path": str(path)}, modem={"poll_s": 1})
    road.agent.journal_path = path
    road.start()
    road.agent.wait_ready()
    road.deliver(parts_of("mark id=first note=x")[0])
    road.wait(lambda: replies_to(road, "first"), "reply")
    road.agent.kill()
    filler = fill_file_system(small_disk)
    road.deliver(parts_of("mark id=a note=x")[0], announce=False)
    road.restart()
    road.agent.wait_ready()
    road.agent.wait_log("journal unavailable")
    assert "a" not in road.effects()
    assert road.stored() == 1
    filler.unlink()
    road.wait(lambda: replies_to(road, "a"), "reply once there is room")
    assert road.effects().count("a") == 1
    road.settle()


def damage(path: Path, how: str) -> None:
    if how == "empty":
        path.write_bytes(b"")
    elif how == "no database":
        path.write_bytes(b"not a database at all\n" * 500)
    elif how == "cut in half":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2 // 1024 * 1024])
    else:
        content = bytearray(path.read_bytes())
        content[1024 : 1024 * 8] = b"\xa5" * (1024 * 7)
        path.write_bytes(bytes(content))


@pytest.mark.parametrize("how", ["empty", "no database", "cut in half", "pages overwritten"])
def test_a_damaged_journal_is_set_aside_and_what_cannot_be_proven_is_refused(
    road: Road, how: str
) -> None:
    road.start()
    old = parts_of("mark id=a note=x")[0]
    road.deliver(old)
    road.wait(lambda: replies_to(road, "a"), "reply")
    assert road.agent.stop() == 0
    damage(road.agent.journal_path, how)
    road.restart()
    road.agent.wait_ready()
    assert "damaged" in road.agent.log
    assert list(road.agent.journal_path.parent.glob("journal.db.damaged-*"))
    # The same message again: nobody knows any more that it has been run.
    road.deliver(old)
    road.wait(lambda: len(replies_to(road, "a")) == 2, "refusal")
    assert replies_to(road, "a")[1].startswith("a ER unproven")
    assert road.effects() == ["a"]
    # What changes nothing is answered, and what was surely sent since then is run.
    later = datetime.now(UTC) + timedelta(minutes=1)
    for pdu in pdus_of("000", "mark id=b note=x", later):
        road.deliver(pdu)
    road.wait(lambda: replies_to(road, "b"), "reply")
    assert road.effects() == ["a", "b"]
    road.settle()


def test_the_protection_after_damage_survives_a_restart(road: Road) -> None:
    road.start()
    road.wait(road.agent.journal_path.exists, "journal")
    road.agent.wait_ready()
    road.agent.kill()
    damage(road.agent.journal_path, "no database")
    for _ in range(2):
        road.restart()
        road.agent.wait_ready()
    road.deliver(parts_of("mark id=a note=x")[0])
    road.wait(lambda: replies_to(road, "a"), "refusal")
    assert replies_to(road, "a")[0].startswith("a ER unproven")
    assert road.effects() == []
