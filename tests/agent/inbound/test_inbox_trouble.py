"""Messages that cannot be read: told once, looked into after a minute, taken back."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from agent.modem.doorbell import EVERYWHERE, Bell
from agent.system.events import Event
from at.simulator import PtyModem
from tests.agent.parts import TurnedClock, make_app, stored

if TYPE_CHECKING:
    import pytest

PATIENCE_S = 15.0


async def test_announced_place_is_kept_beside_a_ring_for_everything() -> None:
    bell = Bell()
    bell.ring()
    bell.ring(("SM", 3))
    assert await bell.wait(1.0) == {EVERYWHERE, ("SM", 3)}


async def test_card_that_goes_is_told_and_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.inbound.inbox.RETRY_S", 0.01)
    monkeypatch.setattr("agent.modem.link.SIM_RETRY_S", 0.1)
    clock = TurnedClock()
    modem = PtyModem(link=tmp_path / "modem")
    app = await make_app(
        tmp_path, clock, {"modem": {"port": str(tmp_path / "modem"), "poll_s": 60}}
    )
    told: list[Event] = []
    app.events.watch(told.append)

    async def until(state: str, error: str) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while app.link.state != state or error not in app.link.unreadable.error:  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.005)

    async with modem:
        tasks = [asyncio.ensure_future(app.link.run()), asyncio.ensure_future(app.inbox.run())]
        async with asyncio.timeout(PATIENCE_S):
            await app.inbox.drained.wait()
        modem.core.device.sim.state = ""
        app.link.bell.ring()
        await until("ready", "CMGL")
        clock.turn(61)
        app.link.bell.ring()
        await until("backing-off", "")
        assert "absent" in app.link.reason
        modem.core.device.sim.state = "READY"
        modem.deliver(stored("ping id=a").raw, announce=False)
        await until("ready", "")
        async with asyncio.timeout(PATIENCE_S):
            while modem.store.used or app.link.unreadable.error:  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.005)
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
    await app.journal.close()
    unreadable = [one.detail for one in told if "messages cannot be read" in one.detail]
    assert 1 <= len(unreadable) <= 3
    assert any(one.detail == "messages can be read again" for one in told)
