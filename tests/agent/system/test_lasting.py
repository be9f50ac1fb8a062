"""What lasts is told once, then seldom; a disk that hangs does not end the agent."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from pathlib import Path

import pytest

from agent import app as application
from agent.system import sd_notify
from agent.system.lasting import Lasting
from tests.agent.parts import TurnedClock, make_app


def test_a_condition_is_told_at_growing_intervals_and_when_it_changes() -> None:
    now = 0.0
    lasting = Lasting(lambda: now)
    told = []
    for _ in range(3 * 3600):  # a look every 2 s, for six hours
        if lasting.is_news("disk full"):
            told.append(now)
        now += 2.0
    assert told == [0.0, 60.0, 660.0, 4260.0]
    assert lasting.is_news("disk gone")
    assert lasting.end()
    assert not lasting.end()
    assert lasting.is_news("disk gone")


@pytest.mark.parametrize("kind", ["slow", "unreadable"])
async def test_a_journal_that_does_not_answer_only_leaves_the_watchdog_unfed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    kind: str,
) -> None:
    app = await make_app(tmp_path, TurnedClock())
    fed = asyncio.Event()
    monkeypatch.setattr(application, "PULSE_S", 0.05)
    monkeypatch.setattr(sd_notify, "watchdog_period_s", lambda: 0.02)
    monkeypatch.setattr(sd_notify, "watchdog", fed.set)
    released = threading.Event()

    def hang(_: sqlite3.Connection) -> None:
        if kind == "unreadable":
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR
            raise error
        released.wait(30)

    if kind == "slow":
        slow = asyncio.ensure_future(app.journal.commit(hang))
    else:
        monkeypatch.setattr(app.journal, "read", lambda _: app.journal.commit(hang))
        slow = asyncio.ensure_future(asyncio.sleep(0))
    with caplog.at_level(logging.WARNING):
        feeding = asyncio.ensure_future(app._feed_watchdog())
        async with asyncio.timeout(20):
            while "no watchdog" not in caplog.text:  # noqa: ASYNC110 - a log has no event
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)
        assert not feeding.done()
        assert not fed.is_set()
        assert caplog.text.count("no watchdog") == 1
        monkeypatch.setattr(application, "PULSE_S", 20.0)
        monkeypatch.undo() if kind == "unreadable" else released.set()
        if kind == "slow":
            async with asyncio.timeout(20):
                await fed.wait()
    feeding.cancel()
    await slow
    await app.journal.close()
