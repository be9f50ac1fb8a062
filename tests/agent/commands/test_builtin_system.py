"""`reboot`, `restart`, `cancel`: what must be proven after the process has ended."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.app import App
from agent.journal.rows import CommandRow, command, find_command, move_command
from tests.agent.parts import TurnedClock, arrival, make_app

BOOT, OTHER_BOOT = "0" * 32, "1" * 32


@pytest.fixture
def systemctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A systemctl that notes what it is asked and answers as `answer` and `status` say."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "systemctl"
    script.write_text(
        f'#!/bin/sh\necho "$*" >>{folder}/asked\ncat {folder}/answer 2>/dev/null\n'
        f"exit $(cat {folder}/status 2>/dev/null || echo 0)\n"
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def asked(systemctl: Path) -> list[str]:
    path = systemctl / "asked"
    return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
async def app(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, systemctl: Path
) -> AsyncIterator[App]:
    monkeypatch.setenv("BOOT_ID", BOOT)
    monkeypatch.setattr("agent.commands.builtin.reboot.STILL_HERE_S", 0.05)
    made = await make_app(tmp_path, TurnedClock())
    yield made
    await made.journal.close()


async def admit(app: App, text: str) -> CommandRow:
    recorded = await app.intake.admit(arrival(text))
    n = recorded.command
    assert n is not None
    return await app.journal.read(lambda db: command(db, n))


async def now(app: App, row: CommandRow) -> CommandRow:
    return await app.journal.read(lambda db: command(db, row.n))


async def leave_running(app: App, row: CommandRow) -> None:
    """As a process leaves it that ended while the command ran."""
    await app.journal.commit(
        lambda db: move_command(db, row.n, "start", {"boot_id": BOOT, "started_at": app.now()})
    )


async def test_reboot_asks_systemd_once_and_only_after_running_is_on_disk(
    app: App, systemctl: Path
) -> None:
    row = await admit(app, "reboot id=a")
    await app.executor.execute(row)
    assert asked(systemctl) == ["reboot"]
    ended = await now(app, row)
    assert ended.boot_id == BOOT
    assert (ended.state, ended.reason) == ("failed", "error")  # the box is still up


async def test_the_delay_of_a_reboot_passes_before_it_runs(app: App, systemctl: Path) -> None:
    row = await admit(app, "reboot delay=60 id=a")
    assert row.state == "scheduled"
    assert asked(systemctl) == []


async def test_another_boot_id_at_the_next_start_is_the_proof(
    app: App, monkeypatch: pytest.MonkeyPatch, systemctl: Path
) -> None:
    row = await admit(app, "reboot id=a")
    await leave_running(app, row)
    monkeypatch.setenv("BOOT_ID", OTHER_BOOT)
    await app.executor.recover()
    ended = await now(app, row)
    assert (ended.state, dict(ended.result)) == ("succeeded", {"boot": "changed"})
    assert "reboot" not in asked(systemctl)


async def test_the_same_boot_id_is_a_failure_and_it_is_not_rebooted_again(
    app: App, systemctl: Path
) -> None:
    row = await admit(app, "reboot id=a")
    await leave_running(app, row)
    await app.executor.recover()
    assert (await now(app, row)).state == "failed"
    assert "reboot" not in asked(systemctl)


async def test_while_the_box_goes_down_nothing_is_decided(app: App, systemctl: Path) -> None:
    (systemctl / "answer").write_text("stopping\n")
    (systemctl / "status").write_text("1")
    row = await admit(app, "reboot id=a")
    await leave_running(app, row)
    await app.executor.recover()
    assert (await now(app, row)).state == "running"


async def test_without_a_boot_id_a_reboot_is_refused(
    app: App, monkeypatch: pytest.MonkeyPatch, systemctl: Path
) -> None:
    monkeypatch.setenv("BOOT_ID", "none")
    row = await admit(app, "reboot id=a")
    if row.state == "accepted":
        await app.executor.execute(row)
    assert (await now(app, row)).state in ("rejected", "failed")
    assert asked(systemctl) == []


async def test_a_reboot_that_may_not_be_says_what_is_missing(app: App, systemctl: Path) -> None:
    (systemctl / "answer").write_text("Interactive authentication required: not authorized\n")
    (systemctl / "status").write_text("1")
    row = await admit(app, "reboot id=a")
    await app.executor.execute(row)
    ended = await now(app, row)
    assert ended.state == "failed"
    assert "polkit" in ended.detail


async def test_a_reboot_that_comes_twice_reboots_once(
    app: App, monkeypatch: pytest.MonkeyPatch, systemctl: Path
) -> None:
    row = await admit(app, "reboot id=a")
    await leave_running(app, row)
    again = await app.intake.admit(arrival("reboot id=a"))
    assert again.judgement.verdict == "duplicate"
    monkeypatch.setenv("BOOT_ID", OTHER_BOOT)
    await app.executor.recover()
    again = await app.intake.admit(arrival("reboot id=a"))
    assert again.judgement.verdict == "duplicate"
    assert "reboot" not in asked(systemctl)


async def test_restart_ends_the_process_and_is_told_by_the_next_one(app: App) -> None:
    row = await admit(app, "restart id=a")
    await app.executor.execute(row)
    assert (await now(app, row)).state == "running"
    assert app._stop.is_set()
    await app.executor.recover()
    assert (await now(app, row)).state == "succeeded"


async def test_cancel_takes_back_what_has_not_begun_and_tells_both(app: App) -> None:
    target = await admit(app, "mark when=+1h id=t")
    row = await admit(app, "cancel target=t id=c")
    await app.executor.execute(row)
    assert (await now(app, row)).state == "succeeded"
    assert (await now(app, target)).state == "cancelled"
    told = await app.journal.read(
        lambda db: db.execute("SELECT command FROM reports ORDER BY n").fetchall()
    )
    assert sorted(told) == sorted([(target.n,), (row.n,)])


@pytest.mark.parametrize("target", ["nobody", "t"])
async def test_cancel_of_what_is_not_there_or_has_begun_fails(app: App, target: str) -> None:
    begun = await admit(app, "mark id=t")
    await leave_running(app, begun)
    row = await admit(app, f"cancel target={target} id=c")
    await app.executor.execute(row)
    assert (await now(app, row)).state == "failed"
    assert (await now(app, begun)).state == "running"


async def test_cancel_that_ended_between_its_two_commits_is_told_as_done(app: App) -> None:
    await admit(app, "mark when=+1h id=t")
    row = await admit(app, "cancel target=t id=c")
    await app.executor.execute(row)
    # As if the process had ended before the outcome was on disk.
    await app.journal.commit(
        lambda db: db.execute("UPDATE commands SET state = 'running' WHERE n = ?", (row.n,))
    )
    await app.executor.recover()
    again = await now(app, row)
    if again.state != "succeeded":
        await app.executor.execute(again)
    assert (await now(app, row)).state == "succeeded"


async def test_a_cancelled_id_is_not_free(app: App) -> None:
    await admit(app, "mark when=+1h id=t")
    await app.executor.execute(await admit(app, "cancel target=t id=c"))
    again = await app.intake.admit(arrival("mark when=+1h id=t"))
    assert again.judgement.verdict == "duplicate"
    found = await app.journal.read(lambda db: find_command(db, "", "t"))
    assert found is not None
    assert found.state == "cancelled"
