"""What becomes of a message, and why: the order of checks, made once, each leaving its trace."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from agent.commands.registry import Handler, Registry
from agent.config.model import Config
from agent.inbound.message import Arrival
from agent.inbound.verdict import Accepted, Claim, Duplicate, Heard, Judgement, OfCommand, Rejected
from agent.journal.rows import elapsed_s, find_command, meta
from agent.journal.trace import DECIDED, NOT_ASKED, ORDER, PASSED, WAIVED, Step
from agent.payload import arguments, platforms, schedule, signatures
from agent.payload.platforms import Platform
from agent.payload.request import Reading, Refusal, Refused, Request, canonical, read, text_of
from agent.payload.signatures import Signer
from agent.payload.suggestion import closest
from agent.system.clock import Clock, boot_id, from_iso, iso

__all__ = ["Judge"]

OPEN_SPACE: Final = "open"
UNREAD: Final = frozenset({"undecodable", "unproven-read"})


class Judge:
    """Judges arrivals; `explain` and the intake ask the same questions here.

    keys: the signing keys by key id.
    """

    def __init__(
        self, config: Config, registry: Registry, clock: Clock, keys: Mapping[str, bytes]
    ) -> None:
        self.config = config
        self.registry = registry
        self.clock = clock
        self.keys = keys

    def judge(self, db: sqlite3.Connection, arrival: Arrival) -> Judgement:
        """Return the verdict on a message; nothing is written."""
        return _Hearing(self, db, arrival).judgement()

    def may_command(self, judgement: Judgement) -> bool:
        """Whether a message's sender, signed as it was, may do more than ask."""
        signed = isinstance(judgement, OfCommand) and judgement.claim.signer is not None
        platform = judgement.heard.platform
        return platform is not None and self.is_proven(platform, signed=signed)

    def is_proven(self, platform: Platform, *, signed: bool) -> bool:
        """Whether an SMS of this platform is proven to be from somebody who may command."""
        return signed or not signatures.signature_required(
            self.config.security.require_signature,
            channel="sms",
            is_open=platform.trust == platforms.OPEN,
        )


class _Hearing:
    """One message before the judge.

    Each check that is passed adds its step; the one that decides is the next in the order.
    """

    def __init__(self, judge: Judge, db: sqlite3.Connection, arrival: Arrival) -> None:
        self._judge = judge
        self._config = judge.config
        self._registry = judge.registry
        self._clock = judge.clock
        self._keys = judge.keys
        self._db = db
        self._arrival = arrival
        self._heard = _heard(arrival, judge.config)
        self._steps: list[Step] = []

    def judgement(self) -> Judgement:
        """Take the checks that also a message that is no command goes through."""
        arrival, heard = self._arrival, self._heard
        if arrival.verdict:
            return Judgement(
                verdict=arrival.verdict,
                heard=heard,
                trace=(Step("channel", DECIDED),),
                reason=arrival.reason,
                detail=arrival.detail,
            )
        if arrival.channel == "sms" and heard.platform is None:
            return Judgement(verdict="stranger", heard=heard, trace=self._decided())
        self._passed(PASSED if heard.platform else NOT_ASKED)
        if heard.text is None:
            return self._not_a_command("8-bit data")
        reading = read(heard.text, known=self._registry, cut_risk=arrival.full)
        if not reading.is_command:
            return self._not_a_command(self._meant(heard.text))
        return self._of_command(reading)

    def _passed(self, result: str = PASSED, detail: str = "") -> None:
        self._steps.append(Step(ORDER[len(self._steps)], result, detail))

    def _decided(self) -> tuple[Step, ...]:
        """Give the trace, ended by the check whose turn it is."""
        return (*self._steps, Step(ORDER[len(self._steps)], DECIDED))

    def _not_a_command(self, detail: str = "") -> Judgement:
        return Judgement(
            verdict="not-a-command", heard=self._heard, trace=self._decided(), detail=detail
        )

    def _meant(self, text: str) -> str:
        name = closest(text, (handler.name for handler in self._registry))
        return f"meant {name}?" if name else ""

    def _of_command(self, reading: Reading) -> OfCommand:
        arrival, request = self._arrival, reading.request
        id_ = reading.id or reading.sid or arrival.id or arrival.fingerprint or ""
        # Looked at first, so that whoever signed is known also of what is refused before.
        signature = self._signature(reading.signed)
        signer = signature if isinstance(signature, Signer) else None
        claim = Claim(
            id=id_ or secrets.token_hex(6),
            request=request,
            canonical=canonical(replace(request, id=None)) if request else "",
            signer=signer,
            route=(request.route if request else None) or self._config.report.route,
            silent=signer is None and self._is_silenced(),
        )
        try:
            if reading.refusal is not None or request is None:
                raise self._unread(reading.refusal or Refusal("parse"))
            return self._checked(claim, request, signature, has_id=bool(id_))
        except Refused as refused:
            return Rejected(
                verdict="rejected",
                heard=self._heard,
                trace=self._decided(),
                reason=refused.refusal.reason,
                detail=refused.refusal.detail,
                claim=claim,
            )

    def _unread(self, refusal: Refusal) -> Refused:
        """Say why a body is refused; beside an unknown name the one that it is close to."""
        words = [refusal.detail]
        if refusal.reason == "unknown-command":
            words.append(self._meant(refusal.detail))
        return Refused(refusal.reason, ", ".join(word for word in words if word))

    def _checked(
        self, claim: Claim, request: Request, signature: Signer | Refusal | None, *, has_id: bool
    ) -> OfCommand:
        """Take the checks of a command that was read; Refused ends them."""
        handler = self._registry[request.cmd]
        when = _timing(handler, request, has_id=has_id)
        self._passed()
        asked = self._check_signature(handler, signature)
        unproven = asked and claim.signer is None
        space = self._space(claim.signer)
        existing = find_command(self._db, space, claim.id)
        if existing is not None:
            if existing.canonical != claim.canonical:
                raise Refused("id-conflict", f"known as {existing.command}")
            return Duplicate(
                verdict="duplicate",
                heard=self._heard,
                trace=self._decided(),
                claim=claim,
                existing=existing,
            )
        self._passed()
        self._check_counter(claim.signer)
        self._check_proof(handler, claim.signer)
        expires_at, expires_in_s = self._check_clock(handler, request, when, claim.signer)
        self._check_permission(request.cmd, claim.signer)
        return Accepted(
            verdict="accepted",
            heard=self._heard,
            trace=tuple(self._steps),
            claim=claim,
            space=space,
            handler=handler,
            free=unproven,
            due_at=when.time if isinstance(when, schedule.At) else None,
            due_in_s=float(when.seconds) if isinstance(when, schedule.Delay) else None,
            next_boot=isinstance(when, schedule.NextBoot),
            expires_at=expires_at,
            expires_in_s=expires_in_s,
        )

    def _signature(self, request: Request | None) -> Signer | Refusal | None:
        """Find whose valid signature a request bears, or what is wrong with the one it claims."""
        if request is None or self._arrival.channel == "console":
            return None
        device = self._config.device
        try:
            return signatures.authenticate(
                request, self._keys, device.id if device.explicit else None
            )
        except Refused as refused:
            return refused.refusal

    def _check_signature(self, handler: Handler, signature: Signer | Refusal | None) -> bool:
        """Return whether only read-only commands run unsigned here."""
        asked = signatures.signature_required(
            self._config.security.require_signature,
            channel=self._arrival.channel,
            is_open=self._is_open,
        )
        if isinstance(signature, Refusal):
            raise _refused(signature)
        if signature is not None:
            self._passed(PASSED, signature.key_id)
        elif not asked:
            self._passed(NOT_ASKED)
        elif handler.read_only:
            self._passed(WAIVED)
        else:
            raise Refused("signature", "missing")
        return asked

    @property
    def _is_open(self) -> bool:
        platform = self._heard.platform
        return platform is not None and platform.trust == platforms.OPEN

    def _space(self, signer: Signer | None) -> str:
        unproven = self._arrival.channel == "sms" and self._is_open and signer is None
        return OPEN_SPACE if unproven else ""

    def _check_counter(self, signer: Signer | None) -> None:
        if signer is None:
            self._passed(NOT_ASKED)
            return
        rows = self._db.execute("SELECT counter FROM counters WHERE key = ?", (signer.key_id,))
        if not signatures.is_fresh(signer.counter, [row[0] for row in rows]):
            raise Refused("replay", f"c={signer.counter} was used or is too old")
        self._passed()

    def _check_proof(self, handler: Handler, signer: Signer | None) -> None:
        """After a damaged journal was set aside nobody knows which ids and counters were used."""
        told = meta(self._db, "reset_at")
        if told is None or self._arrival.channel == "console":
            self._passed(PASSED if told is None else WAIVED)
            return
        reset_at, sent_at = self._reset_at(told), self._arrival.sent_at
        if reset_at is None:
            if not handler.read_only:
                raise Refused("unproven", "nobody knows when the journal began")
        elif signer is not None and signer.counter <= reset_at.timestamp():
            raise Refused("unproven", "c is older than the journal")
        elif not handler.read_only and (sent_at is None or sent_at < reset_at):
            raise Refused("unproven", "sent before the journal began")
        self._passed(WAIVED)

    def _reset_at(self, told: str) -> datetime | None:
        """Return when the journal was begun anew; None where no clock vouches for that."""
        reset_s = meta(self._db, "reset_elapsed_s")
        if reset_s is None:
            return from_iso(told)
        now = self._clock.vouched()
        if now is None:
            return None
        return now - timedelta(seconds=elapsed_s(self._db) - float(reset_s))

    def _check_clock(
        self, handler: Handler, request: Request, when: schedule.When, signer: Signer | None
    ) -> tuple[datetime | None, float | None]:
        """Return the last moment, and what is left from the receipt; None: there is none."""
        stamp = self._proven_stamp(signer)
        expires_in_s = self._check_left(request)
        expires_at = self._check_expiry(request, stamp)
        self._check_due(when, stamp)
        next_boot = isinstance(when, schedule.NextBoot)
        if (handler.needs_boot_id or next_boot) and boot_id() is None:
            raise Refused("error", "no boot id to be had")
        timed = expires_at is not None or isinstance(when, schedule.At)
        self._passed(PASSED if timed or expires_in_s is not None else NOT_ASKED)
        return expires_at, expires_in_s

    def _proven_stamp(self, signer: Signer | None) -> datetime | None:
        """Give the message's own time stamp where the clock may be compared with it."""
        platform = self._heard.platform
        if platform is None or not self._judge.is_proven(platform, signed=signer is not None):
            return None
        return self._arrival.sent_at

    def _check_left(self, request: Request) -> float | None:
        """Return how long it may still run, counted from the receipt: no wall clock is needed."""
        left = [] if self._arrival.expires_in_s is None else [self._arrival.expires_in_s]
        if request.exp is not None and self._arrival.sent_at is None:
            expiry = _expiry(request.exp)
            if isinstance(expiry, schedule.Delay):
                left.append(float(expiry.seconds))
        if left and min(left) <= 0:
            raise Refused("expired", "on its way")
        return min(left, default=None)

    def _check_expiry(self, request: Request, stamp: datetime | None) -> datetime | None:
        """Return the last moment by the wall clock."""
        sent_at = self._arrival.sent_at
        if request.exp is None:
            return None
        expiry = _expiry(request.exp)
        if isinstance(expiry, schedule.At):
            limit = expiry.time
        elif sent_at is None:
            return None  # counted from the receipt
        else:
            limit = schedule.deadline(expiry, sent_at)
        told = self._clock.beside(stamp)
        past = schedule.is_past(limit, now=told.now, floor=told.floor)
        if told.perhaps is not None and told.perhaps > limit:
            past = True  # by network time that nothing but this lateness speaks against
        if past is None:
            raise Refused("clock", "exp needs a clock that is synchronised")
        if past:
            raise Refused("expired", f"at {iso(limit)}")
        return limit

    def _check_due(self, when: schedule.When, stamp: datetime | None) -> None:
        if not isinstance(when, schedule.At):
            return
        now = self._clock.beside(stamp).now
        if now is None:
            raise Refused("clock", "when needs a clock that is synchronised")
        if schedule.is_missed(when.time, now):
            raise Refused("expired", f"when was {iso(when.time)}")

    def _check_permission(self, cmd: str, signer: Signer | None) -> None:
        rule = self._config.commands[cmd]
        if not rule.enabled:
            raise Refused("denied", "off")
        platform = self._heard.platform
        refusal = signatures.check_permission(
            signatures.Permission(rule.channels, rule.platforms, rule.keys),
            channel=self._arrival.channel,
            platform=platform.name if platform else None,
            key_id=signer.key_id if signer else None,
        )
        if refusal is not None:
            raise _refused(refusal)
        self._passed()

    def _is_silenced(self) -> bool:
        if self._arrival.channel != "sms":
            return False
        rows = self._db.execute(
            "SELECT sender FROM commands WHERE reason = 'signature' AND elapsed_s > elapsed() - ?",
            (signatures.LOCKOUT_S,),
        )
        who = platforms.identity(self._arrival.sender)
        return signatures.is_silenced(sum(platforms.identity(sender) == who for (sender,) in rows))


def _heard(arrival: Arrival, config: Config) -> Heard:
    text = _text(arrival)
    if arrival.channel != "sms":
        return Heard(text)
    platform = platforms.match(arrival.sender, config.platforms)
    if platform is None:
        return Heard(text)
    return Heard(text, platform, platforms.address_for(platform, arrival.sender) or "")


def _timing(handler: Handler, request: Request, *, has_id: bool) -> schedule.When:
    """Check a request against its command's arguments; return when it is to run."""
    typed = arguments.validate(handler.arguments, request.args)
    if handler.needs_argument and not typed:
        raise Refused("bad-args", "nothing to set")
    if not has_id and not handler.read_only:
        raise Refused("parse", "id")
    when = _when(request)
    if isinstance(when, schedule.Immediate) and typed.get(handler.delay_argument):
        when = schedule.Delay(int(typed[handler.delay_argument]))
    return when


def _refused(refusal: Refusal) -> Refused:
    return Refused(refusal.reason, refusal.detail)


def _text(arrival: Arrival) -> str | None:
    if arrival.text is not None or arrival.data is None or arrival.verdict in UNREAD:
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
