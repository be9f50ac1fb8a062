"""The MQTT channel's reports: results and messages as publications."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from agent.channels.mqtt.bodies import render_body
from agent.channels.mqtt.reasons import PACKET_TOO_LARGE
from agent.channels.mqtt.topics import Suffix
from agent.channels.mqtt.values import NotConnectedError, PublishRefusedError
from agent.journal.rows import CommandRow
from agent.reports.channel import Booking, Report, RetryError
from agent.system.clock import from_iso

__all__ = ["MqttReports", "result_body"]

SHORT_OCTETS = 256  # of one field, where the whole is too large
REFUSED_S = 900.0  # a broker that refuses a topic is asked again this often: nothing is given up


class MqttReports:
    """Publishes reports; each counts as told at its PUBACK. mqtt: the connection."""

    name = "mqtt"
    at_once = 16
    patience_s: float | None = None

    def __init__(self, mqtt: Any) -> None:
        self._mqtt = mqtt

    async def ready(self) -> None:
        """Return once there is a connection."""
        await self._mqtt.connected.wait()

    async def deliver(self, report: Report) -> Booking | None:
        """Publish one report and wait for its PUBACK. Raises RetryError."""
        suffix, body = _publication(report)
        try:
            try:
                await self._publish(report, suffix, body)
            except PublishRefusedError as error:
                if error.code != PACKET_TOO_LARGE:
                    raise
                await self._publish(report, suffix, _shorter(body))
        except NotConnectedError as error:
            raise RetryError(str(error), 0.0) from error
        except PublishRefusedError as error:
            raise RetryError(str(error), REFUSED_S if error.permanent else None) from error
        return None

    async def _publish(self, report: Report, suffix: str, body: Mapping[str, Any]) -> None:
        correlation = report.response.get("correlation")
        await self._mqtt.publish(
            suffix,
            body,
            correlation=base64.b64decode(correlation) if correlation else None,
            response_topic=report.response.get("topic"),
        )


def _shorter(body: Mapping[str, Any]) -> dict[str, Any]:
    """Give a body that every broker takes: what is long is left out, and said to be."""
    short = dict(body)
    left_out = []
    for name, value in body.items():
        size = len(render_body({name: value}))
        if name == "result" and value is not None:
            short[name] = None
        elif size <= SHORT_OCTETS:
            continue
        elif isinstance(value, str):
            short[name] = value[: SHORT_OCTETS // 4]
        else:
            short[name] = None
        left_out.append(f"{name} ({size} octets)")
    note = f"too large for the broker: {', '.join(left_out)}; whole in history"
    if "detail" in short:
        note = "; ".join(part for part in (short["detail"], note) if part)
    return short | ({"error": note} if "error" in short else {"detail": note})


def _publication(report: Report) -> tuple[str, Mapping[str, Any]]:
    if report.command is not None:
        return Suffix.COMMAND_RESULT, result_body(report.command, report.kind == "duplicate")
    if report.kind == "received" and report.message is not None:
        return Suffix.SMS_RECEIVED, _received_body(report.message)
    return Suffix.SMS_SENT, _sent_body(report.send or {})


def result_body(row: CommandRow, duplicate: bool) -> dict[str, Any]:
    """Return the body of `…/command/result`."""
    return {
        "id": row.id,
        "command": row.command,
        "state": row.state,
        "reason": row.reason,
        "detail": row.detail,
        "result": row.result,
        "channel": row.channel,
        "platform": row.platform,
        "sender": row.sender,
        "received_at": row.received_at,
        "finished_at": row.finished_at,
        "duplicate": duplicate,
    }


def _received_body(message: Mapping[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {"id": message["id"] or str(message["n"]), "sender": message["sender"]}
    if message["text"] is not None:
        body["text"] = message["text"]
    else:
        body["data"] = message["data"] or b""
    body["timestamp"] = from_iso(message["sent_at"]) if message["sent_at"] else None
    body["platform"] = message["platform"]
    body["verdict"] = message["verdict"]
    return body


def _sent_body(send: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": send["id"],
        "to": send["recipient"],
        "state": send["state"],
        "segments": send["segments"],
        "references": [entry["reference"] for entry in json.loads(send["refs"])],
        "error": send["error"],
    }
