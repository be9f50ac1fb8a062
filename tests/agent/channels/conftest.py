"""A broker, an observer and a running channel for each test that asks."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from agent.channels.mqtt.channel import Inbound, LinkStatus, MqttChannel, Publication, Timing
from agent.config.model import MqttConfig
from tests.support.broker import Mosquitto
from tests.support.mqtt_client import Observer

ROOT = "modem-agent/gw"
QUICK = Timing(
    dial_s=2.0,
    connack_s=1.0,
    probe_s=0.6,
    ack_s=1.0,
    farewell_s=0.4,
    retry_low_s=0.05,
    retry_high_s=0.4,
    stable_s=1.0,
    retake_low_s=0.05,
    retake_high_s=0.2,
)


def settings(port: int, **changes: object) -> MqttConfig:
    base = MqttConfig(host="127.0.0.1", port=port, tls=False, root=ROOT, keepalive_s=60)
    return replace(base, **changes)  # type: ignore[arg-type]  # a test names the fields it means


@dataclass
class Rig:
    """A channel under test, with what it handed in and what it said of itself."""

    channel: MqttChannel
    requests: list[Inbound] = field(default_factory=list)
    links: list[LinkStatus] = field(default_factory=list)

    async def up(self, timeout_s: float = 30.0) -> None:
        async with asyncio.timeout(timeout_s):
            await self.channel.connected.wait()

    async def until(self, condition: Callable[[], object], timeout_s: float = 30.0) -> None:
        async with asyncio.timeout(timeout_s):
            while not condition():  # noqa: ASYNC110  # any condition, not one event
                await asyncio.sleep(0.005)

    async def down(self, timeout_s: float = 30.0) -> None:
        await self.until(lambda: not self.channel.connected.is_set(), timeout_s)


Handler = Callable[[Inbound], object]


@contextlib.asynccontextmanager
async def running(
    config: MqttConfig,
    *,
    handler: Handler | None = None,
    birth: Callable[[], Iterable[Publication]] = tuple,
    timing: Timing = QUICK,
    concurrency: int = 1,
    client_id: str | None = None,
) -> AsyncIterator[Rig]:
    """Run a channel for the length of the block, then cancel it (which says goodbye)."""
    requests: list[Inbound] = []

    async def on_request(inbound: Inbound) -> None:
        requests.append(inbound)
        if handler is not None:
            outcome = handler(inbound)
            if asyncio.iscoroutine(outcome):
                await outcome

    links: list[LinkStatus] = []
    channel = MqttChannel(
        config,
        "gw",
        on_request=on_request,
        birth=birth,
        on_link=links.append,
        timing=timing,
        concurrency=concurrency,
        client_id=client_id,
    )
    task = asyncio.create_task(channel.run())
    try:
        yield Rig(channel, requests, links)
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker") as started:
        yield started


@pytest.fixture
def observer(broker: Mosquitto) -> Iterator[Observer]:
    with Observer(broker.port) as started:
        yield started
