"""Who may command: signatures, counters and permissions as pure rules (docs/payloads.md)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from agent.payload.canonical import canonical
from agent.payload.values import Refusal, Refused, Request

DEFAULT_KEY_ID = "0"
SIGNATURE_CHARACTERS = 10  # 50 bits, guessed one SMS at a time
WINDOW = 64  # counters kept per key
MAX_COUNTER_DIGITS = 18  # stays within SQLite's integers
LOCKOUT_FAILURES = 3
LOCKOUT_S = 3600
CONSOLE = "console"
SMS = "sms"

_COUNTER = re.compile(rf"[0-9]{{1,{MAX_COUNTER_DIGITS}}}")
_SIGNATURE = re.compile(rf"[A-Za-z2-7]{{{SIGNATURE_CHARACTERS}}}")


def key_of(data: bytes) -> bytes:
    """Give the key that a key file holds: its bytes, line ends at the end dropped.

    Raises ValueError for an empty one.
    """
    key = data.rstrip(b"\r\n")
    if not key:
        raise ValueError("the key file is empty")
    return key


def is_counter(text: str) -> bool:
    """Whether a text is a counter: decimal, at most 18 digits."""
    return _COUNTER.fullmatch(text) is not None


def sign(key: bytes, device_id: str, k: str, c: str, text: str) -> str:
    """Give `m` over a canonical request: ten upper-case base32 characters."""
    message = f"{device_id}\n{k}\n{c}\n{text}".encode()
    digest = hmac.new(key, message, hashlib.sha256).digest()
    return base64.b32encode(digest).decode()[:SIGNATURE_CHARACTERS]


def verify(key: bytes, device_id: str, k: str, c: str, text: str, m: str) -> bool:
    """Compare `m` with what the key gives, without case and in constant time."""
    if not _SIGNATURE.fullmatch(m):
        return False
    return hmac.compare_digest(sign(key, device_id, k, c, text), m.upper())


def sign_request(request: Request, key: bytes, device_id: str, k: str, c: str) -> str:
    """Give `m` of a request; what it says of k, c and m itself does not count."""
    return sign(key, device_id, k, c, canonical(request))


@dataclass(frozen=True, slots=True)
class Signer:
    """Whose valid signature a request bears: the key's id and the counter."""

    key_id: str
    counter: int


def authenticate(
    request: Request, keys: Mapping[str, bytes], device_id: str | None
) -> Signer | None:
    """Give the signer of a request, None for one without a signature.

    device_id: the configured one, None where it is not explicit: no signature is valid then.
    Raises Refused("signature"), the detail naming the part to blame: an incomplete or wrong
    signature is refused also where none is required.
    """
    if not request.signed:
        return None
    key_id = DEFAULT_KEY_ID if request.k is None else request.k
    if request.m is None:
        raise Refused("signature", "m missing")
    if request.c is None or not is_counter(request.c):
        raise Refused("signature", "c is no counter" if request.c else "c missing")
    if device_id is None:
        raise Refused("signature", "device.id is not configured")
    key = keys.get(key_id)
    if key is None:
        raise Refused("signature", "k unknown")
    if not verify(key, device_id, key_id, request.c, canonical(request), request.m):
        raise Refused("signature", "m wrong")
    return Signer(key_id, int(request.c))


def is_fresh(counter: int, used: Collection[int]) -> bool:
    """Whether a counter may still be claimed; used: the (at most 64) highest used of its key.

    While fewer than 64 were used, all of them are on record, so that any other one is fresh.
    """
    if counter in used:
        return False
    return len(used) < WINDOW or counter > min(used)


def claim(counter: int, used: Collection[int]) -> tuple[int, ...]:
    """Give the counters to keep once `counter` is used: the 64 highest, ascending."""
    return tuple(sorted({*used, counter})[-WINDOW:])


def signature_required(mode: str, *, channel: str, is_open: bool) -> bool:
    """Whether only read-only commands run unsigned.

    mode: `security.require_signature`. is_open: the platform counts as open (SMS only).
    """
    if channel == CONSOLE or mode == "never":
        return False
    return mode == "always" or (channel == SMS and is_open)


@dataclass(frozen=True, slots=True)
class Permission:
    """Who may use one command: None means whoever gets that far.

    platforms are asked of SMS only; keys of every channel but the console, which has no
    signatures: an unsigned request holds none of them.
    """

    channels: Collection[str] | None = None
    platforms: Collection[str] | None = None
    keys: Collection[str] | None = None


def check_permission(
    rule: Permission, *, channel: str, platform: str | None, key_id: str | None
) -> Refusal | None:
    """Give `denied` with the list to blame as its detail, None where the rule lets it pass."""
    if rule.channels is not None and channel not in rule.channels:
        return Refusal("denied", "channel")
    if rule.platforms is not None and channel == SMS and platform not in rule.platforms:
        return Refusal("denied", "platform")
    if rule.keys is not None and channel != CONSOLE and key_id not in rule.keys:
        return Refusal("denied", "key")
    return None


def is_silenced(failures: int) -> bool:
    """Whether replies to a sender are silenced: three failed signatures within the last hour.

    failures: how many there were in `LOCKOUT_S`. Never asked for a valid signature, nor for the
    console.
    """
    return failures >= LOCKOUT_FAILURES
