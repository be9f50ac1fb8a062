"""What the broker is told of the modem: each change once, and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from agent.app import App
from agent.channels.mqtt.device_state import Presence
from at.simulator import PtyModem
from tests.agent.parts import TurnedClock, make_app


class Broker:
    """Stands in for the channel: keeps what is published, refuses and loses on demand."""

    def __init__(self) -> None:
        self.connected = asyncio.Event()
        self.published: list[tuple[str, Mapping[str, Any]]] = []

    async def publish(self, suffix: str, body: Mapping[str, Any], *, retain: bool = False) -> None:
        await asyncio.sleep(0)
        self.published.append((suffix, body))

    def of(self, suffix: str) -> list[Mapping[str, Any]]:
        return [body for name, body in self.published if name == suffix]


class Bench:
    def __init__(self, app: App, presence: Presence, modem: PtyModem) -> None:
        self.app, self.presence, self.modem = app, presence, modem
        self.broker = Broker()
        presence.mqtt = self.broker

    async def until(self, probe: Callable[[], object]) -> None:
        async with asyncio.timeout(30):
            while not probe():  # noqa: ASYNC110 - what is waited for is outside
                await asyncio.sleep(0.005)

    def connect(self) -> None:
        self.broker.published += [(one.suffix, dict(one.body)) for one in self.presence.birth()]  # type: ignore[arg-type]  # bodies of fields
        self.broker.connected.set()


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    modem = PtyModem(link=tmp_path / "modem")
    app = await make_app(
        tmp_path,
        TurnedClock(),
        {
            "modem": {"port": str(tmp_path / "modem"), "poll_s": 0.1},
            "mqtt": {"url": "mqtt://127.0.0.1"},
        },
    )
    assert app.presence is not None
    bench = Bench(app, app.presence, modem)
    tasks = [asyncio.ensure_future(run()) for run in (app.link.run, app.presence.run)]
    yield bench
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    await app.journal.close()


async def test_an_absent_modem_is_told_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.modem.link.ABSENT_S", 0.01)
    await bench.until(lambda: bench.app.link.reason != "not opened yet")
    bench.connect()
    await bench.until(lambda: len(bench.broker.of("event")) == 2)
    await bench.until(lambda: bench.broker.of("modem")[-1]["link"] == "absent")
    told = len(bench.broker.of("modem"))
    since = bench.app.link.since
    assert isinstance(bench.app.clock, TurnedClock)
    bench.app.clock.turn(60)
    await asyncio.sleep(0.4)  # some thirty attempts, four looks
    assert len(bench.broker.of("modem")) == told <= 2
    assert [event["state"] for event in bench.broker.of("event")] == ["opening", "absent"]
    assert bench.app.link.since == since


async def test_what_changes_without_news_is_found_within_poll_s(bench: Bench) -> None:
    bench.connect()
    async with bench.modem:
        bench.modem.core.device.radio.rssi = 10
        await bench.until(lambda: bench.broker.of("modem")[-1]["signal_dbm"] == -93)
        await asyncio.sleep(0.3)  # the memory settles too
        told = len(bench.broker.of("modem"))
        bench.modem.core.device.radio.rssi = 11  # 2 dB
        await asyncio.sleep(0.4)
        assert len(bench.broker.of("modem")) == told
        bench.modem.core.device.radio.rssi = 12  # 4 dB from what was told
        await bench.until(lambda: bench.broker.of("modem")[-1]["signal_dbm"] == -89)
        assert len(bench.broker.of("modem")) == told + 1
