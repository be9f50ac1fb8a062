from __future__ import annotations

import asyncio

import pytest

from agent.channels.mqtt.flight import Flight
from agent.channels.mqtt.values import NotConnectedError


def never() -> None:
    raise AssertionError("overdue")


async def test_no_more_publications_are_under_way_than_the_broker_allows() -> None:
    flight = Flight(2, 60, never)
    await flight.room()
    flight.sent(1)
    await flight.room()
    flight.sent(2)
    third = asyncio.create_task(flight.room())
    await asyncio.sleep(0)
    assert not third.done()
    flight.acknowledged(1, 0)
    await third


async def test_a_publication_nobody_waits_for_keeps_its_place_until_acknowledged() -> None:
    flight = Flight(1, 60, never)
    await flight.room()
    flight.sent(1).cancel()
    next_one = asyncio.create_task(flight.room())
    await asyncio.sleep(0)
    assert not next_one.done()
    flight.acknowledged(1, 0)
    await next_one


async def test_the_end_fails_the_sent_the_waiting_and_the_later() -> None:
    flight = Flight(1, 60, never)
    await flight.room()
    sent = flight.sent(1)
    waiting = [asyncio.create_task(flight.room()) for _ in range(3)]
    await asyncio.sleep(0)
    flight.end("gone")
    outcomes = await asyncio.gather(sent, *waiting, flight.room(), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [NotConnectedError] * 5


async def test_a_late_acknowledgement_is_told_once() -> None:
    told: list[int] = []
    flight = Flight(1, 0.01, lambda: told.append(1))
    await flight.room()
    sent = flight.sent(7)
    await asyncio.sleep(0.03)
    assert told == [1]
    flight.end("overdue")
    with pytest.raises(NotConnectedError, match="overdue"):
        await sent


async def test_an_acknowledgement_for_nothing_sent_gives_no_place() -> None:
    flight = Flight(1, 60, never)
    await flight.room()
    flight.acknowledged(99, 0)
    second = asyncio.create_task(flight.room())
    await asyncio.sleep(0)
    assert not second.done()
    flight.unsent()
    await second
