from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from agent.channels.mqtt.channel import MqttError, NotConnectedError
from tests.agent.channels.conftest import QUICK, ROOT, Rig, running, settings
from tests.support.broker import Mosquitto
from tests.support.mqtt_client import Observer


async def keep_publishing(rig: Rig, number: int) -> None:
    """What a reporter does: the same result again until it is acknowledged."""
    while True:
        await rig.up()
        try:
            await rig.channel.publish("command/result", {"n": number})
        except MqttError:
            await asyncio.sleep(0.02)
        else:
            return


async def test_a_killed_broker_is_noticed_and_found_again(broker: Mosquitto) -> None:
    async with running(settings(broker.port)) as rig:
        await rig.up()
        broker.kill()
        await rig.down(1)
        with pytest.raises(NotConnectedError):
            await rig.channel.publish("event", {})
        broker.start()
        await rig.up()
        await rig.channel.publish("event", {})


async def test_a_paused_broker_fails_the_publication_at_its_deadline(broker: Mosquitto) -> None:
    async with running(settings(broker.port)) as rig:
        await rig.up()
        broker.pause()
        with pytest.raises(NotConnectedError, match="no acknowledgement in 1 s"):
            async with asyncio.timeout(3):
                await rig.channel.publish("event", {})
        assert not rig.channel.connected.is_set()
        broker.resume()
        await rig.up()
        await rig.channel.publish("event", {})


async def test_a_paused_broker_is_noticed_by_the_keep_alive_alone(broker: Mosquitto) -> None:
    async with running(settings(broker.port, keepalive_s=1)) as rig:
        await rig.up()
        broker.pause()
        await rig.down(5)
        assert "Keep alive timeout" in rig.channel.status.reason
        broker.resume()
        await rig.up()


async def test_mqtt5_is_kept_for_a_broker_that_once_spoke_it(broker: Mosquitto) -> None:
    async with running(settings(broker.port, keepalive_s=1)) as rig:
        await rig.up()
        broker.pause()
        await rig.until(lambda: "no CONNACK to MQTT 5" in rig.channel.status.reason, 8)
        broker.resume()
        await rig.up()
        assert rig.channel.status.protocol == "5"


async def test_whatever_is_under_way_fails_when_the_broker_dies(broker: Mosquitto) -> None:
    async with running(settings(broker.port), timing=replace(QUICK, ack_s=60)) as rig:
        await rig.up()
        broker.pause()
        tasks = [asyncio.create_task(rig.channel.publish("event", {"n": n})) for n in range(50)]
        await asyncio.sleep(0.05)
        broker.kill()
        async with asyncio.timeout(30):  # well before the acknowledgement's own deadline
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {NotConnectedError}


async def test_every_result_arrives_across_killed_paused_and_forgetful_brokers(
    broker: Mosquitto,
) -> None:
    async with running(settings(broker.port)) as rig:
        await rig.up()
        for number, outage in enumerate(("kill", "pause", "forget", "stop")):
            if outage == "pause":
                broker.pause()
            elif outage == "kill":
                broker.kill()
            else:
                broker.stop()
            publishing = asyncio.create_task(keep_publishing(rig, number))
            await asyncio.sleep(0.1)
            assert not publishing.done()
            if outage == "pause":
                broker.resume()
            else:
                broker.start(forget=outage == "forget")
            with Observer(broker.port) as observer:
                async with asyncio.timeout(5):
                    await publishing
                    await keep_publishing(rig, 100 + number)  # the observer has seen this one
                await observer.seen(f"{ROOT}/command/result")
                await observer.seen(f"{ROOT}/status")


async def test_a_broker_that_forgot_everything_gets_its_subscriptions_again(
    broker: Mosquitto,
) -> None:
    async with running(settings(broker.port)) as rig:
        await rig.up()
        broker.restart(forget=True)
        await rig.until(lambda: len(rig.links) >= 3 and rig.channel.connected.is_set())
        with Observer(broker.port) as observer:
            observer.publish(f"{ROOT}/command/request", "ping")
            await rig.until(lambda: rig.requests)


async def test_the_end_is_quick_while_the_broker_is_paused(broker: Mosquitto) -> None:
    async with running(settings(broker.port)) as rig:
        await rig.up()
        broker.pause()
        started = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - started < 3
    assert not rig.channel.status.connected
