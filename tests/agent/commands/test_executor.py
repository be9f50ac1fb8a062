from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from agent.app import App
from agent.commands.registry import Call, Handler, Outcome
from agent.journal.journal import JournalUnavailableError
from agent.journal.rows import CommandRow, command, move_command
from tests.agent.parts import TurnedClock, arrival, make_app

BOOT = "0" * 32


@pytest.fixture
async def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[App]:
    monkeypatch.setenv("BOOT_ID", BOOT)
    made = await make_app(tmp_path, TurnedClock())
    yield made
    await made.journal.close()


def replace_mark(app: App, **how: Any) -> None:
    """Give `mark` another handler."""
    app.registry._handlers["mark"] = Handler(**{"name": "mark", "summary": "", **how})


async def accepted(app: App, text: str = "mark id=a") -> CommandRow:
    recorded = await app.intake.admit(arrival(text))
    n = recorded.command
    assert n is not None
    return await app.journal.read(lambda db: command(db, n))


async def now(app: App, row: CommandRow) -> CommandRow:
    return await app.journal.read(lambda db: command(db, row.n))


async def reports(app: App) -> int:
    return await app.journal.read(
        lambda db: int(db.execute("SELECT count(*) FROM reports").fetchone()[0])
    )


async def test_running_is_on_disk_before_the_side_effect(app: App) -> None:
    seen: list[tuple[str, str | None]] = []

    async def run(call: Call) -> Outcome:
        row = await app.journal.read(lambda db: command(db, call.n))
        seen.append((row.state, row.boot_id))
        return Outcome.ok()

    replace_mark(app, run=run)
    row = await accepted(app)
    commits = app.journal.commits
    await app.executor.execute(row)
    assert seen == [("running", BOOT)]
    assert app.journal.commits == commits + 2


async def test_outcome_and_reports_are_one_commit(app: App) -> None:
    row = await accepted(app)
    await app.executor.execute(row)
    ended = await now(app, row)
    assert ended.state == "succeeded"
    assert ended.finished_at is not None
    assert await reports(app) == 1


async def test_an_error_of_a_handler_is_an_outcome(app: App) -> None:
    async def run(_: Call) -> Outcome:
        raise ZeroDivisionError("division by zero")

    replace_mark(app, run=run)
    row = await accepted(app)
    await app.executor.execute(row)
    ended = await now(app, row)
    assert (ended.state, ended.reason) == ("failed", "error")
    assert "ZeroDivisionError" in ended.detail


async def test_a_handler_that_takes_too_long_is_cancelled_and_timed_out(app: App) -> None:
    cancelled = asyncio.Event()

    async def run(_: Call) -> Outcome:
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.set()
        return Outcome.ok()

    replace_mark(app, run=run, timeout_s=0.05)
    row = await accepted(app)
    await app.executor.execute(row)
    ended = await now(app, row)
    assert (ended.state, ended.reason) == ("timed-out", "timeout")
    assert cancelled.is_set()


async def test_an_orderly_end_leaves_the_row_running_for_the_next_start(app: App) -> None:
    begun = asyncio.Event()

    async def run(_: Call) -> Outcome:
        begun.set()
        await asyncio.sleep(60)
        return Outcome.ok()

    replace_mark(app, run=run)
    row = await accepted(app)
    task = asyncio.ensure_future(app.executor.execute(row))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await now(app, row)).state == "running"


async def test_what_was_running_at_a_crash_is_interrupted_and_told_not_run_again(
    app: App, tmp_path: Path
) -> None:
    row = await accepted(app)
    await app.journal.commit(lambda db: move_command(db, row.n, "start"))
    await app.executor.recover()
    ended = await now(app, row)
    assert (ended.state, ended.reason) == ("interrupted", "interrupted")
    assert await reports(app) == 1
    assert not (tmp_path / "effects").exists()


async def test_an_idempotent_command_is_run_again_after_a_crash(app: App) -> None:
    async def run(_: Call) -> Outcome:
        return Outcome.ok()

    replace_mark(app, run=run, idempotent=True)
    row = await accepted(app)
    await app.journal.commit(lambda db: move_command(db, row.n, "start"))
    await app.executor.recover()
    assert (await now(app, row)).state in ("scheduled", "accepted")


@pytest.mark.parametrize(
    "text",
    [
        "mark id=a",
        "mark when=NextBoot id=a",
        "mark when=+2h id=a",
        "mark when=2026-06-01T14:00:00Z id=a",
    ],
)
async def test_whatever_it_had_waited_for_it_runs_again_at_once(
    app: App, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    async def run(_: Call) -> Outcome:
        return Outcome.ok()

    clock = cast("TurnedClock", app.clock)
    clock.trust = True
    replace_mark(app, run=run, idempotent=True)
    row = await accepted(app, text)
    clock.turn(7201)
    monkeypatch.setenv("BOOT_ID", "b" * 32)
    begun = {"started_at": clock.now, "boot_id": "b" * 32}
    await app.journal.commit(lambda db: move_command(db, row.n, "start", begun))
    clock.turn(100)
    started: list[str] = []
    monkeypatch.setattr(app.scheduler, "_start", lambda row: started.append(row.id))
    await app.executor.recover()
    await app.scheduler.adopt()
    await app.scheduler._dispatch()
    assert started == ["a"]


async def test_past_its_expiry_it_is_interrupted_and_not_run_again(app: App) -> None:
    async def run(_: Call) -> Outcome:
        return Outcome.ok()

    clock = cast("TurnedClock", app.clock)
    clock.trust = True
    replace_mark(app, run=run, idempotent=True)
    row = await accepted(app, "mark exp=+1h id=a")
    await app.journal.commit(lambda db: move_command(db, row.n, "start"))
    clock.turn(3601)
    await app.executor.recover()
    ended = await now(app, row)
    assert (ended.state, ended.reason) == ("interrupted", "interrupted")
    assert "expired" in ended.detail


async def test_a_command_whose_handler_is_gone_fails_and_is_told(app: App) -> None:
    row = await accepted(app)
    del app.registry._handlers["mark"]
    await app.executor.execute(row)
    ended = await now(app, row)
    assert (ended.state, ended.reason) == ("failed", "unknown-command")
    assert await reports(app) == 1


async def test_a_command_that_was_cancelled_meanwhile_is_not_begun(
    app: App, tmp_path: Path
) -> None:
    row = await accepted(app)
    await app.journal.commit(lambda db: move_command(db, row.n, "cancel"))
    await app.executor.execute(row)
    assert (await now(app, row)).state == "cancelled"
    assert not (tmp_path / "effects").exists()


async def test_an_outcome_waits_for_the_disk_and_the_command_is_not_run_again(
    app: App, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("agent.commands.executor.RETRY_S", 0.01)
    commit = app.journal.commit
    refused = [0]

    async def refusing(work: Any, **how: Any) -> Any:
        effects = tmp_path / "effects"
        if effects.exists() and refused[0] < 3:
            refused[0] += 1
            raise JournalUnavailableError("full")
        return await commit(work, **how)

    monkeypatch.setattr(app.journal, "commit", refusing)
    row = await accepted(app)
    await app.executor.execute(row)
    assert refused[0] == 3
    assert (await now(app, row)).state == "succeeded"
    assert (tmp_path / "effects").read_text().split() == ["a"]


@pytest.mark.parametrize(
    ("script", "state", "reason"),
    [("exit 0", "succeeded", ""), ("exit 7", "failed", "exit-7"), ("kill -9 $$", "failed", None)],
)
async def test_a_program_s_end_is_the_command_s(
    tmp_path: Path, script: str, state: str, reason: str | None
) -> None:
    app = await make_app(tmp_path, None, {"command": {"mark": {"exec": ["/bin/sh", "-c", script]}}})
    row = await accepted(app)
    await app.executor.execute(row)
    ended = await now(app, row)
    assert ended.state == state
    assert reason is None or ended.reason == reason
    await app.journal.close()
