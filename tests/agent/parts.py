"""Parts of the agent for tests in process: a real journal, a clock to turn, no modem."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from agent.app import App
from agent.channels.mqtt.requests import MqttRequests
from agent.config.loader import parse
from agent.config.model import Config
from agent.inbound.message import Arrival
from agent.journal.journal import Journal
from agent.system.clock import Clock
from agent.system.events import Event
from at import sms
from at.store.messages import Stored
from tests.support.agent import toml

NOW = datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC)
_INDICES = itertools.count(1)


class TurnedClock(Clock):
    """A clock that stands until it is turned; trusted only where a test says so."""

    def __init__(self, now: datetime = NOW, *, trust: bool = False) -> None:
        super().__init__(Path("/nonexistent"))
        self.now = now
        self.up_s = 1000.0
        self.trust = trust
        self.ntp = False

    def wall(self) -> datetime:
        return self.now

    def boottime(self) -> float:
        return self.up_s

    def synchronised(self) -> datetime | None:
        return self.now if self.ntp else None

    def trusted(self) -> datetime | None:
        return self.now if self.trust else super().trusted()

    def turn(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)
        self.up_s += seconds

    def set(self, seconds: float) -> None:
        """Set the wall clock, as NTP or an operator does: no time passes."""
        self.now += timedelta(seconds=seconds)


def settings(folder: Path, more: Mapping[str, Any] | None = None) -> Config:
    """A configuration with `mark`, whose side effect is a line in folder/effects."""
    base: dict[str, Any] = {
        "device": {"id": "gw"},
        "modem": {"port": str(folder / "no-modem")},
        "platforms": {"enabled": ["super-sim", "programmable-wireless"]},
        "report": {"route": "sms"},
        "journal": {"path": str(folder / "journal.db")},
        "command": {
            "mark": {
                "exec": ["/bin/sh", "-c", f"echo $MODEM_AGENT_COMMAND_ID >>{folder}/effects"],
            },
        },
    }
    for name, table in (more or {}).items():
        base[name] = {**base.get(name, {}), **table}
    return parse(toml(base))


async def make_app(
    folder: Path, clock: TurnedClock | None = None, more: Mapping[str, Any] | None = None
) -> App:
    """An App that is built and not run, by this clock; close its journal at the end."""
    config = settings(folder, more)
    told = clock or TurnedClock()
    journal = await Journal.open(config.journal.path, told)
    keys = {key_id: key.path.read_bytes().strip() for key_id, key in config.security.keys.items()}
    return App(config, journal, keys, told)


def body(text: str | bytes, **how: Any) -> sms.UserData:
    """The user data of a one-part text."""
    (only,) = sms.segment(text, reference=1, **how)
    return only


def stored(
    user_data: sms.UserData | str | bytes,
    *,
    sender: str = "000",
    at: datetime = NOW,
    index: int | None = None,
) -> Stored:
    """A message as the driver reads it from the SIM."""
    data = user_data if isinstance(user_data, sms.UserData) else body(user_data)
    deliver = sms.Deliver(sms.Address.parse(sender), sms.Timestamp.of(at), data)
    return Stored(
        storage="SM",
        index=next(_INDICES) if index is None else index,
        status="rec-unread",
        raw=sms.encode(deliver).hex().upper(),
        pdu=sms.Pdu(None, deliver, ()),
        error=None,
        flags=(),
        proven=True,
        generation=0,
    )


def arrival(text: str, *, channel: str = "sms", **how: Any) -> Arrival:
    """A message as a channel hands it over; by SMS from 000, sent just now."""
    if channel == "sms":
        how = {"sender": "000", "sent_at": NOW, "fingerprint": "0123456789ab", **how}
    return Arrival(channel, how.pop("received_at", NOW), text=text, **how)


async def requests_of(folder: Path) -> tuple[App, MqttRequests, list[Event]]:
    """An agent that may send SMS, its MQTT requests, and every event that it tells."""
    app = await make_app(folder, None, {"command": {"sms": {"enabled": True}}})
    requests = MqttRequests(
        app.intake,
        app.journal,
        app.planner,
        app.clock,
        app.events,
        app.config.commands["sms"],
        signatures=False,
        wake=lambda: None,
    )
    told: list[Event] = []
    app.events.watch(told.append)
    return app, requests, told
