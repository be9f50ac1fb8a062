"""One MQTT connection inside the event loop, from CONNACK to its end; never used a second time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from paho.mqtt.enums import LogLevel, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from agent.channels.mqtt.flight import Flight
from agent.channels.mqtt.pump import Pump
from agent.channels.mqtt.reasons import (
    FAILED,
    NAMES,
    OF_BROKER,
    OF_TOPIC,
    PACKET_TOO_LARGE,
    PERMANENT,
    cut_short,
    refusal,
    with_remedy,
    without_qos_1,
)
from agent.channels.mqtt.refusals import Refusals
from agent.channels.mqtt.retry import ConnectError, Failure, Version
from agent.channels.mqtt.sieve import cut_of
from agent.channels.mqtt.values import Cut, NotConnectedError, PublishRefusedError, Timing

if TYPE_CHECKING:
    from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
    from paho.mqtt.reasoncodes import ReasonCode

PUBLISH_OVERHEAD = 10  # fixed header 5, name's length 2, packet id 2, no properties 1
MAX_IN_FLIGHT = 20  # ours; the library would queue, and send again by itself, what goes beyond
RETAIN_HANDLING_NEW = 1  # retained requests are told once, not at every connection (§3.8.3.1)


def subscription(topic: str) -> str:
    """Name a subscription among what the broker may refuse."""
    return f"{topic} (subscription)"


class Connection:
    """A client whose socket is connected and whose CONNECT is on its way.

    on_message: called in the loop for each PUBLISH, with its acknowledgement as a call.
    ended: gets one sentence when the connection is over; everything that waits on it then fails
    with NotConnectedError.
    """

    def __init__(
        self,
        client: Client,
        version: Version,
        timing: Timing,
        on_message: Callable[[MQTTMessage, Callable[[], None]], None],
        refusals: Refusals,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._client = client
        self.version = version
        self._timing = timing
        self._on_message_here = on_message
        self.ended: asyncio.Future[str] = self._loop.create_future()
        self._connack: asyncio.Future[tuple[int, str, Properties | None]] = (
            self._loop.create_future()
        )
        self._subacks: dict[int, asyncio.Future[list[int]]] = {}
        self._refusals = refusals
        self._subscribing: Sequence[str] = ()
        self.explained = False  # its end, by what was published or subscribed
        self._last_error = ""
        self._told: Callable[[str], None] | None = None
        self._flight = Flight(MAX_IN_FLIGHT, timing.ack_s, self._overdue)
        self._max_packet: int | None = None
        self.pump = Pump(client, timing.misc_s, self._end)
        self.retain_available = True
        self.greeted = False  # CONNACK has come, and it was a success
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_log = self._on_log
        self.pump.start()

    # Life: CONNACK to end.

    async def established(self, timeout_s: float) -> None:
        """Wait for CONNACK. Raises ConnectError; the connection is over then."""
        try:
            async with asyncio.timeout(timeout_s):
                either: list[asyncio.Future[Any]] = [self._connack, self.ended]
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            self.abort("no CONNACK")
            reason = f"connected, but no CONNACK to MQTT {self.version} in {timeout_s:g} s"
            raise ConnectError(Failure.SILENT, reason) from None
        if not self._connack.done():
            raise cut_short(self._last_error or self.ended.result(), tls=self.pump.tls)
        code, name, properties = self._connack.result()
        if code >= FAILED:
            self.abort("refused")
            raise refusal(code, name)
        if getattr(properties, "MaximumQoS", 1) == 0:
            self.abort("no QoS 1")
            raise without_qos_1()
        self._client.on_log = None
        self.greeted = True
        self.pump.retime()
        self._take_limits(properties)

    def _take_limits(self, properties: Properties | None) -> None:
        """Heed what the broker's CONNACK says about itself (MQTT 5 §3.2.2.3)."""
        limit: int = getattr(properties, "ReceiveMaximum", MAX_IN_FLIGHT)
        self._flight = Flight(min(limit, MAX_IN_FLIGHT), self._timing.ack_s, self._overdue)
        if self.ended.done():
            self._flight.end(self.ended.result())
        self._max_packet = getattr(properties, "MaximumPacketSize", None)
        self.retain_available = bool(getattr(properties, "RetainAvailable", 1))

    def _overdue(self) -> None:
        self.abort(f"no acknowledgement in {self._timing.ack_s:g} s")

    def abort(self, reason: str) -> None:
        """End the connection without DISCONNECT, so that the broker publishes the will."""
        self._end(reason)

    async def disconnect(self, timeout_s: float) -> None:
        """Send DISCONNECT, which drops the will, and end the connection."""
        if not self.ended.done():
            self._client.disconnect()
            await asyncio.wait({self.ended}, timeout=timeout_s)
        self._end("disconnected")

    def when_ended(self, told: Callable[[str], None]) -> None:
        """Have `told` called with the reason, at once if it is over, before any waiter hears."""
        if self.ended.done():
            told(self.ended.result())
        else:
            self._told = told

    def _end(self, reason: str) -> None:
        if self.ended.done():
            return
        self.ended.set_result(reason)
        if self._told is not None:
            self._told(reason)
            self._told = None
        self._flight.end(reason)
        for suback in self._subacks.values():
            if not suback.done():
                suback.set_exception(NotConnectedError(reason))
                suback.exception()  # looked at: there may be nobody waiting
        self.pump.close()
        client = self._client
        client.on_connect = client.on_disconnect = client.on_publish = None
        client.on_subscribe = client.on_message = client.on_log = None  # no cycle is left

    def _on_log(self, _client: Client, _userdata: Any, level: int, text: str) -> None:
        if level == LogLevel.MQTT_LOG_ERR:
            self._last_error = text

    # What the broker says.

    def _on_connect(
        self,
        _client: Client,
        _userdata: Any,
        _flags: ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if not self._connack.done():
            self._connack.set_result((reason.value, reason.getName(), properties))

    def _on_disconnect(
        self,
        _client: Client,
        _userdata: Any,
        flags: DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if not (flags.is_disconnect_packet_from_server and reason.value in OF_BROKER):
            subscriptions = [(subscription(topic), 0) for topic in self._subscribing]
            self.explained = self._refusals.hung_up([*subscriptions, *self._flight.unanswered])
        if flags.is_disconnect_packet_from_server:
            told = f"the broker disconnected: {reason.getName()}"
            self._end(with_remedy(told, reason.value))
        elif reason.value == 0:
            self._end("disconnected")
        else:
            named = reason.value != FAILED  # "unspecified" says no more than this does
            self._end("the connection was lost" + (f": {reason}" if named else ""))

    def _on_subscribe(
        self,
        _client: Client,
        _userdata: Any,
        mid: int,
        codes: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        suback = self._subacks.get(mid)
        if suback is not None and not suback.done():
            suback.set_result([code.value for code in codes])

    def _on_publish(
        self,
        _client: Client,
        _userdata: Any,
        mid: int,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._flight.acknowledged(mid, reason.value)

    def _on_message(self, client: Client, _userdata: Any, message: MQTTMessage) -> None:
        def acknowledge() -> None:
            if not self.ended.done():
                client.ack(message.mid, message.qos)

        self._on_message_here(message, acknowledge)

    # What we say.

    def cut(self, payload: bytes | bytearray) -> Cut | None:
        """Read the body of a message that was too large; None for any other."""
        return cut_of(self._client, bytes(payload))

    async def subscribe(self, topics: Sequence[str]) -> list[int]:
        """Subscribe at QoS 1; returns a reason code a topic. One call at a time.

        Raises NotConnectedError.
        """
        self._subscribing = topics
        if self.version is Version.V5:
            options = SubscribeOptions(
                qos=1, retainAsPublished=True, retainHandling=RETAIN_HANDLING_NEW
            )
            _, mid = self._client.subscribe([(topic, options) for topic in topics])
        else:
            _, mid = self._client.subscribe([(topic, 1) for topic in topics])
        if mid is None or self.ended.done():
            raise NotConnectedError("SUBSCRIBE not sent")
        suback = self._subacks[mid] = self._loop.create_future()
        try:
            async with asyncio.timeout(self._timing.ack_s):
                codes: list[int] = await asyncio.shield(suback)
        except TimeoutError:
            self._overdue()
            raise NotConnectedError("no SUBACK in time") from None
        if len(codes) != len(topics):
            self.abort(f"{len(codes)} reason codes for {len(topics)} subscriptions")
            raise NotConnectedError(self.ended.result())
        self._subscribing = ()
        return codes

    async def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        correlation: bytes | None = None,
        expiry_s: int | None = None,
    ) -> None:
        """Publish at QoS 1 and return at the broker's acknowledgement.

        Raises PublishRefusedError, or NotConnectedError where the connection ended first.
        """
        properties = self._properties(correlation, expiry_s)
        self._check_size(topic, payload, properties)
        async with self._refusals.turn(topic, len(payload)):
            await self._flight.room()
            retain = retain and self.retain_available
            info = self._client.publish(topic, payload, 1, retain, properties)
            if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
                self._flight.unsent()
                raise NotConnectedError(f"not sent, {info.rc.name}")
            acknowledgement = self._flight.sent(info.mid, topic, len(payload))
            self.pump.flush()
            code = await acknowledgement
        if code >= FAILED:
            name = NAMES.get(code, "refused")
            if code in OF_TOPIC:
                self._refusals.refused(topic, code, f"0x{code:02X} {name}")
            raise PublishRefusedError(topic, code, name, permanent=code in PERMANENT)
        self._refusals.taken(topic)

    def _check_size(self, topic: str, payload: bytes, properties: Properties | None) -> None:
        """Refuse what the broker would answer by closing the connection (MQTT 5 §3.2.2.3.6)."""
        if self._max_packet is None:
            return
        size = PUBLISH_OVERHEAD + len(topic.encode()) + len(payload)
        if properties is not None:
            size += len(properties.pack())  # type: ignore[no-untyped-call]  # the library's
        if size > self._max_packet:
            name = f"packet too large for this broker ({size} > {self._max_packet} octets)"
            raise PublishRefusedError(topic, PACKET_TOO_LARGE, name, permanent=True)

    def _properties(self, correlation: bytes | None, expiry_s: int | None) -> Properties | None:
        if self.version is not Version.V5 or (correlation is None and expiry_s is None):
            return None
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # library's
        if correlation is not None:
            properties.CorrelationData = correlation
        if expiry_s is not None:
            properties.MessageExpiryInterval = expiry_s
        return properties
