from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from agent.channels.mqtt.inbound import InboundLane
from agent.channels.mqtt.values import Inbound, RequestNotTakenError, Timing

QUICK = Timing(retake_low_s=0.01, retake_high_s=0.02)


def message(name: str, expiry_s: int | None = None) -> Inbound:
    return Inbound("command/request", name.encode(), expiry_s=expiry_s)


@contextlib.asynccontextmanager
async def going(lane: InboundLane) -> AsyncIterator[None]:
    task = asyncio.create_task(lane.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_acknowledgements_keep_the_order_of_arrival() -> None:
    gates = {name: asyncio.Event() for name in "abc"}
    started: list[str] = []
    acknowledged: list[str] = []

    async def handle(inbound: Inbound) -> None:
        name = inbound.payload.decode()
        started.append(name)
        await gates[name].wait()

    lane = InboundLane(handle, 2, QUICK)
    for name in "abc":
        lane.put(message(name), lambda name=name: acknowledged.append(name))  # type: ignore[misc]
    async with going(lane):
        await settle()
        assert started == ["a", "b"]  # two at a time
        gates["b"].set()
        await settle()
        assert started == ["a", "b", "c"]
        assert acknowledged == []  # a came first and is not kept yet
        gates["a"].set()
        await settle()
        assert acknowledged == ["a", "b"]
        assert lane.waiting == 1


async def test_a_message_that_could_not_be_kept_is_offered_again_and_acknowledged_once() -> None:
    offers: list[bytes] = []
    acknowledged: list[str] = []
    done = asyncio.Event()

    async def handle(inbound: Inbound) -> None:
        offers.append(inbound.payload)
        if len(offers) < 3:
            raise RequestNotTakenError("disk full")

    def acknowledge() -> None:
        acknowledged.append("a")
        done.set()

    lane = InboundLane(handle, 1, QUICK)
    lane.put(message("a"), acknowledge)
    async with going(lane), asyncio.timeout(30):
        await done.wait()
    assert offers == [b"a"] * 3
    assert acknowledged == ["a"]


async def test_a_broken_handler_ends_the_lane_without_acknowledging() -> None:
    async def handle(_inbound: Inbound) -> None:
        raise LookupError("bug")

    acknowledged: list[str] = []
    lane = InboundLane(handle, 1, QUICK)
    lane.put(message("a"), lambda: acknowledged.append("a"))
    with pytest.raises(ExceptionGroup) as caught:
        await lane.run()
    assert caught.group_contains(LookupError)
    assert acknowledged == []


async def test_life_left_shrinks_while_a_message_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    lives: list[int | None] = []
    clock = [100.0]
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: clock[0])

    async def handle(inbound: Inbound) -> None:
        lives.append(inbound.expiry_s)

    lane = InboundLane(handle, 1, QUICK)
    for life in (None, 10, 3, 60):
        lane.put(message("a", life), lambda: None)
    clock[0] += 5.5
    async with going(lane):
        await settle()
    assert lives == [None, 5, 0, 55]
