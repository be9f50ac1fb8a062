"""`status`: how the agent, its modem, its broker and its journal are."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from typing import Any, Final

from agent import __version__
from agent.control.agent import Agent
from agent.control.wire import Fields
from agent.journal.rows import IS_OPEN, meta
from agent.modem.link import Link
from agent.sms.budget import PERIODS_S, spent
from at.bringup.status import Survey

__all__ = ["Status"]

# A modem that sends, or scans for networks, answers late: then the last answer is told.
PATIENCE_S: Final = 3.0


class Status:
    """The operation; one survey of the modem at a time, whoever asks."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._last: Survey | None = None
        self._running: asyncio.Future[Survey | None] | None = None

    async def __call__(self, fields: Fields) -> dict[str, Any]:
        """Answer. radio: false leaves the modem in peace: the last survey is told."""
        radio = fields.flag("radio", default=True)
        fields.end()
        agent = self._agent
        now = agent.now()
        return {
            "device": agent.config.device.id,
            "version": __version__,
            "pid": os.getpid(),
            "uptime_s": round(agent.uptime_s(), 1),
            "at": now,
            "clock": {
                "trusted": agent.clock.trusted() is not None,
                "lower_bound": agent.clock.lower_bound(),
            },
            "modem": _modem(agent.link, await self._look() if radio else self._last),
            "mqtt": _mqtt(agent),
            "platforms": [
                {"name": row.name, "senders": list(row.senders), "trust": row.trust}
                for row in agent.config.platforms
            ],
            "journal": {
                "path": str(agent.journal.path),
                "unavailable": agent.journal.unavailable or None,
                **await agent.journal.read(_counts),
            },
        }

    async def _look(self) -> Survey | None:
        """Survey the modem; who loses patience leaves the survey running for the next."""
        if self._running is None or self._running.done():
            self._running = asyncio.ensure_future(self._agent.link.survey())
        await asyncio.wait([self._running], timeout=PATIENCE_S)
        if self._running.done():
            self._last = self._running.result()
        return self._last


def _modem(link: Link, survey: Survey | None) -> dict[str, Any]:
    found = link.identity
    names = ("manufacturer", "model", "firmware", "imei", "iccid")
    seen = ("registration", "operator", "technology", "signal_dbm", "storage_used", "storage_total")
    ready = link.state == "ready"
    return {
        "link": link.state,
        "reason": link.reason or None,
        "since": link.since,
        "inbox": link.unreadable.error or None,
        "unregistered_since": link.liveness.unregistered_since,
        **{name: getattr(found, name) if found else None for name in names},
        **{name: getattr(survey, name) if survey and ready else None for name in seen},
    }


def _mqtt(agent: Agent) -> dict[str, Any] | None:
    if agent.config.mqtt is None or agent.mqtt is None:
        return None
    told = agent.mqtt.status
    return {
        "broker": f"{agent.config.mqtt.host}:{agent.config.mqtt.port}",
        "connected": told.connected,
        "protocol": told.protocol,
        "reason": told.reason or None,
        "refused": list(told.refused),
    }


def _counts(db: sqlite3.Connection) -> dict[str, Any]:
    def one(sql: str, *values: object) -> Any:
        return db.execute(sql, values).fetchone()[0]

    waiting = {
        state: one(f"SELECT count(*) FROM commands WHERE {IS_OPEN} AND state = ?", state)  # noqa: S608 - our own
        for state in ("accepted", "scheduled", "running")
    }
    climbed = db.execute("SELECT at, rung, cause, outcome FROM recovery ORDER BY n DESC LIMIT 1")
    last = climbed.fetchone()
    return {
        "reset_at": meta(db, "reset_at"),
        "commands": waiting,
        "reports_pending": one("SELECT count(*) FROM reports WHERE state = 'pending'"),
        "sms_queued": one("SELECT count(*) FROM sends WHERE state IN ('queued', 'sending')"),
        "sms_last_hour": spent(db, PERIODS_S["hour"]),
        "sms_last_day": spent(db, PERIODS_S["day"]),
        "parts_waiting": one(
            "SELECT count(*) FROM segments WHERE verdict = 'part' AND message IS NULL"
        ),
        "last_message_at": one("SELECT max(received_at) FROM messages"),
        "last_recovery": dict(zip(("at", "rung", "cause", "outcome"), last, strict=True))
        if last
        else None,
    }
