"""The MQTT channel: keeps one broker connection alive for as long as the agent runs."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from agent.channels.mqtt.bodies import render_body
from agent.channels.mqtt.connection import Connection, subscription
from agent.channels.mqtt.dial import RECEIVE_MAXIMUM, Call, Dialler, Will
from agent.channels.mqtt.inbound import InboundLane
from agent.channels.mqtt.reasons import FAILED
from agent.channels.mqtt.refusals import Refusals
from agent.channels.mqtt.retry import BackOff, ConnectError, Failure, ProtocolChoice, Version
from agent.channels.mqtt.topics import INBOUND, Suffix, Topics
from agent.channels.mqtt.values import (
    Inbound,
    LinkStatus,
    MqttError,
    NotConnectedError,
    Publication,
    PublishRefusedError,
    RequestNotTakenError,
    Timing,
)

if TYPE_CHECKING:
    from paho.mqtt.client import MQTTMessage

    from agent.config.model import MqttConfig

__all__ = [
    "Inbound",
    "LinkStatus",
    "MqttChannel",
    "MqttError",
    "NotConnectedError",
    "Publication",
    "PublishRefusedError",
    "RequestNotTakenError",
    "Suffix",
    "Timing",
    "Topics",
    "render_body",
]

log = logging.getLogger(__name__)

ONLINE = b"online"
OFFLINE = b"offline"
MOST_WAITING = 4 * RECEIVE_MAXIMUM  # a broker without Receive Maximum (3.1.1, QoS 0) is left unread
SUSPICIOUS = 3  # short connections in a row; brokers end one of two clients with equal identifiers


class MqttChannel:
    """Connects, says what the device is, hands requests in and publishes what is given to it.

    on_request: called for each message on `command/request` and `sms/send`, in their order; the
    broker's copy is acknowledged only after it returned. It may raise RequestNotTakenError to be
    asked again later; any other exception ends `run`.
    birth: the publications to make at every connection beside `status`, asked for each time.
    on_link: called in the event loop at every change of `status`.
    on_refusal: called with "refused" or "taken" and a sentence when the broker begins to refuse a
    topic, and when it takes it again.
    concurrency: how many on_request calls may be under way at the same time.
    Raises ValueError for a device id or root that cannot be a topic.
    """

    def __init__(
        self,
        config: MqttConfig,
        device_id: str,
        *,
        on_request: Callable[[Inbound], Awaitable[None]],
        birth: Callable[[], Iterable[Publication]] = tuple,
        on_link: Callable[[LinkStatus], None] | None = None,
        on_refusal: Callable[[str, str], None] | None = None,
        client_id: str | None = None,
        concurrency: int = 1,
        timing: Timing = Timing(),  # noqa: B008  # frozen
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.topics = Topics.of(device_id, config.root, config.response_prefix)
        self.connected = asyncio.Event()
        self.status = LinkStatus(connected=False, protocol=None, reason="not started")
        self._config = config
        self._client_id = client_id or f"modem-agent-{device_id}"
        self._on_request = on_request
        self._birth = birth
        self._on_link = on_link
        self._on_refusal = on_refusal
        self._refusals = Refusals(self._refusal)
        self._concurrency = concurrency
        self._timing = timing
        self._dialler = Dialler()
        self._choice = ProtocolChoice(config.protocol)
        self._back_off = BackOff(timing.retry_low_s, timing.retry_high_s, chance)
        self._connection: Connection | None = None
        self._kick = asyncio.Event()
        self._stop = asyncio.Event()
        self._will_retain = True
        self._tried = Version.V5
        self._leaving = False
        self._short_lives = 0  # connections in a row that did not last

    # What others use.

    async def publish(
        self,
        suffix: str,
        body: Mapping[str, object] | bytes,
        *,
        retain: bool = False,
        correlation: bytes | None = None,
        response_topic: str | None = None,
        expiry_s: int | None = None,
    ) -> None:
        """Publish below the root and return once the broker has acknowledged it (QoS 1).

        response_topic: published there as well where the configuration's response_prefix allows
        it; a broker that refuses only that copy is logged. correlation, expiry_s: MQTT 5 only.
        Raises NotConnectedError (also where the connection goes, or the acknowledgement does not
        come in Timing.ack_s: publish again later) or PublishRefusedError.
        """
        connection = self._connection
        if connection is None or not self.connected.is_set():
            raise NotConnectedError(self.status.reason)
        payload = body if isinstance(body, bytes) else render_body(body)
        await connection.publish(
            self.topics.name(suffix),
            payload,
            retain=retain,
            correlation=correlation,
            expiry_s=expiry_s,
        )
        if response_topic is None or not self.topics.may_respond(response_topic):
            return
        try:
            await connection.publish(
                response_topic, payload, correlation=correlation, expiry_s=expiry_s
            )
        except PublishRefusedError as error:
            log.warning("mqtt response refused reason=%s", error)

    def retry_now(self) -> None:
        """Cut the wait before the next attempt short; a no-op while there is a connection."""
        self._kick.set()

    def stop(self) -> None:
        """Make `run` say goodbye and return; an attempt under way is finished first.

        Cancelling `run` says goodbye as well, and waits for no attempt.
        """
        self._stop.set()
        self._kick.set()

    # The life of the channel.

    async def run(self) -> None:
        """Stay connected until `stop` or cancellation, both of which publish `offline` first.

        Raises an exception group where on_request or birth raised what is no RequestNotTakenError.
        """
        self._leaving = False
        while not self._stop.is_set():
            self._kick.clear()
            slow = False
            try:
                await self._live()
            except ConnectError as error:
                if error.failure is Failure.DENIED:
                    slow = True
                self._down(error.reason, logging.ERROR if slow else logging.WARNING)
                if self._another_way(error):
                    continue
            if not self._stop.is_set():
                await self._pause(self._back_off.next_s(slow=slow))

    def _another_way(self, error: ConnectError) -> bool:
        """Whether another attempt, made differently, is worth making at once."""
        if error.failure is Failure.RETAIN and self._will_retain:
            self._will_retain = False
            return True
        return self._choice.failed(self._tried, error.failure)

    async def _pause(self, wait_s: float) -> None:
        try:
            async with asyncio.timeout(wait_s):
                await self._kick.wait()
        except TimeoutError:
            return

    async def _live(self) -> None:
        """One connection from its dialling to its end. Raises ConnectError."""
        loop = asyncio.get_running_loop()
        lane = InboundLane(self._on_request, self._concurrency, self._timing)
        connection = await self._connect(lane)
        since = loop.time()
        connection.when_ended(
            lambda reason: self._gone(reason, loop.time() - since, explained=connection.explained)
        )
        try:
            async with asyncio.TaskGroup() as group:
                handling = group.create_task(lane.run())
                stopping = group.create_task(self._stop.wait())
                listening: asyncio.Task[None] | None = None
                try:
                    if await self._introduce(connection):
                        listening = group.create_task(self._listen_again(connection))
                        either: list[asyncio.Future[Any]] = [connection.ended, stopping]
                        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    self.connected.clear()
                    if not connection.ended.done():
                        self._leaving = True
                        await self._farewell(connection)
                    handling.cancel()
                    stopping.cancel()
                    if listening is not None:
                        listening.cancel()
        finally:
            connection.abort("stopped")

    def _gone(self, reason: str, lived_s: float, *, explained: bool) -> None:
        """Note the end of a connection, before anybody who waited on it hears of it."""
        self.connected.clear()
        self._connection = None
        self._short_lives += 1
        if lived_s >= self._timing.stable_s:
            self._short_lives = 0
            self._back_off.reset()
        if explained:
            reason += ", with publications or subscriptions unanswered"
        elif self._short_lives >= SUSPICIOUS:
            reason += f", soon and again: does another client connect as {self._client_id}?"
        self._down(reason, logging.INFO if self._leaving else logging.WARNING)

    async def _connect(self, lane: InboundLane) -> Connection:
        loop = asyncio.get_running_loop()
        timing = self._timing
        self._tried = version = self._choice.next(loop.time())
        will = Will(self.topics.name(Suffix.STATUS), OFFLINE, self._will_retain)
        call = Call(self._config, version, self._client_id, will, timing.dial_s)
        client = await self._dialler.dial(call)

        def take(message: MQTTMessage, acknowledge: Callable[[], None]) -> None:
            self._take(connection, lane, message, acknowledge)

        connection = Connection(client, version, timing, take, self._refusals)
        try:
            probe = self._choice.probing()
            await connection.established(timing.probe_s if probe else timing.connack_s)
        finally:
            if not connection.greeted:
                connection.abort("not established")
        self._choice.connected(version, loop.time())
        return connection

    async def _introduce(self, connection: Connection) -> bool:
        """Subscribe, then publish `online` and the birth publications; False if that broke off.

        In this order: who sees `online` may send a request at once.
        """
        try:
            unheard = await self._subscribe(connection, INBOUND)
            births = [Publication(Suffix.STATUS, ONLINE, retain=True), *self._birth()]
            async with asyncio.TaskGroup() as group:
                for birth in births:
                    group.create_task(self._announce(connection, birth))
        except NotConnectedError:
            return False
        if connection.ended.done():
            return False
        self._connection = connection
        self.connected.set()
        self._told(LinkStatus(True, connection.version.value, "", unheard, self._refusals.topics))
        log.info(
            "mqtt connected broker=%s:%d protocol=%s",
            self._config.host,
            self._config.port,
            connection.version,
        )
        return True

    async def _subscribe(
        self, connection: Connection, suffixes: Sequence[Suffix]
    ) -> tuple[str, ...]:
        """Subscribe, suspects one by one; returns what is not heard. Raises NotConnectedError."""
        names = {suffix: self.topics.name(suffix) for suffix in suffixes}
        due = [s for s in suffixes if self._refusals.pause_s(subscription(names[s])) == 0]
        suspects = any(self._refusals.is_suspect(subscription(names[s])) for s in due)
        unheard = [suffix for suffix in suffixes if suffix not in due]
        for group in [[suffix] for suffix in due] if suspects else [due] if due else []:
            codes = await connection.subscribe([names[suffix] for suffix in group])
            for suffix, code in zip(group, codes, strict=True):
                if code >= FAILED:
                    self._refusals.refused(subscription(names[suffix]), code, f"0x{code:02X}")
                    unheard.append(suffix)
                else:
                    self._refusals.taken(subscription(names[suffix]))
        return tuple(str(suffix) for suffix in suffixes if suffix in unheard)

    async def _listen_again(self, connection: Connection) -> None:
        """Try what is not heard again, after its pauses, for as long as the connection lasts."""
        while unheard := [suffix for suffix in INBOUND if suffix in self.status.unheard]:
            names = [subscription(self.topics.name(suffix)) for suffix in unheard]
            await asyncio.sleep(max(1.0, min(map(self._refusals.pause_s, names))))
            try:
                still = await self._subscribe(connection, unheard)
            except NotConnectedError:
                return
            if connection is self._connection:
                self._told(replace(self.status, unheard=still))

    def _refusal(self, state: str, detail: str) -> None:
        if self.status.connected:
            self._told(replace(self.status, refused=self._refusals.topics))
        if self._on_refusal is not None:
            self._on_refusal(state, detail)

    async def _announce(self, connection: Connection, birth: Publication) -> None:
        payload = birth.body if isinstance(birth.body, bytes) else render_body(birth.body)
        topic = self.topics.name(birth.suffix)
        try:
            await connection.publish(topic, payload, retain=birth.retain)
        except PublishRefusedError as error:
            log.debug("mqtt birth refused reason=%s", error)  # a topic is told of once
        except NotConnectedError:
            return  # the end of the connection is told once, by who waits for it

    async def _farewell(self, connection: Connection) -> None:
        """Publish `offline` and disconnect; where that fails the broker's will does it."""
        try:
            async with asyncio.timeout(self._timing.farewell_s):
                await connection.publish(self.topics.name(Suffix.STATUS), OFFLINE, retain=True)
        except (TimeoutError, NotConnectedError, PublishRefusedError) as error:
            log.debug("mqtt farewell left to the will reason=%s", error)
            return
        await connection.disconnect(self._timing.farewell_s)

    # What comes in.

    def _take(
        self,
        connection: Connection,
        lane: InboundLane,
        message: MQTTMessage,
        acknowledge: Callable[[], None],
    ) -> None:
        try:
            suffix = self.topics.suffix(message.topic)
        except UnicodeDecodeError:
            suffix = None
        if suffix not in INBOUND or (message.retain and not message.payload):
            # A subscription of an older configuration, or a retained request being taken back.
            acknowledge()
            return

        def acknowledge_and_read() -> None:
            acknowledge()
            if lane.waiting < MOST_WAITING:
                connection.pump.resume_reading()

        properties = message.properties
        cut = connection.cut(message.payload)
        lane.put(
            Inbound(
                suffix=suffix,
                payload=b"" if cut is not None else bytes(message.payload),
                retained=bool(message.retain),
                correlation=getattr(properties, "CorrelationData", None),
                response_topic=getattr(properties, "ResponseTopic", None),
                expiry_s=getattr(properties, "MessageExpiryInterval", None),
                redelivered=bool(message.dup),
                cut=cut,
            ),
            acknowledge_and_read,
        )
        if lane.waiting >= MOST_WAITING:
            connection.pump.pause_reading()

    # What is told.

    def _down(self, reason: str, level: int) -> None:
        """Note that there is no connection; logged once for each reason, not at each attempt."""
        if reason == self.status.reason:
            level = logging.DEBUG
        log.log(level, "mqtt not connected reason=%s", reason)
        self._told(LinkStatus(connected=False, protocol=None, reason=reason))

    def _told(self, status: LinkStatus) -> None:
        if status != self.status:
            self.status = status
            if self._on_link is not None:
                self._on_link(status)
