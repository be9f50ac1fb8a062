"""One log-in at a broker that leaves nothing behind: CONNECT, CONNACK, DISCONNECT."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from agent.channels.mqtt.reasons import FAILED, cut_short, refusal, without_qos_1
from agent.channels.mqtt.retry import ConnectError, Failure, Version
from agent.channels.mqtt.tls import client_context, explained

if TYPE_CHECKING:
    from paho.mqtt.client import ConnectFlags
    from paho.mqtt.properties import Properties
    from paho.mqtt.reasoncodes import ReasonCode

    from agent.config.model import MqttConfig

__all__ = ["log_in"]

SLICE_S: Final = 0.1
KEEPALIVE_S: Final = 60


def log_in(config: MqttConfig, client_id: str, version: Version, timeout_s: float) -> None:
    """Connect with a session that ends at once, without a will, and disconnect; blocks.

    Raises ConnectError.
    """
    modern = version is Version.V5
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        clean_session=None if modern else True,
        protocol=MQTTProtocolVersion.MQTTv5 if modern else MQTTProtocolVersion.MQTTv311,
        reconnect_on_failure=False,
    )
    client.connect_timeout = timeout_s
    answers: list[ReasonCode] = []
    qos: list[int] = []

    def connected(
        _client: Client,
        _userdata: Any,
        _flags: ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        answers.append(reason)
        qos.append(getattr(properties, "MaximumQoS", 1))

    client.on_connect = connected
    try:
        _dial(client, config, modern=modern)
        _await(client, answers, version, timeout_s, tls=config.tls)
        client.disconnect()
        if qos == [0]:
            raise without_qos_1()
    except (OSError, ValueError) as problem:
        where = f"{config.host}:{config.port}"
        told = explained(where, problem) if config.tls else None
        reason = f"{where}: {getattr(problem, 'strerror', None) or problem}"
        raise told or ConnectError(Failure.UNREACHABLE, reason) from problem
    finally:
        sock = client.socket()
        if sock is not None:
            sock.close()


def _dial(client: Client, config: MqttConfig, *, modern: bool) -> None:
    if config.username is not None or config.password_file is not None:
        client.username_pw_set(config.username, _password(config))
    if config.tls:
        client.tls_set_context(client_context(config.ca, config.cert, config.key))
    if modern:
        client.connect(config.host, config.port, KEEPALIVE_S, clean_start=True)
    else:
        client.connect(config.host, config.port, KEEPALIVE_S)


def _password(config: MqttConfig) -> str | None:
    if config.password_file is None:
        return None
    return config.password_file.read_text("utf-8-sig").rstrip("\r\n")


def _await(
    client: Client, answers: list[ReasonCode], version: Version, timeout_s: float, *, tls: bool
) -> None:
    deadline = time.monotonic() + timeout_s
    while not answers and time.monotonic() < deadline:
        code = client.loop(SLICE_S)
        if code != MQTTErrorCode.MQTT_ERR_SUCCESS and not answers:
            raise cut_short(code.name, tls=tls)
    if not answers:
        reason = f"connected, but no CONNACK to MQTT {version} in {timeout_s:g} s"
        raise ConnectError(Failure.SILENT, reason)
    (answer,) = answers
    if answer.value >= FAILED:
        raise refusal(answer.value, answer.getName())
