"""The blocking half of a connection attempt, from the password file to the CONNECT packet."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, LogLevel, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from agent.channels.mqtt.reasons import cut_short
from agent.channels.mqtt.retry import ConnectError, Failure, Version
from agent.channels.mqtt.sieve import MAX_PACKET_OCTETS, Sieve, SievedClient

if TYPE_CHECKING:
    from ssl import SSLContext

    from agent.config.model import MqttConfig

SESSION_EXPIRY_S = 30 * 86400  # as long as command ids are kept: what comes later has no duplicate
RECEIVE_MAXIMUM = 20  # unacknowledged requests the broker may have under way to us


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes, retained where it can, when the connection is lost."""

    topic: str
    payload: bytes
    retain: bool


@dataclass(frozen=True, slots=True)
class Call:
    """Everything one connection attempt needs to know."""

    config: MqttConfig
    version: Version
    client_id: str
    will: Will
    timeout_s: float


def open_client(call: Call) -> Client:
    """Connect the socket and put CONNECT on it; blocks, for a thread.

    The client is new each time: a client that is used again would publish by itself again what
    the journal already decides about. Raises ConnectError.
    """
    config = call.config
    modern = call.version is Version.V5
    client = SievedClient(
        CallbackAPIVersion.VERSION2,
        client_id=call.client_id,
        clean_session=None if modern else False,
        protocol=MQTTProtocolVersion.MQTTv5 if modern else MQTTProtocolVersion.MQTTv311,
        reconnect_on_failure=False,  # or the library redials, blocking, from inside a callback
        manual_ack=True,
    )
    client.sieve = Sieve(modern=modern)
    client.connect_timeout = call.timeout_s
    errors: list[str] = []
    client.on_log = lambda _client, _userdata, level, text: (
        errors.append(text) if level == LogLevel.MQTT_LOG_ERR else None
    )
    if config.username is not None or config.password_file is not None:
        client.username_pw_set(config.username, _password(config.password_file))
    client.will_set(call.will.topic, call.will.payload, qos=1, retain=call.will.retain)
    try:
        if config.tls:
            client.tls_set_context(_tls_context(config))
        if modern:
            client.connect(
                config.host,
                config.port,
                config.keepalive_s,
                clean_start=False,
                properties=_connect_properties(),
            )
        else:
            client.connect(config.host, config.port, config.keepalive_s)
    except (OSError, ValueError) as error:  # ValueError: a host name that IDNA cannot encode
        raise _explained(config, error) from error
    sock = client.socket()
    if sock is None:  # the library met an error while it wrote CONNECT, and only logged it
        raise cut_short(errors[-1] if errors else "no reason given", tls=config.tls)
    if isinstance(sock, socket.socket):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def _connect_properties() -> Properties:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # the library's
    properties.SessionExpiryInterval = SESSION_EXPIRY_S
    properties.ReceiveMaximum = RECEIVE_MAXIMUM
    properties.MaximumPacketSize = MAX_PACKET_OCTETS
    return properties


def _password(path: Path | None) -> str | None:
    """Read the password: the file's text without the line end an editor leaves."""
    if path is None:
        return None
    octets = _readable("password_file", path)
    try:
        return octets.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        reason = f"mqtt.password_file: {path} is not UTF-8 text"
        raise ConnectError(Failure.DENIED, reason) from None


def _readable(setting: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        reason = f"mqtt.{setting}: cannot read {path}: {error.strerror or error}"
        raise ConnectError(Failure.DENIED, reason) from error


def _tls_context(config: MqttConfig) -> SSLContext:
    """A verifying client context. Raises ConnectError naming the file that is no good."""
    from agent.channels.mqtt.tls import client_context  # noqa: PLC0415  # only TLS pays for it

    for setting, path in (("ca", config.ca), ("cert", config.cert), ("key", config.key)):
        if path is not None:
            _readable(setting, path)  # ssl's own errors do not name the file
    return client_context(config.ca, config.cert, config.key)


def _explained(config: MqttConfig, error: OSError | ValueError) -> ConnectError:
    """Say what went wrong between us and the broker's address."""
    where = f"{config.host}:{config.port}"
    if config.tls:
        from agent.channels.mqtt.tls import explained  # noqa: PLC0415  # imported by the context

        if (told := explained(where, error)) is not None:
            return told
    if isinstance(error, socket.gaierror):
        detail = f"the name cannot be resolved: {error.strerror}"
    elif isinstance(error, TimeoutError):
        detail = "no answer"
    elif isinstance(error, OSError):
        detail = error.strerror or str(error)
    else:
        detail = str(error)
    return ConnectError(Failure.UNREACHABLE, f"{where}: {detail}")


class Dialler:
    """Runs `open_client` in a thread, at most one at a time, and never waits longer than told.

    A name look-up cannot be interrupted: an attempt given up leaves its thread to end by itself
    (a daemon, so that it holds up no exit), and the next one is refused until it has.
    """

    def __init__(self, opener: Callable[[Call], Client] = open_client) -> None:
        self._opener = opener
        self._ended: threading.Event | None = None  # the last attempt's

    async def dial(self, call: Call) -> Client:
        """Open a client within call.timeout_s. Raises ConnectError."""
        if self._ended is not None and not self._ended.is_set():
            raise ConnectError(Failure.UNREACHABLE, "the previous attempt still waits for its host")
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[Client] = loop.create_future()
        self._ended = threading.Event()
        threading.Thread(
            target=self._work,
            args=(call, loop, outcome, self._ended),
            name="mqtt-dial",
            daemon=True,
        ).start()
        try:
            async with asyncio.timeout(call.timeout_s):
                return await outcome
        except TimeoutError as error:
            reason = f"{call.config.host}:{call.config.port}: not reached in {call.timeout_s:g} s"
            raise ConnectError(Failure.UNREACHABLE, reason) from error

    def _work(
        self,
        call: Call,
        loop: asyncio.AbstractEventLoop,
        outcome: asyncio.Future[Client],
        ended: threading.Event,
    ) -> None:
        result: Client | ConnectError = ConnectError(Failure.UNREACHABLE, "the attempt broke off")
        try:
            result = self._opener(call)
        except ConnectError as error:
            result = error
        finally:
            ended.set()
            try:
                loop.call_soon_threadsafe(_settle, outcome, result)
            except RuntimeError:  # the loop is closed: nobody waits any more
                _hang_up(result)


def _settle(outcome: asyncio.Future[Client], result: Client | ConnectError) -> None:
    if outcome.done():  # given up meanwhile
        _hang_up(result)
    elif isinstance(result, ConnectError):
        outcome.set_exception(result)
    else:
        outcome.set_result(result)


def _hang_up(result: Client | ConnectError) -> None:
    if isinstance(result, Client) and (sock := result.socket()) is not None:
        sock.close()
