from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.channels.mqtt.channel import NotConnectedError, PublishRefusedError
from tests.agent.channels.conftest import ROOT, running, settings
from tests.support.broker import Mosquitto, free_port
from tests.support.mqtt_client import Observer

RESULT = f"{ROOT}/command/result"


async def test_publish_returns_once_the_broker_has_acknowledged(
    broker: Mosquitto, observer: Observer
) -> None:
    async with running(settings(broker.port)) as rig:
        await rig.up()
        before = broker.log().count("Sending PUBACK to modem-agent-gw")
        await rig.channel.publish("command/result", {"id": "7f3a", "state": "succeeded"})
        assert broker.log().count("Sending PUBACK to modem-agent-gw") == before + 1
        (result,) = await observer.seen(RESULT)
    assert result.json == {"id": "7f3a", "state": "succeeded"}
    assert (result.qos, result.retained) == (1, False)


async def test_publish_without_a_connection_says_so_at_once() -> None:
    async with running(settings(free_port())) as rig:
        with pytest.raises(NotConnectedError, match="not started"):
            await rig.channel.publish("event", {})
        await rig.until(lambda: rig.links)
        with pytest.raises(NotConnectedError, match="refused"):
            await rig.channel.publish("event", {})


async def test_many_publications_at_once_all_arrive_in_order(
    broker: Mosquitto, observer: Observer
) -> None:
    async with running(settings(broker.port)) as rig:
        await rig.up()
        async with asyncio.TaskGroup() as group:
            for number in range(300):
                group.create_task(rig.channel.publish("event", {"n": number}))
        events = await observer.seen(f"{ROOT}/event", 300)
    assert [event.json["n"] for event in events] == list(range(300))


async def test_the_brokers_receive_maximum_is_respected(tmp_path: Path) -> None:
    limits = ["max_inflight_messages 1"]
    with Mosquitto(tmp_path / "broker", settings=limits) as broker:
        async with running(settings(broker.port)) as rig:
            await rig.up()
            connection = rig.channel._connection
            assert connection is not None
            assert connection._flight._room._value == 1
            async with asyncio.TaskGroup() as group:
                for number in range(20):
                    group.create_task(rig.channel.publish("event", {"n": number}))
            assert [link.connected for link in rig.links] == [True]


async def test_a_packet_too_large_for_the_broker_is_refused_without_sending_it(
    tmp_path: Path,
) -> None:
    with Mosquitto(tmp_path / "broker", settings=["max_packet_size 300"]) as broker:
        async with running(settings(broker.port)) as rig:
            await rig.up()
            with pytest.raises(PublishRefusedError, match="too large") as caught:
                await rig.channel.publish("event", b"x" * 300, correlation=b"c" * 20)
            assert (caught.value.code, caught.value.permanent) == (0x95, True)
            exact = 300 - 10 - len(f"{ROOT}/event")
            await rig.channel.publish("event", b"x" * exact)
            with pytest.raises(PublishRefusedError):
                await rig.channel.publish("event", b"x" * (exact + 1))
            assert [link.connected for link in rig.links] == [True]


async def test_a_publication_the_broker_refuses_is_not_taken_for_told(tmp_path: Path) -> None:
    acl = [f"topic write {ROOT}/status", f"topic write {ROOT}/event", f"topic read {ROOT}/#"]
    with Mosquitto(tmp_path / "broker", acl=acl) as broker:
        async with running(settings(broker.port)) as rig:
            await rig.up()
            with pytest.raises(PublishRefusedError, match="not authorized") as caught:
                await rig.channel.publish("command/result", {"id": "1"})
            assert (caught.value.code, caught.value.permanent) == (0x87, True)
            assert caught.value.topic == RESULT
            await rig.channel.publish("event", {"kind": "command"})


async def test_a_refused_birth_does_not_keep_the_channel_down(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    acl = [f"topic write {ROOT}/event", f"topic read {ROOT}/#"]
    with Mosquitto(tmp_path / "broker", acl=acl) as broker:
        async with running(settings(broker.port)) as rig:
            await rig.up()
            assert f"refused by the broker topic={ROOT}/status" in caplog.text


async def test_correlation_and_expiry_go_out_on_mqtt5(
    broker: Mosquitto, observer: Observer
) -> None:
    async with running(settings(broker.port)) as rig:
        await rig.up()
        await rig.channel.publish("command/result", {"id": "1"}, correlation=b"\x01", expiry_s=5)
        (result,) = await observer.seen(RESULT)
    assert result.correlation == b"\x01"


async def test_a_response_topic_is_served_as_well_where_it_is_allowed(
    broker: Mosquitto, observer: Observer
) -> None:
    async with running(settings(broker.port, response_prefix="replies")) as rig:
        await rig.up()
        for topic in ("replies/app", "elsewhere/app", f"{ROOT}/command/request"):
            await rig.channel.publish(
                "command/result", {"id": "1"}, correlation=b"\x01", response_topic=topic
            )
        (reply,) = await observer.seen("replies/app")
        await observer.seen(RESULT, 3)
    assert (reply.json, reply.correlation) == ({"id": "1"}, b"\x01")
    assert observer.on("elsewhere/app") == []
    assert rig.requests == []


async def test_a_response_topic_the_broker_refuses_does_not_hold_up_the_result(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    acl = [f"topic readwrite {ROOT}/#"]
    with Mosquitto(tmp_path / "broker", acl=acl) as broker:
        async with running(settings(broker.port, response_prefix="replies")) as rig:
            await rig.up()
            await rig.channel.publish("command/result", {"id": "1"}, response_topic="replies/a")
            assert "replies/a: refused" in caplog.text


async def test_a_cancelled_publish_leaves_the_connection_in_order(
    broker: Mosquitto, observer: Observer
) -> None:
    async with running(settings(broker.port)) as rig:
        await rig.up()
        for number in range(60):
            task = asyncio.create_task(rig.channel.publish("event", {"n": number}))
            await asyncio.sleep(0)
            task.cancel()
        await rig.channel.publish("event", {"n": "last"})
        assert [link.connected for link in rig.links] == [True]
