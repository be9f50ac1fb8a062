"""What would become of a message, and why: the judge's verdict with the checks that led to it."""

from __future__ import annotations

import re
import secrets
import sqlite3
from datetime import datetime
from typing import Any, Final

from agent.arrival import Arrival, fingerprint
from agent.clock import iso
from agent.config import Config
from agent.judging import Judge, Judgement
from agent.platforms import read_sender
from agent.reports import Planner, Target
from at.errors import EncodeError
from at.sms import gsm7

__all__ = ["arrival_of", "explain"]

SINGLE_SEPTETS: Final = 160

# The checks in the contract's order, and which of them speaks each reason.
CHECKS: Final = (
    "sender",
    "payload",
    "signature",
    "duplicate",
    "counter",
    "journal",
    "clock",
    "permission",
)
_SID: Final = re.compile(r"[DH]C[0-9A-F]{32}")
_SPEAKS: Final = {
    "stranger": "sender",
    "not-a-command": "payload",
    "parse": "payload",
    "unknown-command": "payload",
    "bad-args": "payload",
    "signature": "signature",
    "duplicate": "duplicate",
    "id-conflict": "duplicate",
    "replay": "counter",
    "unproven": "journal",
    "clock": "clock",
    "expired": "clock",
    "denied": "permission",
}


def arrival_of(
    text: str, config: Config, *, channel: str, sender: str | None, now: datetime
) -> Arrival:
    """Return the message as its channel would hand it in, had it come just now.

    sender: of an SMS, as a person writes it; None: the first sender of the first platform that
    has one. Raises EncodeError for what was meant as a number and is none.

    An SMS has the time stamp `now` and is cut into no parts: a text of exactly 160 septets is a
    message filled to its end. Its fingerprint is of this very moment: it repeats no other.
    """
    by_sms = channel == "sms"
    if sender is None:
        sender = next((own for row in config.platforms for own in row.senders), "")
    else:
        sender = read_sender(sender)
    return Arrival(
        channel=channel,
        received_at=now,
        sender=sender if by_sms else "",
        sent_at=now.replace(microsecond=0) if by_sms else None,
        text=text,
        id=secrets.token_hex(6) if channel == "console" else None,
        fingerprint=fingerprint(sender, [(now.isoformat(), text)]) if by_sms else None,
        full=by_sms and _septets(text) == SINGLE_SEPTETS,
    )


def explain(
    db: sqlite3.Connection, judge: Judge, config: Config, arrival: Arrival
) -> dict[str, Any]:
    """Judge a message that has not come, and say which check decided; nothing is written.

    The verdict, reason and detail are the journal's own words. `steps`: {"check", "result",
    "text"} each; result: "passed", "decided", or "skipped" after the one that decided.
    """
    judged = judge.judge(db, arrival)
    request = judged.request
    platform = judged.platform
    id_from = _id_from(arrival, judged)
    return {
        "verdict": judged.verdict,
        "reason": judged.reason,
        "detail": judged.detail,
        "channel": arrival.channel,
        "sender": arrival.sender,
        "platform": platform.name if platform else None,
        "trust": platform.trust if platform else None,
        "id": judged.id if id_from else None,
        "id_from": id_from,
        "command": request.cmd if request else None,
        "args": dict(request.args) if request else {},
        "canonical": judged.canonical or None,
        "key": judged.signer.key_id if judged.signer else None,
        "due": _due(judged),
        "expires_at": iso(judged.expires_at) if judged.expires_at else None,
        "existing": _existing(judged),
        "reports": _reports(judged, arrival, config),
        "steps": _steps(judged, arrival, config),
    }


def _septets(text: str) -> int | None:
    try:
        return gsm7.septets(text)
    except EncodeError:
        return None


def _id_from(arrival: Arrival, judged: Judgement) -> str | None:
    """Say where the id is from; None where the message brings none that can be told."""
    if not judged.id:
        return None
    if judged.id == arrival.fingerprint:
        return "fingerprint"
    if judged.id == arrival.id:
        return "made up"
    if _SID.fullmatch(judged.id) and (judged.request is None or judged.request.id != judged.id):
        return "sid"
    return "payload" if judged.id in (arrival.text or "") else None


def _due(judged: Judgement) -> str | None:
    if judged.verdict != "accepted":
        return None
    if judged.due_in_s is not None:
        return f"{judged.due_in_s:g} s after its acceptance"
    if judged.due_at is not None:
        return iso(judged.due_at)
    return "at the next boot" if judged.next_boot else "now"


def _existing(judged: Judgement) -> dict[str, Any] | None:
    row = judged.existing
    if row is None:
        return None
    return {
        "id": row.id,
        "command": row.command,
        "state": row.state,
        "reason": row.reason,
        "detail": row.detail,
        "received_at": row.received_at,
    }


def _reports(judged: Judgement, arrival: Arrival, config: Config) -> list[str]:
    """Say in words who would be told, and how."""
    if judged.verdict not in ("accepted", "rejected", "duplicate"):
        return []
    planner = Planner(config.report, has_mqtt=config.mqtt is not None)
    target = Target(arrival.channel, reply_to=judged.reply_to, route=judged.route)
    told: list[str] = []
    for channel, waits in planner.channels(target):
        told += [channel] if channel == "mqtt" else _by_sms(judged, config, waits=waits)
    return told


def _by_sms(judged: Judgement, config: Config, *, waits: bool) -> list[str]:
    if judged.silent:
        return []
    if config.report.policy == "none":
        return []
    words = [f"sms to {judged.reply_to}"]
    if config.report.policy == "errors":
        words.append("unless it succeeds")
    if waits:
        words.append(f"unless mqtt has it within {config.report.sms_after_s:g} s")
    return [", ".join(words)]


def _steps(judged: Judgement, arrival: Arrival, config: Config) -> list[dict[str, str]]:
    decided = _SPEAKS.get(judged.reason or judged.verdict, "")
    told = " ".join(word for word in (judged.verdict, judged.reason, judged.detail) if word)
    steps = []
    result = "passed"
    for check in CHECKS:
        if check == decided:
            steps.append({"check": check, "result": "decided", "text": told})
            result = "skipped"
        else:
            text = _passed(check, judged, arrival, config) if result == "passed" else ""
            steps.append({"check": check, "result": result, "text": text})
    return steps


def _passed(check: str, judged: Judgement, arrival: Arrival, config: Config) -> str:
    """Say what a check that was passed found."""
    request = judged.request
    said = {
        "sender": _sender(judged, arrival),
        "payload": f"{request.form} form, command {request.cmd}" if request else "",
        "signature": _signature(judged, config),
        "duplicate": f"id {judged.id} is new" if judged.id else "",
        "counter": f"c={judged.signer.counter} is fresh" if judged.signer else "none",
        "journal": "complete",
        "clock": "no time in it needs one" if _timeless(judged) else "in time",
        "permission": f"open to {arrival.channel}",
    }
    return said[check]


def _sender(judged: Judgement, arrival: Arrival) -> str:
    if judged.platform is None:
        return f"every {arrival.channel} user who gets this far"
    return f"{arrival.sender} is {judged.platform.name}, {judged.platform.trust}"


def _signature(judged: Judgement, config: Config) -> str:
    if judged.signer is not None:
        return f"valid, key {judged.signer.key_id}"
    if judged.free and judged.handler is not None and judged.handler.read_only:
        return "missing, and not needed to read"
    return f"not asked for ({config.security.require_signature})"


def _timeless(judged: Judgement) -> bool:
    return judged.expires_at is None and judged.due_at is None
