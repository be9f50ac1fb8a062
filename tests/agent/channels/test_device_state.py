"""What holds up the events that are published, and what does not."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.channels.mqtt.values import MqttError, NotConnectedError, PublishRefusedError
from agent.system.events import Event
from tests.agent.parts import make_app


class FailingOnce:
    """A connection whose first publication of an event fails."""

    def __init__(self, error: MqttError) -> None:
        self.connected = asyncio.Event()
        self.connected.set()
        self.told: list[object] = []
        self.last = asyncio.Event()
        self._error: MqttError | None = error

    async def publish(
        self, suffix: str, body: Mapping[str, object], *, retain: bool = False
    ) -> None:
        error, self._error = (self._error, None) if suffix == "event" else (None, self._error)
        if error is not None:
            raise error
        if suffix == "event":
            self.told.append(body["id"])
            if body["id"] == "2":
                self.last.set()


@pytest.mark.parametrize(
    ("error", "ids"),
    [
        (PublishRefusedError("event", 0x87, "Not authorized", permanent=True), ["2"]),
        (NotConnectedError("gone"), ["1", "2"]),
    ],
)
async def test_a_failed_event_holds_up_none(
    tmp_path: Path, error: MqttError, ids: list[str]
) -> None:
    app = await make_app(tmp_path, None, {"mqtt": {"url": "mqtt://127.0.0.1:1"}})
    assert app.presence is not None
    app.presence.mqtt = channel = FailingOnce(error)
    for id_ in ("1", "2"):
        app.presence.watch(Event(datetime.now(UTC), "message", id=id_))
    running = asyncio.ensure_future(app.presence.run())
    async with asyncio.timeout(20):
        await channel.last.wait()
    assert channel.told == ids
    running.cancel()
    await app.journal.close()
