from __future__ import annotations

import asyncio

import pytest

from agent.channels.mqtt.channel import Inbound, RequestNotTakenError
from agent.channels.mqtt.dial import RECEIVE_MAXIMUM
from tests.agent.channels.conftest import ROOT, running, settings
from tests.support.broker import Mosquitto
from tests.support.mqtt_client import Observer

REQUEST = f"{ROOT}/command/request"


def pubacks(broker: Mosquitto) -> int:
    return broker.log().count("Received PUBACK from modem-agent-gw")


async def test_a_request_is_acknowledged_only_after_its_handler_returned(
    broker: Mosquitto, observer: Observer
) -> None:
    gate = asyncio.Event()

    async def handler(_inbound: Inbound) -> None:
        await gate.wait()

    async with running(settings(broker.port), handler=handler) as rig:
        await rig.up()
        observer.publish(REQUEST, "ping id=1")
        await rig.until(lambda: rig.requests)
        await asyncio.sleep(0.1)
        assert pubacks(broker) == 0
        gate.set()
        await rig.until(lambda: pubacks(broker) == 1)
    assert rig.requests == [Inbound("command/request", b"ping id=1")]


async def test_a_request_not_acknowledged_comes_again_after_a_reconnection(
    broker: Mosquitto, observer: Observer
) -> None:
    never = asyncio.Event()

    async def handler(_inbound: Inbound) -> None:
        if len(rig.requests) == 1:
            await never.wait()

    async with running(settings(broker.port), handler=handler) as rig:
        await rig.up()
        observer.publish(REQUEST, "reboot id=1")
        await rig.until(lambda: rig.requests)
        rig.channel._connection.abort("pulled by the test")  # type: ignore[union-attr]  # it is up
        await rig.until(lambda: len(rig.requests) == 2)
        await rig.until(lambda: pubacks(broker) == 1)
    first, second = rig.requests
    assert (first.payload, first.redelivered) == (b"reboot id=1", False)
    assert (second.payload, second.redelivered) == (b"reboot id=1", True)


async def test_a_broken_handler_ends_the_channel_and_the_request_comes_again(
    broker: Mosquitto, observer: Observer
) -> None:
    def broken(_inbound: Inbound) -> None:
        raise LookupError("bug")

    async def until_it_breaks() -> None:
        async with running(settings(broker.port), handler=broken) as rig:
            await rig.up()
            observer.publish(REQUEST, "ping id=1")
            await rig.down()

    with pytest.raises(ExceptionGroup) as caught:
        await until_it_breaks()
    assert caught.group_contains(LookupError)
    assert pubacks(broker) == 0
    async with running(settings(broker.port)) as rig:
        await rig.until(lambda: rig.requests)
        await rig.until(lambda: pubacks(broker) == 1)


async def test_a_request_that_could_not_be_kept_is_offered_again_on_the_same_connection(
    broker: Mosquitto, observer: Observer
) -> None:
    def handler(_inbound: Inbound) -> None:
        if len(rig.requests) < 3:
            raise RequestNotTakenError("no space left on device")

    async with running(settings(broker.port), handler=handler) as rig:
        await rig.up()
        observer.publish(REQUEST, "ping id=1")
        await rig.until(lambda: pubacks(broker) == 1)
        assert len(rig.requests) == 3
        assert [link.connected for link in rig.links] == [True]


async def test_requests_that_came_while_the_agent_was_away_wait_in_the_session(
    broker: Mosquitto, observer: Observer
) -> None:
    async with running(settings(broker.port)) as rig:
        await rig.up()
    for number in range(60):
        observer.publish(REQUEST, f"ping id={number}")
    async with running(settings(broker.port), concurrency=4) as rig:
        await rig.until(lambda: len(rig.requests) == 60)
    assert [inbound.payload for inbound in rig.requests] == [
        f"ping id={number}".encode() for number in range(60)
    ]
    assert RECEIVE_MAXIMUM < 60  # so the broker had to wait for acknowledgements in between


async def test_requests_survive_a_broker_that_restarts_with_its_store(
    broker: Mosquitto, observer: Observer
) -> None:
    async with running(settings(broker.port)) as rig:
        await rig.up()
    observer.publish(REQUEST, "ping id=1")
    await rig.until(lambda: "Received PUBLISH" in broker.log())
    broker.restart()
    async with running(settings(broker.port)) as rig:
        await rig.until(lambda: rig.requests)


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_a_retained_request_is_told_apart(
    broker: Mosquitto, observer: Observer, protocol: str
) -> None:
    observer.publish(REQUEST, "reboot", retain=True)
    await observer.seen(REQUEST)
    async with running(settings(broker.port, protocol=protocol)) as rig:
        await rig.up()
        await rig.until(lambda: rig.requests)
        assert rig.channel.status.protocol == protocol
        observer.publish(REQUEST, "ping")
        await rig.until(lambda: len(rig.requests) == 2)
    assert [(seen.payload, seen.retained) for seen in rig.requests] == [
        (b"reboot", True),
        (b"ping", False),
    ]


async def test_on_mqtt5_a_request_published_as_retained_is_told_apart_even_live(
    broker: Mosquitto, observer: Observer
) -> None:
    async with running(settings(broker.port)) as rig:
        await rig.up()
        observer.publish(REQUEST, "reboot", retain=True)
        await rig.until(lambda: rig.requests)
        assert rig.requests[0].retained


async def test_a_retained_request_is_not_told_again_at_every_connection(
    broker: Mosquitto, observer: Observer
) -> None:
    observer.publish(REQUEST, "reboot", retain=True)
    await observer.seen(REQUEST)
    async with running(settings(broker.port)) as rig:
        await rig.until(lambda: rig.requests)
        await rig.until(lambda: pubacks(broker) == 1)
    async with running(settings(broker.port)) as again:
        await again.up()
        observer.publish(REQUEST, "ping")
        await again.until(lambda: again.requests)
    assert [inbound.payload for inbound in again.requests] == [b"ping"]


async def test_taking_a_retained_request_back_is_no_request(
    broker: Mosquitto, observer: Observer
) -> None:
    async with running(settings(broker.port)) as rig:
        await rig.up()
        observer.publish(REQUEST, b"", retain=True)
        observer.publish(REQUEST, "ping")
        await rig.until(lambda: pubacks(broker) == 2)
    assert [inbound.payload for inbound in rig.requests] == [b"ping"]


async def test_the_properties_of_mqtt5_reach_the_handler(
    broker: Mosquitto, observer: Observer
) -> None:
    async with running(settings(broker.port)) as rig:
        await rig.up()
        observer.publish(
            f"{ROOT}/sms/send",
            b'{"id":"a"}',
            correlation=b"\x00\xffc",
            response_topic="replies/app",
            expiry_s=60,
        )
        await rig.until(lambda: rig.requests)
    (inbound,) = rig.requests
    assert inbound.suffix == "sms/send"
    assert (inbound.correlation, inbound.response_topic) == (b"\x00\xffc", "replies/app")
    assert inbound.expiry_s in {59, 60}


async def test_a_request_at_qos_0_is_taken_too(broker: Mosquitto, observer: Observer) -> None:
    async with running(settings(broker.port)) as rig:
        await rig.up()
        observer.publish(REQUEST, "ping", qos=0)
        await rig.until(lambda: rig.requests)


async def test_a_flood_is_left_unread_until_there_is_room(
    broker: Mosquitto, observer: Observer
) -> None:
    gate = asyncio.Event()

    async def handler(_inbound: Inbound) -> None:
        await gate.wait()

    async with running(settings(broker.port), handler=handler) as rig:
        await rig.up()
        connection = rig.channel._connection
        assert connection is not None
        for number in range(300):
            observer.publish(REQUEST, f"ping {number}", qos=0)
        await rig.until(lambda: not connection.pump.reading)
        gate.set()
        await rig.until(lambda: len(rig.requests) == 300)
        assert connection.pump.reading
        assert [link.connected for link in rig.links] == [True]


async def test_a_topic_of_an_older_configuration_is_acknowledged_and_ignored(
    broker: Mosquitto, observer: Observer
) -> None:
    async with running(settings(broker.port)) as rig:
        await rig.up()
    async with running(settings(broker.port, root="site/gw"), client_id="modem-agent-gw") as rig:
        await rig.up()
        observer.publish(REQUEST, "ping old")
        observer.publish("site/gw/command/request", "ping new")
        await rig.until(lambda: pubacks(broker) == 2)
    assert [inbound.payload for inbound in rig.requests] == [b"ping new"]
