"""What would become of a message, and why: the judge's verdict with the checks that led to it."""

from __future__ import annotations

import re
import secrets
import sqlite3
from datetime import datetime
from typing import Any, Final

from agent.config.model import Config
from agent.inbound.judge import Judge
from agent.inbound.message import Arrival, fingerprint
from agent.inbound.verdict import Accepted, Duplicate, Judgement, OfCommand
from agent.journal.trace import told
from agent.payload.platforms import read_sender
from agent.reports.planner import Planner, Target
from agent.system.clock import iso
from at.errors import EncodeError
from at.sms.alphabets import gsm7

__all__ = ["arrival_of", "explain"]

SINGLE_SEPTETS: Final = 160

_SID: Final = re.compile(r"[DH]C[0-9A-F]{32}")


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
    claim = judged.claim if isinstance(judged, OfCommand) else None
    request = claim.request if claim else None
    platform = judged.heard.platform
    id_from = _id_from(arrival, judged)
    reports, untold = _reports(judged, arrival, config)
    verdict = {"verdict": judged.verdict, "reason": judged.reason, "detail": judged.detail}
    about = {
        "channel": arrival.channel,
        "sender": arrival.sender,
        "platform": platform.name if platform else None,
        "id": judged.id if id_from else None,
        "command": request.cmd if request else None,
    }
    return {
        **verdict,
        **about,
        "trust": platform.trust if platform else None,
        "id_from": id_from,
        "args": dict(request.args) if request else {},
        "canonical": (claim.canonical if claim else "") or None,
        "key": claim.signer.key_id if claim and claim.signer else None,
        **_schedule(judged),
        "existing": _existing(judged),
        "reports": reports,
        "untold": untold,
        "steps": told(judged.trace, {**verdict, **about, "id": judged.id}),
    }


def _septets(text: str) -> int | None:
    try:
        return gsm7.septets(text)
    except EncodeError:
        return None


def _id_from(arrival: Arrival, judged: Judgement) -> str | None:
    """Say where the id is from; None where the message brings none that can be told."""
    if not isinstance(judged, OfCommand):
        return None
    request, id_ = judged.claim.request, judged.id
    if id_ == arrival.fingerprint:
        return "fingerprint"
    if id_ == arrival.id:
        return "made up"
    if _SID.fullmatch(id_) and (request is None or request.id != id_):
        return "sid"
    return "payload" if id_ in (arrival.text or "") else None


def _schedule(judged: Judgement) -> dict[str, str | None]:
    if not isinstance(judged, Accepted):
        return {"due": None, "expires_at": None}
    if judged.due_in_s is not None:
        due = f"{judged.due_in_s:g} s after its acceptance"
    elif judged.due_at is not None:
        due = iso(judged.due_at)
    else:
        due = "at the next boot" if judged.next_boot else "now"
    expires_at = iso(judged.expires_at) if judged.expires_at else None
    if expires_at is None and judged.expires_in_s is not None:
        expires_at = f"{judged.expires_in_s:g} s after its receipt"
    return {"due": due, "expires_at": expires_at}


def _existing(judged: Judgement) -> dict[str, Any] | None:
    if not isinstance(judged, Duplicate):
        return None
    row = judged.existing
    return {
        "id": row.id,
        "command": row.command,
        "state": row.state,
        "reason": row.reason,
        "detail": row.detail,
        "received_at": row.received_at,
    }


def _reports(judged: Judgement, arrival: Arrival, config: Config) -> tuple[list[str], str | None]:
    """Say in words who would be told and how, or why nobody."""
    if not isinstance(judged, OfCommand):
        return [], None
    claim = judged.claim
    planner = Planner(config.report, has_mqtt=config.mqtt is not None)
    target = Target(arrival.channel, reply_to=judged.heard.reply_to, route=claim.route)
    reports: list[str] = []
    for channel, waits in planner.channels(target):
        if channel == "mqtt":
            reports.append(channel)
        elif not claim.silent and config.report.policy != "none":
            reports.append(_by_sms(judged.heard.reply_to, config, waits=waits))
    return reports, None if reports else planner.untold(target, silent=claim.silent)


def _by_sms(reply_to: str, config: Config, *, waits: bool) -> str:
    words = [f"sms to {reply_to}"]
    if config.report.policy == "errors":
        words.append("unless it succeeds")
    if waits:
        words.append(f"unless mqtt has it within {config.report.sms_after_s:g} s")
    return ", ".join(words)
