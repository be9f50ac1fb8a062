"""An MQTT client that shares nothing with the agent: observes the broker, asks as users do.

Its network runs in a thread of its own, so that it serves asyncio tests and tests of child
processes alike: `wait` blocks, `seen` is for asyncio.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

POLL_S = 0.005
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Seen:
    """One message as it came from the broker."""

    topic: str
    payload: bytes
    retained: bool
    qos: int
    correlation: bytes | None

    @property
    def json(self) -> Any:
        """The payload read as JSON; numbers that JSON does not know are refused."""
        return json.loads(self.payload, parse_constant=_refuse)


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


class Observer:
    """Subscribes to everything below `topics` and remembers it in order.

    MQTT 5 with Retain As Published, so that `Seen.retained` is the publisher's own flag, except
    for what the broker had kept before the subscription, which is always retained.
    """

    def __init__(
        self,
        port: int,
        topics: str = "#",
        *,
        username: str | None = None,
        password: str | None = None,
        v5: bool = True,
    ) -> None:
        self.messages: list[Seen] = []
        self._changed = threading.Condition()
        self._subscribed = threading.Event()
        self._topics = topics
        self._v5 = v5
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            protocol=MQTTProtocolVersion.MQTTv5 if v5 else MQTTProtocolVersion.MQTTv311,
        )
        self._client.reconnect_delay_set(1, 1)
        if username is not None:
            self._client.username_pw_set(username, password)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", port)

    def __enter__(self) -> Self:
        self._client.loop_start()
        if not self._subscribed.wait(5):
            self._client.loop_stop()
            raise TimeoutError("the observer could not subscribe")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, client: Client, *_rest: object) -> None:
        if self._v5:
            client.subscribe(self._topics, options=SubscribeOptions(1, retainAsPublished=True))
        else:
            client.subscribe(self._topics, 1)

    def _on_subscribe(self, *_rest: object) -> None:
        self._subscribed.set()

    def _on_message(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        seen = Seen(
            message.topic,
            bytes(message.payload),
            bool(message.retain),
            message.qos,
            getattr(message.properties, "CorrelationData", None),
        )
        with self._changed:
            self.messages.append(seen)
            self._changed.notify_all()

    def publish(
        self,
        topic: str,
        payload: str | bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        correlation: bytes | None = None,
        response_topic: str | None = None,
        expiry_s: int | None = None,
    ) -> None:
        """Publish and forget; the properties need MQTT 5. The broker is there or it is an error."""
        properties = None
        if self._v5:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # library's
            if correlation is not None:
                properties.CorrelationData = correlation
            if response_topic is not None:
                properties.ResponseTopic = response_topic
            if expiry_s is not None:
                properties.MessageExpiryInterval = expiry_s
        info = self._client.publish(topic, payload, qos, retain, properties)
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise ConnectionError(f"the observer could not publish: {info.rc.name}")

    def on(self, topic: str) -> list[Seen]:
        """What was seen on one topic so far, in order."""
        with self._changed:
            return [seen for seen in self.messages if seen.topic == topic]

    def wait(self, topic: str, count: int = 1, *, timeout_s: float = 30.0) -> list[Seen]:
        """Block until `count` messages were seen on a topic. Raises TimeoutError."""
        return self.wait_until(
            lambda: found if len(found := self.on(topic)) >= count else None,
            f"{count} on {topic}",
            timeout_s=timeout_s,
        )

    def wait_until(self, probe: Callable[[], T | None], what: str, *, timeout_s: float = 30.0) -> T:
        """Block until probe() gives something that is not None. Raises TimeoutError."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while (found := probe()) is None:
                if not self._changed.wait(max(0.0, deadline - time.monotonic())):
                    raise TimeoutError(f"not seen in {timeout_s:g} s: {what}; {self._summary()}")
            return found

    async def seen(self, topic: str, count: int = 1, *, timeout_s: float = 30.0) -> list[Seen]:
        """As `wait`, without blocking the event loop."""
        deadline = time.monotonic() + timeout_s
        while len(found := self.on(topic)) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"not seen in {timeout_s:g} s: {count} on {topic}; {self._summary()}"
                )
            await asyncio.sleep(POLL_S)
        return found

    def _summary(self) -> str:
        return ", ".join(f"{seen.topic}={seen.payload[:40]!r}" for seen in self.messages[-10:])
