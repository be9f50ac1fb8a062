"""What emnify's fields are: read and checked from a request, rendered for an answer."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from at import sms

if TYPE_CHECKING:
    from aiohttp import web

__all__ = [
    "ALPHANUMERIC",
    "ERRORS",
    "INTERNATIONAL",
    "NATIONAL",
    "TYPE_WORDS",
    "Refused",
    "expiry",
    "json_body",
    "jwt",
    "number",
    "source_address",
    "time",
    "udh",
]

INTERNATIONAL, NATIONAL, ALPHANUMERIC = 145, 161, 208
EXPIRES_S: Final = 24 * 3600.0  # unless expiry_date says otherwise
TYPE_WORDS: Final = {
    INTERNATIONAL: "International",
    NATIONAL: "National",
    ALPHANUMERIC: "Alphanumeric",
}
# error_code: (HTTP status, error_token)
ERRORS: Final[Mapping[int, tuple[int, str]]] = {
    1000: (400, "GeneralError"),
    1101: (401, "AuthorizationRequired"),
    1103: (401, "InvalidToken"),
    1104: (403, "Unauthorized"),
    1105: (429, "TooManyRequests"),
    1201: (404, "NotFound"),
    1301: (422, "JsonInvalid"),
    1400: (422, "ValidationError"),
    1405: (409, "Conflict"),
}


class Refused(Exception):  # noqa: N818 - ends a request with an error of the platform's form
    """code: a key of ERRORS; the text is the message."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


async def json_body(request: web.Request) -> dict[str, Any]:
    """Read a JSON object. Raises Refused."""
    try:
        body = json.loads(await request.read())
    except (ValueError, RecursionError):
        raise Refused(1301, "the body is not JSON") from None
    if not isinstance(body, dict):
        raise Refused(1301, "the body must be a JSON object")
    return body


def source_address(body: Mapping[str, Any]) -> tuple[str, int]:
    """Read source_address and its type; left out: an empty one, national."""
    value = body.get("source_address", "")
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Refused(1400, "source_address must be a string")
    source = str(value)
    kind = body.get("source_address_type", {})
    given = kind.get("id") if isinstance(kind, dict) else None
    if given is not None and given not in TYPE_WORDS:
        raise Refused(1400, "source_address_type.id must be 145, 161 or 208")
    digits = source.removeprefix("+")
    if digits.isdecimal() or not source:
        if given == ALPHANUMERIC:
            return source, ALPHANUMERIC
        return source, given or (INTERNATIONAL if source.startswith("+") else NATIONAL)
    if given != ALPHANUMERIC:
        raise Refused(1400, "an alphanumeric source_address needs source_address_type 208")
    if not 1 <= len(source) <= 11:
        raise Refused(1400, "an alphanumeric source_address has at most 11 characters")
    return source, ALPHANUMERIC


def udh(body: Mapping[str, Any]) -> tuple[sms.Element, ...]:
    """Read udh: hex, with or without its length octet in front (which is not documented)."""
    text = body.get("udh") or ""
    if not isinstance(text, str):
        raise Refused(1400, "udh must be a string")
    try:
        octets = bytes.fromhex(text)
    except ValueError:
        raise Refused(1400, "udh must be hexadecimal") from None
    if octets and octets[0] == len(octets) - 1:
        octets = octets[1:]
    elements = []
    while octets:
        if len(octets) < 2 or len(octets) < 2 + octets[1]:
            raise Refused(1400, "udh is cut")
        elements.append(sms.Element(octets[0], octets[2 : 2 + octets[1]]))
        octets = octets[2 + octets[1] :]
    return tuple(elements)


def expiry(body: Mapping[str, Any], now: datetime) -> datetime:
    """Read expiry_date; left out: after 24 hours. Raises Refused."""
    text = body.get("expiry_date")
    if text is None:
        return now + timedelta(seconds=EXPIRES_S)
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        raise Refused(1400, "expiry_date must be an ISO 8601 time") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)
    if moment <= now:
        raise Refused(1400, "expiry_date is in the past")
    return moment


def time(moment: datetime) -> str:
    """Render a time with milliseconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}+0000"


def number(query: Mapping[str, str], name: str, default: int) -> int:
    """Read a whole number of a query. Raises Refused."""
    text = query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= 1000):
        raise Refused(1400, f"{name} must be a whole number from 1 to 1000")
    return int(text)


def jwt(secret: str, issued: int) -> str:
    """Sign a JSON Web Token with HS256 (RFC 7519)."""

    def part(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

    head = part(b'{"alg":"HS256","typ":"JWT"}')
    claims = part(json.dumps({"iss": "emnify", "iat": issued, "exp": issued + 300}).encode())
    digest = hmac.new(secret.encode(), f"{head}.{claims}".encode(), hashlib.sha256).digest()
    return f"{head}.{claims}.{part(digest)}"
