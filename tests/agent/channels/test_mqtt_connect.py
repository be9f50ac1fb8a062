from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from agent.channels.mqtt.channel import LinkStatus, MqttChannel, Publication
from tests.agent.channels.conftest import QUICK, ROOT, running, settings
from tests.support.broker import Mosquitto, free_port
from tests.support.mqtt_client import Observer

REPOSITORY = Path(__file__).parents[3]


async def test_birth_is_told_at_connection_retained(broker: Mosquitto, observer: Observer) -> None:
    def birth() -> list[Publication]:
        return [
            Publication("info", {"version": "1"}, retain=True),
            Publication("modem", {"link": "ready", "iccid": None}, retain=True),
        ]

    async with running(settings(broker.port), birth=birth) as rig:
        await rig.up()
        assert rig.channel.status.protocol == "5"
        (status,) = await observer.seen(f"{ROOT}/status")
        (info,) = await observer.seen(f"{ROOT}/info")
        (modem,) = await observer.seen(f"{ROOT}/modem")
    assert (status.payload, status.retained, status.qos) == (b"online", True, 1)
    assert (info.json, info.retained) == ({"version": "1"}, True)
    assert (modem.json, modem.retained) == ({"link": "ready", "iccid": None}, True)


async def test_birth_is_asked_for_and_told_at_every_connection(
    broker: Mosquitto, observer: Observer
) -> None:
    asked = 0

    def birth() -> list[Publication]:
        nonlocal asked
        asked += 1
        return [Publication("info", {"n": asked}, retain=True)]

    async with running(settings(broker.port), birth=birth) as rig:
        await rig.up()
        broker.restart(forget=True)
        await rig.until(lambda: len(rig.links) >= 3)  # up, down, up
        await rig.up()
        with Observer(broker.port, f"{ROOT}/#") as later:
            assert [seen.json for seen in await later.seen(f"{ROOT}/info")] == [{"n": 2}]
            assert [seen.payload for seen in await later.seen(f"{ROOT}/status")] == [b"online"]
    assert [link.connected for link in rig.links[:3]] == [True, False, True]


async def test_a_clean_end_publishes_offline_without_the_will(
    broker: Mosquitto, observer: Observer
) -> None:
    async with running(settings(broker.port)) as rig:
        await rig.up()
    told = await observer.seen(f"{ROOT}/status", 2)
    assert [seen.payload for seen in told] == [b"online", b"offline"]
    assert told[1].retained
    assert "Received DISCONNECT from modem-agent-gw" in broker.log()
    assert not rig.channel.status.connected


async def test_stop_says_goodbye_and_ends_run(broker: Mosquitto, observer: Observer) -> None:
    async def ignore(_inbound: object) -> None:
        return

    channel = MqttChannel(settings(broker.port), "gw", on_request=ignore, timing=QUICK)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(channel.run())
        await channel.connected.wait()
        channel.stop()
    told = await observer.seen(f"{ROOT}/status", 2)
    assert told[1].payload == b"offline"
    assert not channel.connected.is_set()


async def test_a_killed_agent_is_declared_offline_by_its_will(
    broker: Mosquitto, observer: Observer
) -> None:
    script = Path(__file__).with_name("doomed_agent.py")
    child = subprocess.Popen(  # noqa: ASYNC220  # starts without waiting
        [sys.executable, str(script), str(broker.port)],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    try:
        await observer.seen(f"{ROOT}/status", timeout_s=10)
    finally:
        child.kill()
        child.wait()
    told = await observer.seen(f"{ROOT}/status", 2)
    assert [(seen.payload, seen.retained) for seen in told] == [
        (b"online", True),
        (b"offline", True),
    ]


async def test_wrong_credentials_are_told_once_and_mended_without_a_restart(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    password = tmp_path / "password"
    password.write_text("wrong\n")
    with Mosquitto(tmp_path / "broker", users={"gw": "secret"}) as broker:
        config = settings(broker.port, username="gw", password_file=password)
        async with running(config) as rig:
            with caplog.at_level(logging.INFO):
                await rig.until(lambda: broker.log().count("not authorised") >= 2)
            (told,) = [entry for entry in caplog.records if "not connected" in entry.message]
            assert told.levelno == logging.ERROR
            assert "Not authorized" in told.message
            assert "wrong" not in caplog.text
            password.write_text("secret\r\n")  # read again at the next attempt
            rig.channel.retry_now()
            await rig.up()


async def test_missing_password_file_is_named(tmp_path: Path, broker: Mosquitto) -> None:
    config = settings(broker.port, username="gw", password_file=tmp_path / "absent")
    async with running(config) as rig:
        await rig.until(lambda: rig.links)
        assert rig.links[0].reason.startswith("mqtt.password_file: cannot read ")
        assert str(tmp_path / "absent") in rig.links[0].reason


@pytest.mark.parametrize(
    ("host", "reason"),
    [("127.0.0.1", "refused"), ("no-such-host.invalid", "the name cannot be resolved")],
)
async def test_an_unreachable_broker_is_told_with_its_address(host: str, reason: str) -> None:
    port = free_port()
    async with running(settings(port, host=host)) as rig:
        await rig.until(lambda: rig.links)
        assert rig.links[0].reason.startswith(f"{host}:{port}: ")
        assert reason in rig.links[0].reason


async def test_retry_now_cuts_the_wait_short(tmp_path: Path) -> None:
    port = free_port()
    slow = replace(QUICK, retry_low_s=60, retry_high_s=60)
    async with running(settings(port), timing=slow) as rig:
        await rig.until(lambda: rig.links)
        with Mosquitto(tmp_path / "broker", port=port):
            rig.channel.retry_now()
            await rig.up()


async def test_the_broker_may_shorten_the_keep_alive(tmp_path: Path) -> None:
    with Mosquitto(tmp_path / "broker", settings=["max_keepalive 10"]) as broker:
        async with running(settings(broker.port, keepalive_s=600)) as rig:
            await rig.up()
            connection = rig.channel._connection
            assert connection is not None
            assert connection._client.keepalive == 10
            timer = connection.pump._timer
            assert timer is not None
            assert timer.when() - asyncio.get_running_loop().time() < 10 / 2  # a ping in time


async def test_a_broker_without_retained_messages_is_used_all_the_same(tmp_path: Path) -> None:
    with Mosquitto(tmp_path / "broker", settings=["retain_available false"]) as broker:
        with Observer(broker.port) as observer:
            async with running(settings(broker.port)) as rig:
                await rig.up()
                await rig.channel.publish("modem", {"link": "ready"}, retain=True)
                (modem,) = await observer.seen(f"{ROOT}/modem")
        assert not modem.retained


async def test_a_second_agent_with_the_same_identity_is_named_as_the_cause(
    broker: Mosquitto,
) -> None:
    async with running(settings(broker.port)) as first:
        await first.up()
        async with running(settings(broker.port)):
            await first.until(
                lambda: any(
                    link.reason.endswith("does another client connect as modem-agent-gw?")
                    for link in first.links
                )
            )


Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def serving(conversation: Conversation) -> AsyncIterator[int]:
    """A server on loopback that is no broker."""
    writers: list[asyncio.StreamWriter] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        with contextlib.suppress(ConnectionError):
            await conversation(reader, writer)

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.close()
        await server.wait_closed()


CONNACK_5 = bytes.fromhex("2003000000")
GARBAGE = {
    "text": b"HTTP/1.1 400 Bad Request\r\n\r\n" * 3,
    "endless length": b"\x20\xff\xff\xff\xff\xff",
    "short connack": b"\x20\x01\x00",
    "unknown reason": b"\x20\x03\x00\xee\x00",
    "broken properties": b"\x20\x08\x00\x00\x05\x99\x99\x99\x99\x99",
    "suback before connack": b"\x90\x04\x00\x01\x00\x01",
    "publish cut short": CONNACK_5 + b"\x32\x02\xff\xff",
    "publish with a topic beyond the packet": CONNACK_5 + b"\x32\x05\x00\x09abc",
    "puback for nothing": CONNACK_5 + b"\x40\x02\x12\x34",
    "puback of an unknown reason": CONNACK_5 + b"\x40\x04\x00\x01\x77\x00",
    "suback without codes": CONNACK_5 + b"\x90\x03\x00\x01\x00",
    "disconnect of an unknown reason": CONNACK_5 + b"\xe0\x02\x77\x00",
    "reserved packet": CONNACK_5 + b"\xf0\x00",
    "zeros": bytes(64),
}


@pytest.mark.parametrize("octets", list(GARBAGE.values()), ids=list(GARBAGE))
async def test_what_is_no_broker_never_ends_the_channel(octets: bytes) -> None:
    attempts = 0

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal attempts
        attempts += 1
        await reader.read(100)
        writer.write(octets)
        await writer.drain()
        await asyncio.sleep(0.02)
        writer.close()

    async with serving(conversation) as port, running(settings(port)) as rig:
        await rig.until(lambda: attempts >= 3)
        assert not rig.channel.connected.is_set()
        assert all(not link.connected and link.reason for link in rig.links)


async def test_the_brokers_reason_for_disconnecting_is_told_with_its_remedy() -> None:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(CONNACK_5 + b"\xe0\x02\x8e\x00")
        await reader.read()

    async with serving(conversation) as port, running(settings(port)) as rig:
        await rig.until(lambda: rig.links)
        assert rig.links[0].reason.startswith("the broker disconnected: Session taken over: ")
        assert "second agent" in rig.links[0].reason


async def test_a_silent_server_does_not_hold_the_attempt_for_ever() -> None:
    async def conversation(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(conversation) as port, running(settings(port, protocol="5")) as rig:
        await rig.until(lambda: rig.links)
        assert rig.links == [LinkStatus(False, None, "connected, but no CONNACK to MQTT 5 in 1 s")]


async def test_a_server_that_accepts_and_never_subscribes_is_left() -> None:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(CONNACK_5)
        await reader.read()

    async with serving(conversation) as port, running(settings(port)) as rig:
        await rig.until(lambda: rig.links)
        assert rig.links[0].reason == "no acknowledgement in 1 s"
