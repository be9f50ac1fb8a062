"""What Programmable Wireless and Super SIM share: tokens, errors, lists, signed callbacks."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any, ClassVar, Final
from urllib.parse import urlencode, urlsplit, urlunsplit

from aiohttp import web

from agent.simulator.callbacks import Call
from agent.simulator.platform import Platform, Surroundings

__all__ = ["Answer", "KorePlatform", "Record", "form", "seconds", "sid", "signature"]

TOKEN_S: Final = 3600.0
KEPT: Final = timedelta(days=30)
PAGE_SIZE: Final = 50
AGAIN_ON: Final = frozenset({408, 423, *range(500, 600)})
ERRORS_URL: Final = "https://docs.korewireless.com/errors/"
_DENIED: Final = "User is not authorized to access this resource with an explicit deny"


class Answer(Exception):  # noqa: N818 - ends a request with a response that is no success
    """A refusal in the platform's own form: {status, message, code, more_info}."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    def response(self) -> web.Response:
        """Render it."""
        body = {
            "status": self.status,
            "message": self.message,
            "code": self.code,
            "more_info": f"{ERRORS_URL}{self.code}",
        }
        return web.json_response(body, status=self.status)


@dataclass(frozen=True, slots=True)
class Record:
    """One message as the API shows it. sim: its name in the world."""

    sid: str
    sim: str
    body: str
    status: str
    direction: str
    created: datetime
    updated: datetime
    callback_url: str = ""
    callback_method: str = "POST"
    extra: Mapping[str, Any] = field(default_factory=dict)


def sid(prefix: str) -> str:
    """Make up a string identifier: two letters and 32 hex digits."""
    return prefix + secrets.token_hex(16)


def seconds(moment: datetime) -> str:
    """Render a time in whole seconds; clients read no other form as a time."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def signature(secret: str, method: str, url: str, body: str) -> str:
    """Give `kore-signature`: SHA-256 over secret, method, URL without query, and the body."""
    plain = urlunsplit(urlsplit(url)._replace(query="", fragment=""))
    return hashlib.sha256(f"{secret}{method}{plain}{body}".encode()).hexdigest()


async def form(request: web.Request) -> dict[str, str]:
    """Read a form's fields; 415 for anything else."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise Answer(415, 20001, "Content-Type must be application/x-www-form-urlencoded")
    fields = await request.post()
    return {name: value for name, value in fields.items() if isinstance(value, str)}


class KorePlatform(Platform):
    """Commands of one kind: records by SID, newest first in lists."""

    list_key: ClassVar[str]
    path: ClassVar[str]
    not_found: ClassVar[int]
    sim_callback: ClassVar[str] = "callback_url"

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around)
        self.records: dict[str, Record] = {}
        self._secrets: dict[str, str] = {}

    # ---- who calls ------------------------------------------------------------------------

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """Return the routes below the prefix."""
        return [
            *self.root_routes(),
            web.route("*", "/v1/secrets", self._told(self._new_secret)),
            *self.resource_routes(),
        ]

    def root_routes(self) -> Iterable[web.AbstractRouteDef]:
        """Return the token endpoint, where clients find it that changed only the host."""
        return [web.post("/api-services/v1/auth/token", self._told(self._token, open_=True))]

    @abstractmethod
    def resource_routes(self) -> Iterable[web.AbstractRouteDef]:
        """Return the routes of the resource."""

    def error(self, status: int, text: str) -> web.Response:
        """Render what HTTP itself refuses."""
        codes = {404: 20404, 405: 20004, 403: 20006}
        return Answer(status, codes.get(status, 20001), text).response()

    def _told(self, handler: Any, *, open_: bool = False) -> Any:
        async def handle(request: web.Request) -> web.Response:
            try:
                if not open_ and not self._is_authorized(request):
                    return _denied()
                response: web.Response = await handler(request)
            except Answer as answer:
                return answer.response()
            return response

        return handle

    async def _token(self, request: web.Request) -> web.Response:
        fields = await form(request)
        account = self.around.account
        known = (fields.get("client_id"), fields.get("client_secret"))
        if fields.get("grant_type") != "client_credentials":
            return _invalid("unsupported_grant_type", "grant_type must be client_credentials", 400)
        if not _equal(known, (account["client_id"], account["client_secret"])):
            return _invalid("invalid_client", "Invalid client or Invalid client credentials", 401)
        token = secrets.token_urlsafe(32)
        expires = self.around.clock.now() + timedelta(seconds=TOKEN_S)
        self.around.tokens[token] = (str(account["client_id"]), expires)
        return web.json_response(
            {
                "access_token": token,
                "expires_in": int(TOKEN_S),
                "token_type": "Bearer",
                "scope": "email profile",
            }
        )

    def _is_authorized(self, request: web.Request) -> bool:
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            client, expires = self.around.tokens.get(value.strip(), ("", self.around.clock.now()))
            mine = client == str(self.around.account["client_id"])
            return mine and expires > self.around.clock.now()
        if scheme.lower() == "basic":
            # A deviation: stock clients of the older platform send it.
            try:
                user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                return False
            account = self.around.account
            return _equal((user, password), (account["client_id"], account["client_secret"]))
        return False

    async def _new_secret(self, request: web.Request) -> web.Response:
        if request.method == "POST":
            id_ = "whs_" + secrets.token_hex(12)
            self._secrets = {id_: secrets.token_hex(24)}
            self.around.changed()
            return web.json_response({"id": id_, "secret": self._secrets[id_]}, status=201)
        if request.method == "GET":
            return web.json_response({"secrets": [{"id": id_} for id_ in self._secrets]})
        raise Answer(405, 20004, "Method not allowed")

    # ---- records --------------------------------------------------------------------------

    def live(self) -> list[Record]:
        """Return the records that are still kept, newest first."""
        limit = self.around.clock.now() - KEPT
        self.records = {key: one for key, one in self.records.items() if one.created > limit}
        return sorted(self.records.values(), key=lambda one: one.created, reverse=True)

    def put(self, record: Record) -> Record:
        """Keep a record."""
        self.records[record.sid] = record
        self.around.changed()
        return record

    def move(self, key: str, status: str, **extra: Any) -> Record | None:
        """Change a record's status; None where it is gone, or has it already."""
        record = self.records.get(key)
        if record is None or record.status == status:
            return None
        return self.put(
            replace(
                record,
                status=status,
                updated=self.around.clock.now(),
                extra={**record.extra, **extra},
            )
        )

    def sid_of(self, sim: str) -> str:
        """Return the SID of a SIM by its name in the world."""
        found = next(one for one in self.around.sims if one.name == sim)
        return str(self.known(found)["sid"])

    def named(self, text: str) -> str:
        """Return the name in the world of the SIM with this SID or unique name; 404 for none."""
        for key in ("sid", "unique_name"):
            found = self.find(key, text)
            if found is not None:
                return found.name
        raise Answer(404, self.not_found, f"The requested resource /Sims/{text} was not found")

    def common(self, record: Record) -> dict[str, Any]:
        """Return the fields that both resources have."""
        return {
            "sid": record.sid,
            "account_sid": self.around.account["account_sid"],
            "sim_sid": self.sid_of(record.sim),
            "status": record.status,
            "direction": record.direction,
            "date_created": seconds(record.created),
            "date_updated": seconds(record.updated),
            "url": f"{self.around.base_url()}{self.path}/{record.sid}",
        }

    @abstractmethod
    def resource(self, record: Record) -> dict[str, Any]:
        """Render a record as the API does."""

    def fetch(self, request: web.Request) -> Record:
        """Return the record that a path names; 404 for none."""
        key = request.match_info["sid"]
        self.live()
        found = self.records.get(key)
        if found is None:
            raise Answer(404, 20404, f"The requested resource {self.path}/{key} was not found")
        return found

    def listing(
        self, request: web.Request, found: list[Record], *, code: int, most: int = 1000
    ) -> web.Response:
        """Render one page of a list. code: of an error in the paging."""
        size = _number(request, "PageSize", PAGE_SIZE, 1, most, code)
        page = _number(request, "Page", 0, 0, 10**6, code)
        keep = {k: v for k, v in request.query.items() if k not in ("Page", "PageToken")}

        def url(number: int) -> str:
            query = urlencode({**keep, "PageSize": size, "Page": number, "PageToken": f"P{number}"})
            return f"{self.around.base_url()}{self.path}?{query}"

        rows = found[page * size : (page + 1) * size]
        meta = {
            "first_page_url": url(0),
            "key": self.list_key,
            "next_page_url": url(page + 1) if (page + 1) * size < len(found) else None,
            "page": page,
            "page_size": size,
            "previous_page_url": url(page - 1) if page else None,
            "url": url(page),
        }
        body = {self.list_key: [self.resource(one) for one in rows], "meta": meta}
        return web.json_response(body)

    # ---- callbacks ------------------------------------------------------------------------

    def tell(self, record: Record, url: str, method: str, fields: Mapping[str, str]) -> None:
        """Call a customer's URL with form fields (POST) or a query (GET), signed."""
        if not url:
            return
        token = secrets.token_hex(16)
        clock = self.around.clock

        def build(target: str) -> tuple[str, str, Mapping[str, str], bytes]:
            encoded = urlencode(fields)
            body = encoded if method == "POST" else ""
            if method == "GET":
                parts = urlsplit(target)
                query = f"{parts.query}&{encoded}" if parts.query else encoded
                target = urlunsplit(parts._replace(query=query, fragment=""))
            secret = next(iter(self._secrets.values()), None)
            signed = signature(secret, method, target, body) if secret else ""
            headers = {
                "kore-signature": signed,
                "kore-idempotency-token": token,
                "date": format_datetime(clock.now(), usegmt=True),
                "user-agent": "KoreProxy/1.1",
            }
            if method == "POST":
                headers["content-type"] = "application/x-www-form-urlencoded"
            return method, target, headers, body.encode()

        self.around.caller.call(
            Call(self.name, record.sim, [url], build, waits_s=(0.0,), again_on=AGAIN_ON)
        )

    # ---- state ----------------------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """Return records and secrets."""
        rows = []
        for record in self.records.values():
            values = asdict(record)
            values["created"] = record.created.isoformat()
            values["updated"] = record.updated.isoformat()
            rows.append(values)
        return {"records": rows, "secrets": self._secrets}

    def load(self, state: Mapping[str, Any]) -> None:
        """Take them back."""
        self._secrets = dict(state["secrets"])
        for row in state["records"]:
            times = {key: datetime.fromisoformat(row[key]) for key in ("created", "updated")}
            record = Record(**{**row, **times})
            self.records[record.sid] = record

    def messages(self) -> list[dict[str, Any]]:
        """Return the records for people."""
        return [
            {
                "id": one.sid,
                "sim": one.sim,
                "direction": one.direction,
                "text": one.body,
                "status": one.status,
                "at": one.created,
            }
            for one in self.live()
        ]


def _denied() -> web.Response:
    body = {"message": _DENIED, "error": "Invalid or expired token"}
    return web.json_response(body, status=403)


def _invalid(error: str, description: str, status: int) -> web.Response:
    body = {"error": error, "error_description": description}
    return web.json_response(body, status=status)


def _equal(given: Iterable[str | None], wanted: Iterable[str]) -> bool:
    pairs = zip(given, wanted, strict=True)
    return all(secrets.compare_digest((one or "").encode(), two.encode()) for one, two in pairs)


def _number(request: web.Request, name: str, default: int, low: int, high: int, code: int) -> int:
    text = request.query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and low <= int(text[:9]) <= high):
        raise Answer(400, code, f"{name} must be a whole number from {low} to {high}")
    return int(text)
