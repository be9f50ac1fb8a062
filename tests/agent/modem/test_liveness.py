"""A modem that answers and is of no use: without its card, or without a network."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from agent.app import App
from agent.channels.mqtt.device_state import Presence
from agent.modem.link import Link
from agent.modem.liveness import LOOK_S, UNREGISTERED_S
from agent.system.events import Event
from at.simulator import PtyModem
from tests.agent.parts import TurnedClock, make_app

if TYPE_CHECKING:
    import pytest

PATIENCE_S = 15.0


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.005)


class Rig:
    def __init__(self, app: App, modem: PtyModem, clock: TurnedClock) -> None:
        self.app, self.modem, self.clock = app, modem, clock
        self.told: list[Event] = []
        app.events.watch(self.told.append)

    @property
    def link(self) -> Link:
        return self.app.link


@asynccontextmanager
async def running(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    monkeypatch.setattr("agent.modem.link.PAUSE_MIN_S", 0.01)
    monkeypatch.setattr("agent.modem.link.SIM_RETRY_S", 0.1)
    monkeypatch.setattr(Link, "_lost_or_troubled", _briefly(Link._lost_or_troubled))
    clock = TurnedClock()
    clock.ntp = True
    app = await make_app(folder, clock, {"modem": {"port": str(folder / "modem")}})
    async with PtyModem(link=folder / "modem") as modem:
        task = asyncio.ensure_future(app.link.run())
        await until(lambda: app.link.state == "ready")
        yield Rig(app, modem, clock)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    await app.journal.close()


def _briefly(wait: object) -> object:
    """Wait no longer than a turned clock is noticed."""

    async def waiting(link: Link, within_s: float) -> bool:
        return bool(await wait(link, min(within_s, 0.01)))  # type: ignore[operator]  # the method

    return waiting


async def test_card_that_goes_while_listings_succeed_is_noticed_by_the_slow_timer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, monkeypatch) as rig:
        rig.modem.core.device.sim.state = ""
        rig.clock.turn(LOOK_S)
        await until(lambda: rig.link.state == "backing-off")
        assert "absent" in rig.link.reason
        rig.modem.core.device.sim.state = "READY"
        await until(lambda: rig.link.state == "ready")


async def test_network_that_is_missing_for_long_is_told_and_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, monkeypatch) as rig:
        radio = rig.modem.core.device.radio
        radio.registration = 2
        rig.clock.turn(LOOK_S)
        await until(lambda: rig.link.liveness._missed is not None)
        assert rig.link.liveness.unregistered_since is None  # it may come back at once
        since = rig.clock.wall()
        rig.clock.turn(UNREGISTERED_S)
        await until(lambda: rig.link.liveness.unregistered_since is not None)
        assert rig.link.liveness.unregistered_since == since
        await until(lambda: rig.link.state == "ready")
        assert (
            Presence(rig.app.config, rig.app.registry, rig.link)._state()["unregistered_since"]
            == since
        )
        radio.registration = 5
        rig.clock.turn(LOOK_S)
        await until(lambda: rig.link.liveness.unregistered_since is None)
    details = [event.detail for event in rig.told]
    assert details.count("not registered for long: searching") >= 1
    assert details.count("registered again") == 1
