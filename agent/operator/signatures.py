"""Whether a call comes from the platform: KORE's signature, and JSON Web Tokens."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from typing import Final
from urllib.parse import urlsplit, urlunsplit

__all__ = ["is_kore_signature", "is_token", "kore_signature"]

LEEWAY_S: Final = 60.0  # between the platform's clock and this one


def kore_signature(secret: str, method: str, url: str, body: bytes) -> str:
    """Give `kore-signature`: SHA-256 over secret, method, URL without query, and body, in hex."""
    bare = urlunsplit(urlsplit(url)._replace(query="", fragment=""))
    return hashlib.sha256(f"{secret}{method}{bare}".encode() + body).hexdigest()


def is_kore_signature(given: str, secret: str, method: str, url: str, body: bytes) -> bool:
    """Compare a signature in constant time."""
    wanted = kore_signature(secret, method, url, body)
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())


def is_token(token: str, secret: str, now: float) -> bool:
    """Whether a JSON Web Token (RFC 7519) is signed by the secret with HS256, and not expired.

    now: Unix seconds.
    """
    signed, _, signature = token.rpartition(".")
    head, _, claims = signed.partition(".")
    digest = hmac.new(secret.encode(), signed.encode("utf-8", "replace"), hashlib.sha256).digest()
    try:
        # The algorithm is not the caller's choice: "none" would need no secret.
        is_ours = json.loads(_decoded(head)).get("alg") == "HS256"
        if not is_ours or not hmac.compare_digest(_decoded(signature), digest):
            return False
        told = json.loads(_decoded(claims))
        ends, starts = told.get("exp"), told.get("nbf")
    except (ValueError, AttributeError, RecursionError):
        return False
    return _is_number(ends, now - LEEWAY_S, above=True) and _is_number(
        starts, now + LEEWAY_S, above=False
    )


def _is_number(value: object, limit: float, *, above: bool) -> bool:
    """Whether a claim that need not be there is a number on the right side of a limit."""
    if value is None:
        return True
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return value > limit if above else value < limit


def _decoded(part: str) -> bytes:
    """Decode unpadded base64url (RFC 7515 §2); raises ValueError."""
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None
