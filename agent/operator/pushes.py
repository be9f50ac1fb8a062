"""What the platforms call a customer with, read into events of one shape."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import parse_qsl

from agent.operator import xml
from agent.operator.http import text_of
from agent.operator.inventory import Account
from agent.operator.signatures import is_kore_signature, is_token

__all__ = ["PLATFORMS", "Event", "ForgedError", "MalformedError", "Push"]

EVENTS_MAX: Final = 100  # of one call
FIELDS_MAX: Final = 100


class MalformedError(Exception):
    """The call is none that the platform makes."""


class ForgedError(Exception):
    """The call does not bear the secret that it must."""


@dataclass(frozen=True, slots=True)
class Push:
    """A call as it came. url: as the platform knows it, with its query; now: Unix seconds."""

    method: str
    url: str
    query: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    now: float


@dataclass(frozen=True, slots=True)
class Event:
    """One message, or its status.

    id: the platform's, made of the content where it has none. sims: how the platform names the
    SIM here. text: None in a receipt. part: which of how many, None for a message of its own.
    """

    id: str
    from_device: bool
    status: str
    sims: Sequence[str]
    text: str | None = None
    part: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """How one platform calls.

    methods: it uses. read: raises MalformedError. check: whether the secret is borne; None where
    the platform has none; secret: the account's key of it.
    """

    methods: Sequence[str]
    read: Callable[[Push], list[Event]]
    secret: str = ""
    check: Callable[[Push, str], bool] | None = None

    def events(self, push: Push, account: Account | None) -> tuple[list[Event], bool | None]:
        """Read a call: its events, and whether it is proven (None: no secret is configured).

        Raises ForgedError, MalformedError.
        """
        secret = account.secrets.get(self.secret, "") if account is not None else ""
        proven = None
        if secret and self.check is not None:
            if not self.check(push, secret):
                raise ForgedError
            proven = True
        return self.read(push)[:EVENTS_MAX], proven


# ---- Programmable Wireless and Super SIM -------------------------------------------------------


def _is_signed(push: Push, secret: str) -> bool:
    given = push.headers.get("kore-signature", "")
    body = b"" if push.method == "GET" else push.body
    return is_kore_signature(given, secret, push.method, push.url, body)


def _fields(push: Push) -> dict[str, str]:
    try:
        text = push.query if push.method == "GET" else push.body.decode()
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_MAX))
    except ValueError:
        raise MalformedError("the body is no form") from None


def _kore(text_key: str) -> Callable[[Push], list[Event]]:
    def read(push: Push) -> list[Event]:
        fields = _fields(push)
        id_, status = fields.get("CommandSid", ""), fields.get("Status", "")
        if not id_ or not status:
            raise MalformedError("CommandSid or Status is missing")
        # A Command has no direction: one that was received came from the device.
        from_device = fields.get("Direction", "") == "from_sim" or status == "received"
        sims = [fields[key] for key in ("SimUniqueName", "SimSid") if fields.get(key)]
        return [Event(id_, from_device, status, sims, fields.get(text_key))]

    return read


# ---- ConnectivityPRO, emnify -------------------------------------------------------------------


def _json(push: Push) -> dict[str, Any]:
    try:
        value = json.loads(push.body)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise MalformedError("the body is no JSON object")
    return value


def _connectivitypro(push: Push) -> list[Event]:
    rows = _json(push).get("events")
    if not isinstance(rows, list):
        raise MalformedError("events is missing")
    found = []
    for row in rows:
        data = row.get("data") if isinstance(row, dict) else None
        mid, direction = text_of(data, "mid"), text_of(data, "direction")
        if not isinstance(data, dict) or not mid or direction not in ("to_sim", "from_sim"):
            raise MalformedError("an event without mid or direction")
        from_device = direction == "from_sim"
        sim = text_of(data, "from" if from_device else "to")
        text = text_of(data, "message") if from_device else None
        status = text_of(data, "status") or "received"
        found.append(Event(mid, from_device, status, [sim], text))
    return found


def _bears_token(push: Push, secret: str) -> bool:
    scheme, _, token = push.headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and is_token(token.strip(), secret, push.now)


def _emnify(push: Push) -> list[Event]:
    body = _json(push)
    id_, endpoint = text_of(body, "id"), body.get("endpoint")
    if not id_:
        raise MalformedError("id is missing")
    sims = [one for key in ("id", "name") if (one := text_of(endpoint, key))]
    if push.method == "PATCH":
        return [Event(id_, False, text_of(body.get("status"), "status"), sims)]
    part = body.get("multi_part_info")
    return [
        Event(
            id_,
            True,
            "received",
            sims,
            text_of(body, "payload"),
            part if isinstance(part, dict) else None,
        )
    ]


# ---- the m2m portal ----------------------------------------------------------------------------


def _bears_passphrase(push: Push, secret: str) -> bool:
    root = xml.parse(push.body)
    given = xml.text(root, "passphrase") if root is not None else ""
    return hmac.compare_digest(given.encode(), secret.encode())


def _m2m_portal(push: Push) -> list[Event]:
    root = xml.parse(push.body)
    if root is None:
        raise MalformedError("the body is no XML")
    kind = xml.plain(str(root.tag))
    sims = [one for key in ("iccid", "msisdn") if (one := xml.text(root, key))]
    if kind == "postdeliveryreceipt":
        id_ = xml.text(root, "sms uid") or hashlib.sha256(push.body).hexdigest()[:16]
        return [Event(id_, False, "delivered", sims)]
    if kind != "postsms":
        raise MalformedError("neither an SMS nor a receipt")
    text = xml.text(root, "message text")
    told = "\n".join((*sims, xml.text(root, "timestamp"), text))
    return [Event(hashlib.sha256(told.encode()).hexdigest()[:16], True, "received", sims, text)]


_FORM: Final = ("POST", "GET")
PLATFORMS: Final[Mapping[str, Reader]] = MappingProxyType(
    {
        "programmable-wireless": Reader(_FORM, _kore("Command"), "webhook_secret", _is_signed),
        "super-sim": Reader(_FORM, _kore("Payload"), "webhook_secret", _is_signed),
        "connectivitypro": Reader(("POST",), _connectivitypro),
        "m2m-portal": Reader(("POST",), _m2m_portal, "passphrase", _bears_passphrase),
        "emnify": Reader(("POST", "PATCH"), _emnify, "api_secret", _bears_token),
    }
)
