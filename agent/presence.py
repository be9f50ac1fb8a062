"""What the broker is told of the device itself: `…/info`, `…/modem`, `…/event`."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterable
from typing import Any, Final

from agent import __version__
from agent.arguments import ArgSpec
from agent.channels.mqtt_topics import Suffix
from agent.channels.mqtt_values import NotConnectedError, Publication, PublishRefusedError
from agent.config import Config
from agent.events import Event
from agent.handlers.registry import Registry
from agent.link import Link

__all__ = ["Presence"]

log = logging.getLogger(__name__)

# Events are news, the journal is the record: of a long outage only the latest are told.
EVENTS_MAX: Final = 256
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
        self._wake = asyncio.Event()
        self._modem: dict[str, Any] = {}
        self._modem_changed = True

    def watch(self, event: Event) -> None:
        """Queue an event; never blocks."""
        if len(self._events) == EVENTS_MAX:
            self._dropped += 1
        self._events.append(event)
        if event.kind == "link":
            self._modem_changed = True
        self._wake.set()

    def birth(self) -> Iterable[Publication]:
        """Return what every new connection is told."""
        return (
            Publication(Suffix.INFO, self._info(), retain=True),
            Publication(Suffix.MODEM, self._modem or self._bare_modem(), retain=True),
        )

    async def run(self) -> None:
        """Publish for ever while there is a connection."""
        while True:
            await self.mqtt.connected.wait()
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._publish()
            except NotConnectedError as error:
                log.debug("event not published error=%s", error)
                self._wake.set()  # look again at once when there is a connection
                await asyncio.sleep(LOST_PAUSE_S)

    async def _publish(self) -> None:
        if self._modem_changed:
            self._modem_changed = False
            await self._refresh_modem()
            await self._offer(Publication(Suffix.MODEM, self._modem, retain=True))
        while self._events:
            if self._dropped:
                log.warning("events dropped while there was no broker count=%d", self._dropped)
                self._dropped = 0
            event = self._events[0]
            await self._offer(Publication(Suffix.EVENT, _event_body(event)))
            if self._events and self._events[0] is event:
                self._events.popleft()

    async def _offer(self, one: Publication) -> None:
        """Publish; what the broker refuses is dropped, or it would block what is behind it."""
        try:
            await self.mqtt.publish(one.suffix, one.body, retain=one.retain)
        except PublishRefusedError as error:
            log.debug("publication refused error=%s", error)

    async def _refresh_modem(self) -> None:
        self._modem = self._bare_modem()
        survey = await self._link.survey()
        if survey is not None:
            self._modem |= {
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
            "link": self._link.state,
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
            "inbox": self._link.inbox_error or None,
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
