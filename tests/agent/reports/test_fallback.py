"""A result that MQTT tells while an SMS was about to: told once if possible, booked always."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.app import App
from agent.reports.channel import Booking, Report
from agent.reports.delivery import Reporter
from at import sms
from tests.agent.parts import TurnedClock, arrival, make_app

if TYPE_CHECKING:
    from pytest_mock import MockerFixture


@dataclass
class Broker:
    """A broker that takes everything."""

    name = "mqtt"
    at_once = 10
    patience_s: float | None = None
    told: list[str] = field(default_factory=list)

    async def ready(self) -> None:
        return

    async def deliver(self, report: Report) -> Booking | None:
        assert report.command is not None
        self.told.append(report.command.id)
        return None


class Air:
    """A modem that is slow: the test says when an SMS is through."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.through = asyncio.Event()
        self.sent = 0

    async def send(self, _submit: sms.Submit, *, more: bool = False) -> int:
        self.begun.set()
        await self.through.wait()
        self.sent += 1
        return self.sent


@dataclass
class Bench:
    app: App
    air: Air
    broker: Broker
    mqtt: Reporter

    async def states(self) -> list[tuple[str, str]]:
        return await self.app.journal.read(
            lambda db: db.execute("SELECT channel, state FROM reports ORDER BY n").fetchall()
        )

    async def sends(self) -> list[tuple[str, int]]:
        return await self.app.journal.read(
            lambda db: db.execute("SELECT state, segments FROM sends ORDER BY n").fetchall()
        )


@pytest.fixture
async def bench(tmp_path: Path, mocker: MockerFixture) -> AsyncIterator[Bench]:
    more = {
        "report": {"route": "mqtt-then-sms", "sms_after_s": 60},
        "mqtt": {"url": "mqtt://127.0.0.1:1"},
    }
    clock = TurnedClock()
    app = await make_app(tmp_path, clock, more)
    air, broker = Air(), Broker()

    async def messages() -> Air:
        return air

    mocker.patch.object(app.link, "messages", messages)
    app.link._ready.set()
    mqtt = Reporter(app.journal, clock, app.events, broker)
    await app.intake.admit(arrival("mark id=a bad"))  # refused: there is a result to tell
    await app.journal.commit(lambda db: db.execute("DELETE FROM reports WHERE kind = 'received'"))
    clock.turn(61)
    yield Bench(app, air, broker, mqtt)
    await app.journal.close()


async def test_an_sms_that_waited_for_its_turn_is_not_sent_once_mqtt_has_told(
    bench: Bench,
) -> None:
    await bench.app.sending.turn.acquire()
    sms_round = asyncio.ensure_future(bench.app.reporters[0]._round())
    await asyncio.sleep(0.05)
    await bench.mqtt._round()
    bench.app.sending.turn.release()
    bench.air.through.set()
    await sms_round
    assert bench.broker.told == ["a"]
    assert bench.air.sent == 0
    assert await bench.sends() == []


async def test_an_sms_that_was_on_the_air_meanwhile_is_booked(bench: Bench) -> None:
    sms_round = asyncio.ensure_future(bench.app.reporters[0]._round())
    await bench.air.begun.wait()
    await bench.mqtt._round()
    bench.air.through.set()
    await sms_round
    assert bench.air.sent == 1
    assert await bench.sends() == [("sent", 1)]
    assert await bench.states() == [("mqtt", "reported")]
