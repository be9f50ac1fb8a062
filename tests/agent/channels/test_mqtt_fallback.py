from __future__ import annotations

import asyncio
import contextlib
import logging
import warnings
from collections.abc import AsyncIterator

import pytest

from agent.channels.mqtt.channel import Inbound
from tests.agent.channels.conftest import ROOT, running, settings
from tests.agent.channels.test_mqtt_connect import serving
from tests.support.broker import Mosquitto, free_port
from tests.support.mqtt_client import Observer

amqtt_broker = pytest.importorskip("amqtt.broker")


@contextlib.asynccontextmanager
async def amqtt() -> AsyncIterator[int]:
    """The broker of the demo: MQTT 3.1.1 only, and silent to an MQTT 5 CONNECT with a will."""
    port = free_port()
    logging.getLogger("amqtt").setLevel(logging.CRITICAL)
    logging.getLogger("transitions").setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        broker = amqtt_broker.Broker(
            {
                "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
                "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {}},
            }
        )
        await broker.start()
        try:
            yield port
        finally:
            await broker.shutdown()


async def test_a_broker_that_ignores_mqtt5_is_reached_by_311_and_works() -> None:
    async with amqtt() as port:
        observer = await asyncio.to_thread(lambda: Observer(port, v5=False))
        await asyncio.to_thread(observer.__enter__)
        try:
            async with running(settings(port)) as rig:
                await rig.up()
                assert rig.channel.status.protocol == "3.1.1"
                await rig.channel.publish("command/result", {"id": "1"}, correlation=b"dropped")
                await observer.seen(f"{ROOT}/command/result")
                observer.publish(f"{ROOT}/command/request", "ping id=1")
                await rig.until(lambda: rig.requests)
                assert rig.requests == [Inbound("command/request", b"ping id=1")]
            told = await observer.seen(f"{ROOT}/status", 2)
            assert [seen.payload for seen in told] == [b"online", b"offline"]
        finally:
            await asyncio.to_thread(observer.__exit__, None, None, None)


@pytest.mark.parametrize("refusal", ["20020001", "20020084", "2003008400"])
async def test_a_broker_that_refuses_mqtt5_is_asked_for_311_at_once(refusal: str) -> None:
    versions: list[int] = []

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connect = await reader.read(200)
        versions.append(connect[connect.index(b"MQTT") + 4])
        writer.write(bytes.fromhex(refusal if versions[-1] == 5 else "20020000"))
        await reader.read()

    async with serving(conversation) as port, running(settings(port)) as rig:
        await rig.until(lambda: len(versions) >= 2, 0.5)
        assert versions[:2] == [5, 4]
        assert rig.links[0].protocol is None


async def test_the_version_that_worked_is_tried_first_next_time() -> None:
    versions: list[int] = []

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connect = await reader.read(200)
        versions.append(connect[connect.index(b"MQTT") + 4])
        writer.write(bytes.fromhex("20020001" if versions[-1] == 5 else "20020000"))
        await asyncio.sleep(0.02)
        writer.close()

    async with serving(conversation) as port, running(settings(port)) as rig:
        await rig.until(lambda: len(versions) >= 4)
    assert versions[:4] == [5, 4, 4, 4]


async def test_mqtt_311_keeps_its_session_and_will_on_mosquitto(broker: Mosquitto) -> None:
    config = settings(broker.port, protocol="3.1.1")
    with Observer(broker.port) as observer:
        async with running(config) as rig:
            await rig.up()
            assert rig.channel.status.protocol == "3.1.1"
        observer.publish(f"{ROOT}/command/request", "ping id=1")
        async with running(config) as rig:
            await rig.until(lambda: rig.requests)
    assert "as modem-agent-gw (p2, c0, k60)" in broker.log()


async def test_a_configured_version_is_the_only_one_tried(broker: Mosquitto) -> None:
    async with amqtt() as port, running(settings(port, protocol="5")) as rig:
        await rig.until(lambda: rig.links)
        await rig.until(lambda: "MQTT 5" in rig.channel.status.reason)
        assert not rig.channel.connected.is_set()
