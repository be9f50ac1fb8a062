"""Publications that ask for something: from MQTT into the intake, or onto the way out."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import logging
import re
import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from agent.channels.mqtt.topics import Suffix
from agent.channels.mqtt.values import Cut, Inbound, RequestNotTakenError
from agent.config.model import CommandConfig
from agent.inbound.evidence import cut_data, cut_text, joined, measure
from agent.inbound.intake import Intake
from agent.inbound.message import Arrival
from agent.journal.journal import Journal, JournalUnavailableError
from agent.journal.rows import insert
from agent.payload.request import text_of
from agent.reports.planner import Planner
from agent.sms.queue import queue_send
from agent.system.clock import Clock
from agent.system.events import Event, Events
from at import sms

__all__ = ["MqttRequests", "id_of"]

log = logging.getLogger(__name__)

_ID = re.compile(r"[A-Za-z0-9._:-]{1,36}")
_HEX_MAX = 18  # octets whose hexadecimal form still is an id


def id_of(correlation: bytes | None) -> str | None:
    """Return the command id that Correlation Data give.

    As text where that is an id; else in hexadecimal, of more than 18 octets the first 32 digits
    of their SHA-256.
    """
    if not correlation:
        return None
    text = correlation.decode("ascii", "replace")
    if _ID.fullmatch(text):
        return text
    if len(correlation) <= _HEX_MAX:
        return correlation.hex()
    return hashlib.sha256(correlation).hexdigest()[:32]


class _RefusedError(Exception):
    """A request for an SMS that is not taken, with the reason."""


class MqttRequests:
    """Takes what arrives on `command/request` and `sms/send`; its return is the PUBACK.

    sms_rule: who may send SMS; signatures: MQTT commands must be signed, which `sms/send` is not.
    """

    def __init__(
        self,
        intake: Intake,
        journal: Journal,
        planner: Planner,
        clock: Clock,
        events: Events,
        sms_rule: CommandConfig,
        *,
        signatures: bool,
        wake: Callable[[], None],
    ) -> None:
        self._intake = intake
        self._journal = journal
        self._planner = planner
        self._clock = clock
        self._events = events
        self._sms_rule = sms_rule
        self._signatures = signatures
        self._wake = wake

    async def take(self, inbound: Inbound) -> None:
        """Journal one request. RequestNotTakenError: offer it again later."""
        try:
            (fault,) = await asyncio.gather(self._judge(inbound), return_exceptions=True)
            if fault is None:
                return
            if isinstance(fault, JournalUnavailableError) or not isinstance(fault, Exception):
                raise fault
            log.error("mqtt message set aside topic=%s", inbound.suffix, exc_info=fault)
            await self._set_aside(inbound, fault)
        except JournalUnavailableError as error:
            raise RequestNotTakenError(str(error)) from error

    async def _judge(self, inbound: Inbound) -> None:
        if inbound.cut is not None:
            await self._refuse_size(inbound, inbound.cut)
        elif inbound.suffix == Suffix.SMS_SEND:
            await self._take_send(inbound)
        else:
            await self._intake.admit(self._arrival(inbound))

    async def _set_aside(self, inbound: Inbound, fault: Exception) -> None:
        """Journal a message that could not be taken because of a fault in here.

        Unacknowledged, the broker would send it again after every restart.
        """
        now = self._clock.wall()
        # What an error quotes may be no text that SQLite takes: a lone surrogate.
        said = str(fault).encode("utf-8", "backslashreplace").decode("utf-8")[:200]
        detail = f"{inbound.suffix}: internal error: {type(fault).__name__}: {said}"
        data, whole = cut_data(inbound.payload)
        detail = joined(detail, whole)
        values = {
            "received_at": now,
            "channel": "mqtt",
            "sender": "",
            "data": data,
            "verdict": "undecodable",
            "detail": detail,
        }
        await self._journal.commit(lambda db: insert(db, "messages", values))
        self._events.tell(Event(now, "message", verdict="undecodable", detail=detail))

    def _arrival(self, inbound: Inbound) -> Arrival:
        now = self._clock.wall()
        text = text_of(inbound.payload)
        response: dict[str, str] = {}
        if inbound.correlation:
            response["correlation"] = base64.b64encode(inbound.correlation).decode("ascii")
        if inbound.response_topic:
            response["topic"] = inbound.response_topic
        return Arrival(
            channel="mqtt",
            received_at=now,
            text=text,
            data=None if text is not None else inbound.payload,
            id=id_of(inbound.correlation),
            expires_in_s=inbound.expiry_s,
            verdict="rejected" if inbound.retained else "",
            reason="denied" if inbound.retained else "",
            detail="a retained request is never run" if inbound.retained else "",
            response=response,
        )

    async def _take_send(self, inbound: Inbound) -> None:
        now = self._clock.wall()
        try:
            fields = _fields(inbound)
            self._check_allowed(inbound)
        except _RefusedError as error:
            await self._refuse(inbound, str(error), now)
            return

        def work(db: sqlite3.Connection) -> None:
            known = db.execute("SELECT n FROM sends WHERE id = ?", (fields["id_"],)).fetchone()
            if known is None:
                n = queue_send(db, now=now, **fields)
                self._planner.sent(db, n, now)
            else:
                self._planner.sent(db, known[0], now)

        await self._journal.commit(work, then=lambda _: self._wake())

    def _check_allowed(self, inbound: Inbound) -> None:
        if inbound.retained:
            raise _RefusedError("a retained request is never run")
        if self._signatures:
            raise _RefusedError("denied: signatures are required; send the command sms, signed")
        if not self._sms_rule.enabled:
            raise _RefusedError("denied: the command sms is off ([command.sms] enabled)")
        if "mqtt" not in self._sms_rule.channels or self._sms_rule.keys is not None:
            raise _RefusedError("denied: the command sms is not open to this channel")

    async def _refuse(self, inbound: Inbound, reason: str, now: datetime) -> None:
        """Keep the refusal where it can be asked for, and tell it in `event`."""
        text = text_of(inbound.payload)
        values: dict[str, object] = {}
        if text is None:
            values["data"], whole = cut_data(inbound.payload)
        else:
            values["text"], whole = cut_text(text)
        detail = joined(f"sms/send: {reason}", whole)
        await self._keep_refused(now, "send", "bad-args", detail, values)

    async def _refuse_size(self, inbound: Inbound, cut: Cut) -> None:
        """Keep the start of a body that was discarded while it streamed in."""
        detail = joined(f"{inbound.suffix}: size", measure(cut.octets, cut.sha256))
        kind = "send" if inbound.suffix == Suffix.SMS_SEND else "message"
        values = {"id": id_of(inbound.correlation) or "", "data": cut.head}
        await self._keep_refused(self._clock.wall(), kind, "parse", detail, values)

    async def _keep_refused(
        self, now: datetime, kind: str, reason: str, detail: str, values: Mapping[str, object]
    ) -> None:
        row = {
            "received_at": now,
            "channel": "mqtt",
            "sender": "",
            "verdict": "rejected",
            "reason": reason,
            "detail": detail,
            **values,
        }
        event = Event(now, kind, verdict="rejected", reason=reason, detail=detail)
        await self._journal.commit(
            lambda db: insert(db, "messages", row), then=lambda _: self._events.tell(event)
        )


def _fields(inbound: Inbound) -> dict[str, Any]:
    """Read a request for an SMS; _RefusedError names the key."""
    try:
        body = json.loads(inbound.payload)
    except ValueError as error:
        raise _RefusedError(f"not JSON: {error}") from None
    if not isinstance(body, dict):
        raise _RefusedError("not a JSON object")
    unknown = sorted(set(body) - {"id", "to", "text", "data", "report"})
    if unknown:
        raise _RefusedError(f"{unknown[0]} is no key of sms/send")
    id_ = body.get("id", id_of(inbound.correlation))
    if not isinstance(id_, str | int) or isinstance(id_, bool) or not _ID.fullmatch(str(id_)):
        raise _RefusedError("id is missing, or not 1 to 36 of A-Z a-z 0-9 . _ : -")
    report = body.get("report", False)
    if not isinstance(report, bool):
        raise _RefusedError("report is not true or false")
    recipient = body.get("to")
    if not isinstance(recipient, str):
        raise _RefusedError("to is missing, or not text")
    try:
        recipient = sms.read_number(recipient)
    except sms.EncodeError as error:
        raise _RefusedError(f"to: {error.detail}") from None
    return {
        "id_": str(id_),
        "recipient": recipient,
        "body": _body(body),
        "want_report": report,
    }


def _body(fields: dict[str, Any]) -> str | bytes:
    """Return the text or the octets, after a trial that they can be sent at all."""
    text, data = fields.get("text"), fields.get("data")
    if (text is None) == (data is None):
        raise _RefusedError("exactly one of text and data is needed")
    body: str | bytes
    if data is not None:
        try:
            body = base64.b64decode(data, validate=True)
        except (TypeError, ValueError):
            raise _RefusedError("data is not base64") from None
    elif isinstance(text, str):
        body = text
    else:
        raise _RefusedError("text is not text")
    try:
        sms.segment(body, reference=0, max_segments=10)
    except sms.EncodeError as error:
        raise _RefusedError(str(error)) from None
    return body
