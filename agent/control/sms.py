"""`sms`: one SMS to anybody, through the budget and the queue of all that leave."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
import sqlite3
from typing import Any, Final

from agent.control.agent import Agent
from agent.control.following import Bell, changes
from agent.control.wire import Fields, RequestError, Tell
from agent.sms.queue import queue_send
from agent.sms.sender import SEGMENTS_MAX
from at import sms as codec

__all__ = ["send_sms"]

WAIT_MAX_S: Final = 7 * 86400.0
_WITH_RECEIPT: Final = frozenset({"delivered", "failed", "unknown"})
_TAKEN: Final = _WITH_RECEIPT | {"sent"}


async def send_sms(agent: Agent, fields: Fields, tell: Tell) -> dict[str, Any]:
    """Queue an SMS and follow it until the network has taken it, or told that it was delivered.

    to; text or data (base64, sent as 8-bit data). report: ask for a delivery report, and wait for
    it. id: one that is known is not sent again. wait: false answers as soon as it is journalled;
    timeout_s bounds the wait, the SMS goes on.
    """
    to = fields.text("to")
    body = _body(fields.optional("text"), fields.optional("data"))
    report = fields.flag("report", default=False)
    id_ = fields.identifier("id") or secrets.token_hex(6)
    wait = fields.flag("wait", default=True)
    timeout_s = fields.number("timeout_s", None, 0, WAIT_MAX_S)
    fields.end()
    recipient = _check(agent, to, body)

    def work(db: sqlite3.Connection) -> int:
        known = db.execute(
            "SELECT n, recipient, text, data FROM sends WHERE id = ?", (id_,)
        ).fetchone()
        if known is not None:
            known_body = known[2] if known[2] is not None else known[3]
            if (recipient, body) != (known[1], known_body):
                raise RequestError("conflict", f"id {id_} is another SMS, to {known[1]}")
            return int(known[0])
        now = agent.now()
        n = queue_send(db, id_=id_, recipient=recipient, body=body, now=now, want_report=report)
        agent.planner.sent(db, n, now)
        return n

    with Bell(agent, "send") as bell:
        n = await agent.journal.commit(work, then=lambda _: agent.wake())
        told: dict[str, Any] = {}
        async for told in changes(agent, bell, lambda db: _told(db, n), timeout_s=timeout_s):
            if not wait or told["state"] in (_WITH_RECEIPT if report else _TAKEN):
                break
            await tell(told)
        return told


def _body(text: str | None, data: str | None) -> str | bytes:
    if (text is None) == (data is None):
        raise RequestError("usage", "exactly one of text and data is needed")
    if text is not None:
        return text
    try:
        return base64.b64decode(data or "", validate=True)
    except binascii.Error:
        raise RequestError("usage", "data is not base64") from None


def _check(agent: Agent, to: str, body: str | bytes) -> str:
    """Refuse at once what could never be sent; return the number it goes to.

    The command `sms` is off by default, which is about what others may ask for: whoever reaches
    this socket may send. A [command.sms] whose channels leave out "console" takes that away.
    """
    if "console" not in agent.config.commands["sms"].channels:
        raise RequestError("denied", "[command.sms] is not open to the console")
    try:
        recipient = codec.read_number(to)
    except codec.EncodeError as error:
        raise RequestError("usage", f"to: {error.detail}") from None
    try:
        codec.segment(body, reference=0, max_segments=SEGMENTS_MAX)
    except codec.EncodeError as error:
        raise RequestError("usage", str(error)) from None
    return recipient


def _told(db: sqlite3.Connection, n: int) -> dict[str, Any]:
    id_, recipient, state, segments, refs, error = db.execute(
        "SELECT id, recipient, state, segments, refs, error FROM sends WHERE n = ?", (n,)
    ).fetchone()
    return {
        "id": id_,
        "to": recipient,
        "state": state,
        "segments": segments,
        "references": [entry["reference"] for entry in json.loads(refs)],
        "error": error or None,
    }
