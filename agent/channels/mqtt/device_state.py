"""What the broker is told of the device itself: `…/info`, `…/modem`, `…/event`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Iterable
from typing import Any, Final

from agent import __version__
from agent.channels.mqtt.topics import Suffix
from agent.channels.mqtt.values import (
    MqttError,
    NotConnectedError,
    Publication,
    PublishRefusedError,
)
from agent.commands.registry import Registry
from agent.config.model import Config
from agent.modem.link import Link
from agent.payload.arguments import ArgSpec
from agent.system.events import Event
from at.bringup.status import Survey

__all__ = ["Presence"]

log = logging.getLogger(__name__)

# Events are news, the journal is the record: of a long outage only the latest are told.
EVENTS_MAX: Final = 256
SIGNAL_STEP_DB: Final = 3
LOST_PAUSE_S: Final = 0.2  # until the channel has noticed as well


class Presence:
    """Publishes what is retained, and the events as they happen.

    mqtt: the connection, set by whoever builds both.
    """

    def __init__(self, config: Config, registry: Registry, link: Link) -> None:
        self.mqtt: Any = None
        self._config = config
        self._registry = registry
        self._link = link
        self._events: deque[Event] = deque(maxlen=EVENTS_MAX)
        self._dropped = 0
        self._news = asyncio.Event()
        self._look = asyncio.Event()
        self._seen: Survey | None = None
        self._published: dict[str, Any] = {}

    def watch(self, event: Event) -> None:
        """Queue an event; never blocks."""
        if len(self._events) == EVENTS_MAX:
            self._dropped += 1
        self._events.append(event)
        self._news.set()
        if event.kind == "link":
            self._look.set()

    def birth(self) -> Iterable[Publication]:
        """Return what every new connection is told."""
        self._published = self._state()
        # Told anew, as the broker may have lost it; and looked at, as much may have changed.
        self._look.set()
        return (
            Publication(Suffix.INFO, self._info(), retain=True),
            Publication(Suffix.MODEM, self._published, retain=True),
        )

    async def run(self) -> None:
        """Publish for ever while there is a connection."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tell_events())
            group.create_task(self._tell_modem())

    async def _tell_events(self) -> None:
        while True:
            await self._news.wait()
            await self.mqtt.connected.wait()
            if not self._events:
                self._news.clear()
                continue
            if self._dropped:
                log.warning("events dropped while there was no broker count=%d", self._dropped)
                self._dropped = 0
            event = self._events[0]
            try:
                await self.mqtt.publish(Suffix.EVENT, _event_body(event))
            except PublishRefusedError as error:
                # It would be refused again, and those behind it have waited.
                log.debug("event dropped error=%s", error)  # a refused topic is told of once
            except NotConnectedError as error:
                log.debug("event not published error=%s", error)
                await asyncio.sleep(LOST_PAUSE_S)
                continue
            if self._events and self._events[0] is event:
                self._events.popleft()

    async def _tell_modem(self) -> None:
        """Publish what changed: at each change of the link, else found out every poll_s."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._config.modem.poll_s):
                    await self._look.wait()
            await self.mqtt.connected.wait()
            self._look.clear()
            await self._survey()
            state = self._state()
            if not _differs(state, self._published):
                continue
            try:
                await self.mqtt.publish(Suffix.MODEM, state, retain=True)
            except MqttError as error:
                log.debug("modem not published error=%s", error)  # again at the next look
            else:
                self._published = state

    async def _survey(self) -> None:
        survey = await self._link.survey()
        if survey is not None:
            self._seen = survey

    def _state(self) -> dict[str, Any]:
        if self._link.told != "ready":
            self._seen = None
        survey = self._seen
        if survey is None:
            return self._bare_modem()
        return self._bare_modem() | {
            "registration": survey.registration,
            "operator": survey.operator,
            "technology": survey.technology,
            "signal_dbm": survey.signal_dbm,
            "storage_used": survey.storage_used,
            "storage_total": survey.storage_total,
        }

    def _bare_modem(self) -> dict[str, Any]:
        identity = self._link.identity
        return {
            "link": self._link.told,
            "registration": "unknown",
            "operator": None,
            "technology": None,
            "signal_dbm": None,
            "iccid": identity.iccid if identity else None,
            "imei": identity.imei if identity else None,
            "manufacturer": identity.manufacturer if identity else None,
            "model": identity.model if identity else None,
            "firmware": identity.firmware if identity else None,
            "storage_used": None,
            "storage_total": None,
            "inbox": self._link.unreadable.error or None,
            "unregistered_since": self._link.liveness.unregistered_since,
            "since": self._link.since,
        }

    def _info(self) -> dict[str, Any]:
        enabled = [h for h in self._registry if self._config.commands[h.name].enabled]
        return {
            "version": __version__,
            "device": self._config.device.id,
            "platforms": [platform.name for platform in self._config.platforms],
            "commands": {
                handler.name: {name: _schema(spec) for name, spec in handler.arguments.items()}
                for handler in enabled
            },
        }


def _differs(state: dict[str, Any], published: dict[str, Any]) -> bool:
    """Whether there is something to tell; a signal that moves a little is none."""
    told = published.get("signal_dbm")
    now = state["signal_dbm"]
    if told is not None and now is not None and abs(now - told) < SIGNAL_STEP_DB:
        state = {**state, "signal_dbm": told}
    return state != published


def _schema(spec: ArgSpec) -> dict[str, Any]:
    fields = ("type", "min", "max", "pattern", "choices", "default")
    schema = {name: getattr(spec, name) for name in fields if getattr(spec, name) is not None}
    return {**schema, "required": True} if spec.required else schema


def _event_body(event: Event) -> dict[str, Any]:
    return {
        "at": event.at,
        "kind": event.kind,
        "id": event.id,
        "state": event.state,
        "verdict": event.verdict,
        "reason": event.reason,
        "detail": event.detail,
    }
