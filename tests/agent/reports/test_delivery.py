from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from agent.app import App
from agent.journal.rows import set_meta
from agent.reports.channel import Booking, GiveUpError, Report, RetryError
from agent.reports.delivery import LOOK_EVERY_S, Reporter
from tests.agent.parts import TurnedClock, arrival, make_app


class Channel:
    """A channel that does what it is told, and notes what it was asked."""

    at_once = 1
    patience_s: float | None = 72 * 3600.0

    def __init__(self, name: str = "sms") -> None:
        self.name = name
        self.told: list[str] = []
        self.ends: list[Exception | Booking | None] = []

    async def ready(self) -> None:
        return

    async def deliver(self, report: Report) -> Booking | None:
        assert report.command is not None
        self.told.append(report.command.id)
        end = self.ends.pop(0) if self.ends else None
        if isinstance(end, Exception):
            raise end
        return end


class Bench:
    def __init__(self, app: App, clock: TurnedClock, channel: Channel) -> None:
        self.app, self.clock, self.channel = app, clock, channel
        self.reporter = Reporter(app.journal, clock, app.events, channel)

    async def refuse(self, *ids: str) -> None:
        """Let commands be refused: each plans one report by SMS."""
        for id_ in ids:
            await self.app.intake.admit(arrival(f"mark x=1 id={id_}", received_at=self.clock.now))

    async def round(self) -> float:
        return await self.reporter._round()

    async def states(self) -> list[str]:
        rows = await self.app.journal.read(
            lambda db: db.execute("SELECT state FROM reports ORDER BY n").fetchall()
        )
        return [row[0] for row in rows]


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    clock = TurnedClock()
    app = await make_app(tmp_path, clock)
    yield Bench(app, clock, Channel())
    await app.journal.close()


async def test_reports_are_told_in_order_and_once(bench: Bench) -> None:
    await bench.refuse("a", "b", "c")
    assert await bench.round() == LOOK_EVERY_S
    assert bench.channel.told == ["a", "b", "c"]
    assert await bench.states() == ["reported"] * 3
    await bench.round()
    assert bench.channel.told == ["a", "b", "c"]


async def test_what_failed_is_tried_again_later_and_less_and_less_often(bench: Bench) -> None:
    await bench.refuse("a")
    bench.channel.ends = [RetryError("no network") for _ in range(5)]
    waits = []
    for _ in range(5):
        wait_s = await bench.round()
        assert wait_s is not None
        waits.append(wait_s)
        bench.clock.turn(wait_s)
    assert waits == sorted(waits)
    assert waits[0] < 10
    await bench.round()
    assert await bench.states() == ["reported"]


async def test_a_permanent_error_ends_it(bench: Bench) -> None:
    await bench.refuse("a")
    bench.channel.ends = [GiveUpError("barred")]
    await bench.round()
    assert await bench.states() == ["undeliverable"]


async def test_after_72_hours_of_tries_it_is_undeliverable(bench: Bench) -> None:
    await bench.refuse("a")
    bench.channel.ends = [RetryError("no network") for _ in range(1000)]
    begun = bench.clock.now
    while (await bench.states()) == ["pending"]:
        bench.clock.turn(await bench.round())
    hours = (bench.clock.now - begun) / timedelta(hours=1)
    assert await bench.states() == ["undeliverable"]
    assert 71 < hours < 74


async def test_a_channel_without_an_end_of_patience_never_gives_up(bench: Bench) -> None:
    await bench.refuse("a")
    bench.channel.patience_s = None
    bench.channel.ends = [RetryError("no broker") for _ in range(300)]
    for _ in range(300):
        bench.clock.turn(await bench.round())
    assert await bench.states() == ["pending"]


@pytest.mark.parametrize("days", [-400, 400])
async def test_a_wall_clock_that_is_set_neither_delays_a_report_nor_ends_it(
    bench: Bench, days: int
) -> None:
    await bench.refuse("a")
    bench.channel.ends = [RetryError("no network")]
    await bench.round()
    bench.clock.set(timedelta(days=days).total_seconds())
    bench.clock.turn(10)
    await bench.round()
    assert bench.channel.told == ["a", "a"]
    assert await bench.states() == ["reported"]


async def test_what_a_delivery_cost_is_booked_in_the_commit_that_says_so(bench: Bench) -> None:
    await bench.refuse("a", "b")
    bench.channel.ends = [
        lambda db: set_meta(db, "booked a", "x"),
        RetryError("unknown", also=lambda db: set_meta(db, "booked b", "x")),
    ]
    await bench.round()
    keys = await bench.app.journal.read(
        lambda db: [row[0] for row in db.execute("SELECT key FROM meta WHERE key LIKE 'booked%'")]
    )
    assert sorted(keys) == ["booked a", "booked b"]


async def test_a_fallback_is_dropped_once_mqtt_got_through(tmp_path: Path) -> None:
    clock = TurnedClock()
    more = {"report": {"route": "mqtt-then-sms"}, "mqtt": {"url": "mqtt://127.0.0.1:1"}}
    app = await make_app(tmp_path, clock, more)
    mqtt, sms = Bench(app, clock, Channel("mqtt")), Bench(app, clock, Channel("sms"))
    await mqtt.refuse("a")
    assert await sms.round() == pytest.approx(60)
    mqtt.channel.patience_s = None
    await app.journal.commit(lambda db: db.execute("DELETE FROM reports WHERE kind = 'received'"))
    await mqtt.round()
    clock.turn(3600)
    await sms.round()
    assert mqtt.channel.told == ["a"]
    assert sms.channel.told == []
    await app.journal.close()


async def test_a_wake_is_not_lost_while_a_round_is_under_way(bench: Bench) -> None:
    await bench.refuse("a")
    task = asyncio.ensure_future(bench.reporter.run())
    await asyncio.sleep(0)
    await bench.refuse("b")
    bench.reporter.wake()
    for _ in range(500):
        if bench.channel.told == ["a", "b"]:
            break
        await asyncio.sleep(0.01)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert bench.channel.told == ["a", "b"]


async def test_an_orderly_end_in_the_middle_of_a_delivery_leaves_it_pending(bench: Bench) -> None:
    await bench.refuse("a")
    begun = asyncio.Event()

    async def hanging(report: Report) -> Booking | None:
        begun.set()
        await asyncio.sleep(60)
        return None

    bench.channel.deliver = hanging  # type: ignore[method-assign]  # this one time
    task = asyncio.ensure_future(bench.reporter.run())
    await begun.wait()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert await bench.states() == ["pending"]
