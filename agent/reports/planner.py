"""Which reports an outcome asks for: where, when, and whether at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from agent.config.model import ReportConfig
from agent.journal.rows import CommandRow, elapsed_s, insert, update
from agent.journal.states import COMMAND

__all__ = ["Planner", "Target"]

# Repeats of a message are told the outcome at once this often, then once in a while.
DUPLICATES_AT_ONCE: Final = 3
DUPLICATES_EVERY_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Target:
    """Who is to be told: whoever sent a message, which of a repeat need not be the first sender.

    channel: the message came by; platform: its row's name; reply_to: where an SMS would go, "" for
    nowhere; route: the route's word, "" for the configured one; response: MQTT 5 Response Topic
    ("topic") and Correlation Data ("correlation").
    """

    channel: str
    platform: str = ""
    reply_to: str = ""
    route: str = ""
    response: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, row: CommandRow) -> Target:
        """Return whoever sent the message that a command was accepted from."""
        return cls(row.channel, row.platform, row.reply_to, row.route, row.response)


@dataclass(frozen=True, slots=True)
class Planner:
    """Plans reports inside the caller's transaction. has_mqtt: a broker is configured."""

    config: ReportConfig
    has_mqtt: bool

    def outcome(
        self, db: sqlite3.Connection, row: CommandRow, now: datetime, *, silent: bool = False
    ) -> None:
        """Plan the reports of a command that ended or was refused, or note why there are none."""
        target = Target.of(row)
        why = self._plan(db, row, target, "result", now, silent=silent)
        if why:
            sql = "UPDATE messages SET untold = ? WHERE command = ? AND verdict <> 'duplicate'"
            db.execute(sql, (why, row.n))

    def duplicate(
        self,
        db: sqlite3.Connection,
        row: CommandRow,
        target: Target,
        message: int,
        now: datetime,
        *,
        silent: bool = False,
    ) -> None:
        """Plan the reports that a repeated message gets, or note why there are none.

        message: the row of the repeat.
        """
        now_s = elapsed_s(db)
        if (
            row.duplicates_told >= DUPLICATES_AT_ONCE
            and row.duplicate_told_s is not None
            and now_s - row.duplicate_told_s < DUPLICATES_EVERY_S
        ):
            why = "told a moment ago"
        else:
            values = {"duplicates_told": row.duplicates_told + 1, "duplicate_told_s": now_s}
            update(db, "commands", row.n, values)
            why = self._plan(db, row, target, "duplicate", now, message=message, silent=silent)
        if why:
            update(db, "messages", message, {"untold": why})

    def received(self, db: sqlite3.Connection, message: int, now: datetime) -> int:
        """Plan the publication of a received SMS."""
        if not self.has_mqtt:
            return 0
        values = {"kind": "received", "channel": "mqtt", "message": message}
        _insert(db, values, now)
        return 1

    def sent(self, db: sqlite3.Connection, send: int, now: datetime) -> int:
        """Plan the publication of a change in a requested SMS."""
        if not self.has_mqtt:
            return 0
        _insert(db, {"kind": "sent", "channel": "mqtt", "send": send}, now)
        return 1

    def channels(self, target: Target) -> list[tuple[str, bool]]:
        """Return (channel, whether it waits for MQTT to fail) for a target's route."""
        route = target.route or self.config.route
        if route == "none":
            return []
        if route == "origin":
            route = {"sms": "sms", "mqtt": "mqtt"}.get(target.channel, "none")
        channels: list[tuple[str, bool]] = []
        if route in ("mqtt", "both", "mqtt-then-sms") and self.has_mqtt:
            channels.append(("mqtt", False))
        if target.reply_to and (
            route in ("sms", "both") or (route == "mqtt-then-sms" and target.channel == "sms")
        ):
            channels.append(("sms", route == "mqtt-then-sms" and self.has_mqtt))
        # Whoever asked over MQTT is told there, also where the route names only SMS.
        if not channels and route != "none" and target.channel == "mqtt" and self.has_mqtt:
            channels.append(("mqtt", False))
        return channels

    def untold(self, target: Target, *, silent: bool) -> str:
        """Say why nobody is told of an outcome that has no report."""
        if (target.route or self.config.route) == "none":
            return "the route is none"
        if target.channel == "console":
            return "asked at the console"
        if not self.channels(target):
            return "there is no address to answer"
        if silent:
            return "silenced after failed signatures"
        return f"report.policy is {self.config.policy}"

    def _plan(
        self,
        db: sqlite3.Connection,
        row: CommandRow,
        target: Target,
        kind: str,
        now: datetime,
        *,
        message: int | None = None,
        silent: bool,
    ) -> str:
        """Plan the reports; return why there are none, "" where there are."""
        why = self.untold(target, silent=silent)
        for channel, waits in self.channels(target):
            if channel == "sms" and (silent or not self._tells_by_sms(row)):
                continue
            values = {
                "kind": kind,
                "channel": channel,
                "command": row.n,
                "message": message,
                "platform": target.platform,
                "reply_to": target.reply_to,
                "response": dict(target.response),
                "fallback": waits,
            }
            _insert(db, values, now, after_s=self.config.sms_after_s * waits)
            why = ""
        return why

    def _tells_by_sms(self, row: CommandRow) -> bool:
        policy = self.config.policy
        failed = row.state in COMMAND.final and row.state != "succeeded"
        return policy == "all" or (policy == "errors" and failed)


def _insert(
    db: sqlite3.Connection, values: dict[str, object], now: datetime, after_s: float = 0.0
) -> None:
    due = {"due_s": elapsed_s(db) + after_s, "not_before": now + timedelta(seconds=after_s)}
    insert(db, "reports", {**values, "state": "pending", "created_at": now, **due})
