from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.config.model import MqttConfig
from tests.agent.channels.certificates import Authority
from tests.agent.channels.conftest import QUICK, ROOT, running, settings
from tests.agent.channels.test_mqtt_connect import serving
from tests.support.broker import Mosquitto

REQUEST = f"{ROOT}/command/request"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def server(authority: Authority) -> tuple[Path, Path]:
    return authority.issue("broker")


@pytest.fixture
def tls_broker(tmp_path: Path, server: tuple[Path, Path]) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker", tls=server) as broker:
        yield broker


def tls(port: int, **changes: object) -> MqttConfig:
    return settings(port, tls=True, **changes)


async def refused(config: MqttConfig) -> str:
    async with running(config, timing=replace(QUICK, dial_s=0.5)) as rig:
        await rig.until(lambda: rig.links)
        assert not rig.channel.connected.is_set()
        return rig.links[0].reason


async def test_messages_flow_both_ways_over_tls(
    tls_broker: Mosquitto, authority: Authority
) -> None:
    config = tls(tls_broker.port, ca=authority.certificate)
    async with running(config) as rig, running(config, client_id="other") as other:
        await rig.up()
        await other.up()
        for number in range(40):  # several packets a TLS record: the loop sees one wake-up
            await other.channel.publish("command/request", f"ping {number}".encode())
        await rig.until(lambda: len(rig.requests) == 40)


async def test_a_backlog_that_comes_in_one_tls_record_is_read_to_its_end(
    tls_broker: Mosquitto, authority: Authority
) -> None:
    config = tls(tls_broker.port, ca=authority.certificate)
    async with running(config) as rig:
        await rig.up()
    async with running(replace(config, root="modem-agent/x"), client_id="other") as other:
        await other.up()
        connection = other.channel._connection
        assert connection is not None
        for number in range(15):
            await connection.publish(REQUEST, f"ping {number}".encode())
    async with running(config) as rig:
        await rig.until(lambda: len(rig.requests) == 15)


async def test_a_certificate_of_an_unknown_authority_is_refused_and_named(
    tls_broker: Mosquitto, tmp_path: Path
) -> None:
    stranger = Authority.make(tmp_path / "stranger", "Stranger")
    reason = await refused(tls(tls_broker.port, ca=stranger.certificate))
    assert "the broker's certificate was not accepted" in reason
    assert "mqtt.ca" in reason


async def test_without_a_ca_the_system_decides(tls_broker: Mosquitto) -> None:
    assert "certificate was not accepted" in await refused(tls(tls_broker.port))


async def test_a_certificate_for_another_host_is_refused(
    tmp_path: Path, authority: Authority
) -> None:
    other = authority.issue("elsewhere", address="DNS:elsewhere.example")
    with Mosquitto(tmp_path / "broker", tls=other) as broker:
        reason = await refused(tls(broker.port, ca=authority.certificate))
    assert "127.0.0.1" in reason
    assert "not accepted" in reason


async def test_a_client_certificate_lets_in_and_its_absence_is_named(
    tmp_path: Path, authority: Authority, server: tuple[Path, Path]
) -> None:
    certificate, key = authority.issue("gw")
    with Mosquitto(tmp_path / "broker", tls=server, ca=authority.certificate) as broker:
        config = tls(broker.port, ca=authority.certificate)
        async with running(replace(config, cert=certificate, key=key)) as rig:
            await rig.up()
        assert "mqtt.cert" in await refused(config)


async def test_files_that_are_no_good_are_named_by_their_setting(
    tmp_path: Path, authority: Authority
) -> None:
    certificate, _key = authority.issue("a")
    _certificate, other_key = authority.issue("b")
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("nothing to see\n")
    absent = tmp_path / "absent.pem"
    good = authority.certificate
    reasons = [
        await refused(tls(1, ca=absent)),
        await refused(tls(1, ca=nonsense)),
        await refused(tls(1, ca=good, cert=certificate, key=other_key)),
        await refused(tls(1, ca=good, cert=certificate, key=absent)),
        await refused(tls(1, ca=good, cert=nonsense, key=other_key)),
    ]
    assert reasons[0] == f"mqtt.ca: cannot read {absent}: No such file or directory"
    assert reasons[1].startswith(f"mqtt.ca: {nonsense} holds no usable certificate")
    assert reasons[2].startswith("mqtt.cert, mqtt.key: not a usable pair")
    assert reasons[3] == f"mqtt.key: cannot read {absent}: No such file or directory"
    assert reasons[4].startswith("mqtt.cert, mqtt.key: not a usable pair")


async def test_the_port_without_tls_is_guessed_as_the_cause(
    broker: Mosquitto, authority: Authority
) -> None:
    reason = await refused(tls(broker.port, ca=authority.certificate))
    assert reason.startswith(f"127.0.0.1:{broker.port}: ")
    assert "TLS" in reason


async def test_a_tls_handshake_that_never_answers_is_given_up(authority: Authority) -> None:
    async def conversation(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(conversation) as port:
        reason = await refused(tls(port, ca=authority.certificate))
    assert reason.endswith(("no answer", "not reached in 0.5 s"))
