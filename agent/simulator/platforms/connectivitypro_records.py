"""What ConnectivityPRO keeps and tells: messages, subscriptions, webhooks; how values are read."""

from __future__ import annotations

import http
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

__all__ = [
    "SHORT_CODES",
    "Message",
    "Refused",
    "alert",
    "date",
    "item",
    "number",
    "reason",
    "subscription",
]

SHORT_CODES: Final[Mapping[str, str]] = {
    "KATTCC": "53340999",
    "KORE Canada GSM 2": "720096",
    "ESIM BLUE": "567300908",
    "ESIM GREEN": "567300909",
    "ESIM RED": "567300910",
    "OmniSIM": "567300905",
    "T-USA": "567300025",
    "T-USA H": "567300026",
    "T-USA W": "567300027",
    "USA GSM (Gold)": "20020499",
}
SERVICE_TYPE_ID: Final = 32


@dataclass(frozen=True, slots=True)
class Message:
    """One SMS as the API knows it. action: MT or MO."""

    mid: str
    sim: str
    action: str
    originator: str
    destination: str
    text: str
    status: str
    created: datetime


class Refused(Exception):  # noqa: N818 - ends a request with an error of the platform's form
    """code: the HTTP status; the text is the message."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def item(one: Message, known: Mapping[str, Any], account: str, short_code: str) -> dict[str, Any]:
    """Render a message as lists show it; known: what the platform calls the SIM."""
    return {
        "short-code": short_code,
        "iccid": str(known["iccid"]),
        "account-id": account,
        "organization": account,
        "mid": one.mid,
        "action": one.action,
        "detail": one.text,
        "msisdn": str(known["msisdn"]),
        "service-type-id": SERVICE_TYPE_ID,
        "date-created": _millis(one.created),
        "status": one.status,
    }


def subscription(known: Mapping[str, Any]) -> dict[str, Any]:
    """Render a SIM as a subscription."""
    return {
        "subscription-id": str(known["subscription_id"]),
        "iccid": str(known["iccid"]),
        "product-offer": str(known["service_type"]),
        "msisdns": [{"msisdn": str(known["msisdn"])}],
        "service-type-id": str(SERVICE_TYPE_ID),
        "states": [
            {
                "state": "Active",
                "state-id": "cmp-pp-state-Active",
                "start-datetime-utc": "2024-05-17T14:30:29.000Z",
                "end-datetime-utc": "9999-12-31T00:00:00.000Z",
                "is-current": True,
            }
        ],
    }


def alert(one: Message, account: str, number: int, now: datetime) -> dict[str, Any]:
    """Render a webhook's body about a message's state; number: of the alert."""
    outward = one.action == "MT"
    data: dict[str, Any] = {
        "mid": one.mid,
        "direction": "to_sim" if outward else "from_sim",
        "to": one.destination,
        "from": one.originator,
    }
    data |= {"status": one.status} if outward else {"message": one.text}
    data["exact-date-time"] = _millis(now)
    if one.status == "Failed":
        data |= {"error-code": 419, "error-message": "UNDELIV"}
    kind = "mobileterminated" if outward else "mobileoriginated"
    return {
        "alert-id": number,
        "alert-message-date": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "rule-id": 10783 if outward else 10784,
        "version-id": 1,
        "rule-name": "SMS MT" if outward else "SMS MO",
        "event-name": f"connectivity.smsapi.{kind}",
        "account": account,
        "events": [{"id": str(uuid.uuid4()), "data": data}],
    }


def _millis(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


def reason(status: int) -> str:
    """Return the words of an HTTP status."""
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return str(status)


def number(query: Mapping[str, str], name: str, default: int, low: int) -> int:
    """Read a whole number of a query. Raises Refused."""
    text = query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and low <= int(text[:9]) <= 1000):
        raise Refused(400, f"{name} must be a whole number from {low} to 1000")
    return int(text)


def date(query: Mapping[str, str], name: str) -> datetime | None:
    """Read a date of a query, None where there is none. Raises Refused."""
    text = query.get(name)
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d")  # noqa: DTZ007 - a date, in UTC
    except ValueError:
        raise Refused(400, f"{name} must be YYYY-MM-DD") from None
