"""What becomes of a message, and why: the order of checks as one function that only reads."""

from __future__ import annotations

import re
import secrets
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from agent import arguments, platforms, schedule, security
from agent.arrival import Arrival
from agent.clock import Clock, boot_id, from_iso, iso
from agent.config import Config
from agent.handlers.registry import Handler, Registry
from agent.platforms import Platform
from agent.request import Reading, Refusal, Refused, Request, canonical, read, text_of
from agent.rows import CommandRow, find_command, meta

__all__ = ["Judge", "Judgement"]

OPEN_SPACE = "open"
_ID = re.compile(r"[A-Za-z0-9._:-]{1,36}")


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with everything that follows from it; nothing has been written yet.

    verdict: "accepted", "rejected", "duplicate", or what a message that is no command ends as.
    reason, detail: why, in the words of the reply grammar. existing: the command that a duplicate
    repeats. free: the command came unsigned where a signature is asked for, or was refused: the
    replies to it share a quarter of the SMS budget. silent: no SMS goes out for this at all.
    due_at, due_in_s, next_boot: the schedule; expires_at: the last moment.
    """

    verdict: str
    reason: str = ""
    detail: str = ""
    id: str = ""
    space: str = ""
    text: str | None = None
    request: Request | None = None
    handler: Handler | None = None
    canonical: str = ""
    platform: Platform | None = None
    reply_to: str = ""
    route: str = ""
    signer: security.Signer | None = None
    existing: CommandRow | None = None
    free: bool = False
    silent: bool = False
    due_at: datetime | None = None
    due_in_s: float | None = None
    next_boot: bool = False
    expires_at: datetime | None = None


class Judge:
    """Judges arrivals; `explain` and the intake ask the same questions here.

    keys: the signing keys by key id.
    """

    def __init__(
        self, config: Config, registry: Registry, clock: Clock, keys: Mapping[str, bytes]
    ) -> None:
        self._config = config
        self._registry = registry
        self._clock = clock
        self._keys = keys

    def judge(self, db: sqlite3.Connection, arrival: Arrival) -> Judgement:
        """Return the verdict on a message; nothing is written."""
        platform = None
        reply_to = ""
        if arrival.channel == "sms":
            platform = platforms.match(arrival.sender, self._config.platforms)
            if platform is not None:
                reply_to = platforms.address_for(platform, arrival.sender) or ""
        known = Judgement(
            verdict=arrival.verdict,
            reason=arrival.reason,
            detail=arrival.detail,
            text=_text(arrival),
            platform=platform,
            reply_to=reply_to,
            route=self._config.report.route,
            free=True,
        )
        if arrival.verdict:
            return known
        if arrival.channel == "sms" and platform is None:
            return replace(known, verdict="stranger")
        if known.text is None:
            return replace(known, verdict="not-a-command", detail="8-bit data")
        return self._read(db, arrival, known, known.text)

    def _read(
        self, db: sqlite3.Connection, arrival: Arrival, known: Judgement, text: str
    ) -> Judgement:
        reading = read(text, known=self._registry, cut_risk=arrival.full)
        if not reading.is_command:
            return replace(known, verdict="not-a-command")
        id_ = reading.id or reading.sid or arrival.id or arrival.fingerprint or ""
        known = replace(known, verdict="rejected", id=id_ or secrets.token_hex(6))
        judged = self._judge_command(db, arrival, known, reading, has_id=bool(id_))
        if judged.signer is None:
            judged = replace(judged, silent=self._is_silenced(db, arrival))
        return judged

    def _judge_command(
        self,
        db: sqlite3.Connection,
        arrival: Arrival,
        known: Judgement,
        reading: Reading,
        *,
        has_id: bool,
    ) -> Judgement:
        request = reading.request
        if request is None:
            refusal = reading.refusal or Refusal("parse")
            return replace(known, reason=refusal.reason, detail=refusal.detail)
        known = replace(
            known,
            request=request,
            handler=self._registry[request.cmd],
            canonical=canonical(replace(request, id=None)),
            route=request.route or known.route,
        )
        try:
            return self._check(db, arrival, known, request, known.handler, has_id=has_id)
        except Refused as refused:
            return replace(known, reason=refused.refusal.reason, detail=refused.refusal.detail)

    def _check(
        self,
        db: sqlite3.Connection,
        arrival: Arrival,
        known: Judgement,
        request: Request,
        handler: Handler | None,
        *,
        has_id: bool,
    ) -> Judgement:
        """Take the checks in the order of the contract; Refused ends them."""
        assert handler is not None  # noqa: S101 - the registry knows every command that was read
        typed = arguments.validate(handler.arguments, request.args)
        if handler.needs_argument and not typed:
            raise Refused("bad-args", "nothing to set")
        if not has_id and not handler.read_only:
            raise Refused("parse", "id")
        when = _when(request)
        if isinstance(when, schedule.Immediate) and typed.get(handler.delay_argument):
            when = schedule.Delay(int(typed[handler.delay_argument]))

        asked = security.signature_required(
            self._config.security.require_signature,
            channel=arrival.channel,
            is_open=_is_open(known),
        )
        if (handler.needs_boot_id or isinstance(when, schedule.NextBoot)) and boot_id() is None:
            raise Refused("error", "no boot id to be had")
        signer = self._authenticate(arrival, request)
        if signer is None and asked and not handler.read_only:
            raise Refused("signature", "missing")
        known = replace(known, signer=signer)
        unproven = signer is None and asked

        space = self._space(arrival, known)
        existing = find_command(db, space, known.id)
        if existing is not None:
            if existing.canonical != known.canonical:
                raise Refused("id-conflict", f"known as {existing.command}")
            return replace(
                known, verdict="duplicate", space=space, existing=existing, free=unproven
            )

        self._check_counter(db, signer)
        self._check_proof(db, arrival, handler, signer)
        expires_at = self._check_expiry(arrival, request)
        due_at = self._check_due(when)
        self._check_permission(arrival, known, request.cmd)
        return replace(
            known,
            verdict="accepted",
            space=space,
            free=unproven,
            due_at=due_at,
            due_in_s=float(when.seconds) if isinstance(when, schedule.Delay) else None,
            next_boot=isinstance(when, schedule.NextBoot),
            expires_at=expires_at,
        )

    def _authenticate(self, arrival: Arrival, request: Request) -> security.Signer | None:
        if arrival.channel == "console":
            return None
        device = self._config.device
        return security.authenticate(request, self._keys, device.id if device.explicit else None)

    def _space(self, arrival: Arrival, known: Judgement) -> str:
        unproven = arrival.channel == "sms" and _is_open(known) and known.signer is None
        return OPEN_SPACE if unproven else ""

    def _check_counter(self, db: sqlite3.Connection, signer: security.Signer | None) -> None:
        if signer is None:
            return
        rows = db.execute("SELECT counter FROM counters WHERE key = ?", (signer.key_id,))
        if not security.is_fresh(signer.counter, [row[0] for row in rows]):
            raise Refused("replay", f"c={signer.counter} was used or is too old")

    def _check_proof(
        self,
        db: sqlite3.Connection,
        arrival: Arrival,
        handler: Handler,
        signer: security.Signer | None,
    ) -> None:
        """After a damaged journal was set aside nobody knows which ids and counters were used."""
        told = meta(db, "reset_at")
        if told is None or arrival.channel == "console":
            return
        reset_at = from_iso(told)
        if signer is not None and signer.counter <= reset_at.timestamp():
            raise Refused("unproven", "c is older than the journal")
        stale = arrival.sent_at is None or arrival.sent_at < reset_at
        if not handler.read_only and stale:
            raise Refused("unproven", "sent before the journal began")

    def _check_expiry(self, arrival: Arrival, request: Request) -> datetime | None:
        if request.exp is None:
            # The channel's own expiry is what is left of it at the receipt: no clock is needed.
            if arrival.expires_at is not None and arrival.expires_at <= arrival.received_at:
                raise Refused("expired", "on its way")
            return arrival.expires_at
        stamped = arrival.sent_at or arrival.received_at
        limit = schedule.deadline(_expiry(request.exp), stamped)
        if arrival.expires_at is not None:
            limit = min(limit, arrival.expires_at)
        past = schedule.is_past(limit, now=self._clock.trusted(), floor=self._clock.lower_bound())
        if past is None:
            raise Refused("clock", "exp needs a clock that is synchronised")
        if past:
            raise Refused("expired", f"at {iso(limit)}")
        return limit

    def _check_due(self, when: schedule.When) -> datetime | None:
        if not isinstance(when, schedule.At):
            return None
        now = self._clock.trusted()
        if now is None:
            raise Refused("clock", "when needs a clock that is synchronised")
        if schedule.is_missed(when.time, now):
            raise Refused("expired", f"when was {iso(when.time)}")
        return when.time

    def _check_permission(self, arrival: Arrival, known: Judgement, cmd: str) -> None:
        rule = self._config.commands[cmd]
        if not rule.enabled:
            raise Refused("denied", "off")
        refusal = security.check_permission(
            security.Permission(rule.channels, rule.platforms, rule.keys),
            channel=arrival.channel,
            platform=known.platform.name if known.platform else None,
            key_id=known.signer.key_id if known.signer else None,
        )
        if refusal is not None:
            raise Refused(refusal.reason, refusal.detail)

    def _is_silenced(self, db: sqlite3.Connection, arrival: Arrival) -> bool:
        if arrival.channel != "sms":
            return False
        rows = db.execute(
            "SELECT sender FROM commands WHERE reason = 'signature' AND elapsed_s > elapsed() - ?",
            (security.LOCKOUT_S,),
        )
        who = platforms.identity(arrival.sender)
        return security.is_silenced(sum(platforms.identity(sender) == who for (sender,) in rows))


def _is_open(known: Judgement) -> bool:
    return known.platform is not None and known.platform.trust == "open"


def _text(arrival: Arrival) -> str | None:
    if arrival.text is not None or arrival.data is None or arrival.verdict == "undecodable":
        return arrival.text  # octets that could not be decoded are no text, even where they look so
    return text_of(arrival.data)


def _when(request: Request) -> schedule.When:
    try:
        return schedule.parse_when(request.when)
    except ValueError as error:
        raise Refused("bad-args", f"when: {error}") from None


def _expiry(text: str) -> schedule.Expiry:
    try:
        return schedule.parse_exp(text)
    except ValueError as error:
        raise Refused("bad-args", f"exp: {error}") from None
