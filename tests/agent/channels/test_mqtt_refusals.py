"""What a broker does not take: told once, set aside, tried again seldom; the rest goes on."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging

import pytest

from agent.channels.mqtt.channel import NotConnectedError, Publication, PublishRefusedError
from agent.channels.mqtt.refusals import Refusals
from agent.channels.mqtt.reports import MqttReports
from agent.reports.channel import Report, RetryError
from tests.agent.channels.conftest import ROOT, Rig, running, settings
from tests.support.scripted_broker import Scripted, scripted

EVENT = f"{ROOT}/event"


async def publish_until_taken(rig: Rig, suffix: str, body: bytes) -> None:
    while True:
        await rig.up()
        with contextlib.suppress(NotConnectedError):
            await rig.channel.publish(suffix, body)
            return


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_a_topic_at_which_the_broker_hangs_up_is_set_aside_and_the_rest_goes_on(
    version: str, caplog: pytest.LogCaptureFixture
) -> None:
    broker = Scripted(puback=lambda topic, _body: None if topic == EVENT else 0)
    async with scripted(broker), running(settings(broker.port, protocol=version)) as rig:
        with pytest.raises(PublishRefusedError, match="hangs up at it"):
            await publish_until_taken(rig, "event", b"x")
        await rig.until(lambda: rig.channel.status.connected)
        for number in range(3):
            await rig.channel.publish("command/result", b"%d" % number)
            with pytest.raises(PublishRefusedError):
                await rig.channel.publish("event", b"x")
        assert rig.channel.status.refused == (EVENT,)
        assert broker.connections == 3
    told = [r for r in caplog.records if r.levelno >= logging.ERROR]
    assert [r.getMessage() for r in told] == [
        f"mqtt topic refused by the broker topic={EVENT} reason=the broker hangs up at it"
    ]
    assert "another client" not in caplog.text


async def test_a_birth_at_which_the_broker_hangs_up_keeps_nobody_out() -> None:
    broker = Scripted(puback=lambda topic, _body: None if topic.endswith("/info") else 0)
    births = [Publication("info", b"{}", retain=True), Publication("modem", b"{}", retain=True)]
    async with (
        scripted(broker),
        running(settings(broker.port, protocol="3.1.1"), birth=lambda: births) as rig,
    ):
        await rig.up()
        assert rig.channel.status.refused == (f"{ROOT}/info",)
        await rig.channel.publish("command/result", b"1")


@pytest.mark.parametrize("code", [0x80, 0x87])
async def test_a_refused_subscription_is_told_once_and_the_rest_goes_on(
    code: int, caplog: pytest.LogCaptureFixture
) -> None:
    broker = Scripted(suback=lambda topic: code if topic.endswith("sms/send") else 1)
    async with scripted(broker), running(settings(broker.port, protocol="5")) as rig:
        for connections in (1, 2):
            await rig.until(lambda n=connections: broker.connections == n)  # type: ignore[misc]  # n
            await rig.up()
            assert rig.channel.status.unheard == ("sms/send",)
            assert rig.channel.status.refused == (f"{ROOT}/sms/send (subscription)",)
            rig.channel._connection.abort("pulled by the test")  # type: ignore[union-attr]  # up
    assert sum(r.levelno >= logging.ERROR for r in caplog.records) == 1


async def test_a_subscription_at_which_the_broker_hangs_up_is_set_aside() -> None:
    broker = Scripted(suback=lambda topic: None if topic.endswith("sms/send") else 1)
    async with scripted(broker), running(settings(broker.port, protocol="3.1.1")) as rig:
        await rig.up()
        assert rig.channel.status.unheard == ("sms/send",)
        await broker.send(f"{ROOT}/command/request", [b"ping"], 4)
        await rig.until(lambda: rig.requests)


async def test_puback_0x87_is_told_once_and_not_asked_again_at_each_publication() -> None:
    broker = Scripted(puback=lambda topic, _body: 0x87 if topic == EVENT else 0)
    async with scripted(broker), running(settings(broker.port, protocol="5")) as rig:
        await rig.up()
        for _ in range(20):
            with pytest.raises(PublishRefusedError, match="0x87"):
                await rig.channel.publish("event", b"x")
        assert [topic for topic, _ in broker.published].count(EVENT) == 1
        assert rig.channel.status.refused == (EVENT,)


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_a_result_too_large_for_the_broker_is_told_in_a_shorter_form(version: str) -> None:
    send = {
        "id": "s1",
        "recipient": "+44",
        "state": "failed",
        "segments": 1,
        "refs": "[]",
        "error": "e" * 20_000,
    }
    report = Report(n=1, kind="sent", created_at="", attempts=0, waited_s=0, send=send)
    broker = Scripted(puback=lambda _topic, body: None if len(body) > 5000 else 0)
    async with scripted(broker), running(settings(broker.port, protocol=version)) as rig:
        reports = MqttReports(rig.channel)
        async with asyncio.timeout(20):
            while True:
                await reports.ready()
                try:
                    await reports.deliver(report)
                except RetryError:
                    continue
                break
    body = json.loads(broker.published[-2][1])  # the last is the goodbye
    assert (body["id"], body["state"]) == ("s1", "failed")
    assert "too large for the broker: error (2001" in body["error"]


async def test_a_broker_of_maximum_qos_0_is_not_run_against() -> None:
    broker = Scripted(connack=b"\x24\x00")
    async with scripted(broker), running(settings(broker.port, protocol="5")) as rig:
        await rig.until(lambda: rig.channel.status.reason != "not started")
        assert "QoS 0 only" in rig.channel.status.reason
        await rig.until(lambda: broker.connections >= 1)
        assert not broker.published


@pytest.fixture
def turned() -> list[float]:
    return [0.0]


def test_pauses_grow_and_an_acknowledgement_ends_them(turned: list[float]) -> None:
    told: list[str] = []
    refusals = Refusals(lambda state, _detail: told.append(state), lambda: turned[0])
    refusals.refused("t", 0x87, "no")
    first = refusals.pause_s("t")
    turned[0] += first
    refusals.check("t", 1)
    refusals.refused("t", 0x87, "no")
    assert refusals.pause_s("t") > first
    assert told == ["refused"]
    refusals.taken("t")
    assert (refusals.pause_s("t"), refusals.topics, told) == (0, (), ["refused", "taken"])


def test_one_lost_connection_proves_nothing(turned: list[float]) -> None:
    refusals = Refusals(lambda _state, _detail: None, lambda: turned[0])
    refusals.hung_up([("a", 1), ("b", 1)])
    assert not refusals.topics
    refusals.taken("a")
    refusals.hung_up([("a", 1), ("b", 1)])  # "a" was well meanwhile: "b" it is
    assert refusals.topics == ("b",)
