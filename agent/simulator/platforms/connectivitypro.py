"""ConnectivityPRO: the SMS API (`/sms/v1/…`), subscriptions, webhooks."""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from aiohttp import web

from agent.simulator.callbacks import Call
from agent.simulator.centre import Delivery, MobileOriginated
from agent.simulator.platform import Platform, Surroundings
from agent.simulator.platforms import connectivitypro_records as records
from agent.simulator.world import Sim
from at import sms

__all__ = ["ConnectivityPro"]

TOKEN_S: Final = 10 * 3600.0
RETRIED_S: Final = 48 * 3600.0
PARTS_MAX: Final = 10  # a guess: the document names no end
_SEND_KEYS: Final = frozenset(
    {"from", "subscription-id", "iccid", "msisdn", "message", "message-type"}
)
_WHO: Final = ("subscription-id", "iccid", "msisdn")
_STATES: Final = frozenset({"Queued", "Success", "Failed"})  # those that a webhook tells


class ConnectivityPro(Platform):
    """GSM 03.38 basic characters only; longer texts are concatenated by the platform.

    The account's `webhook_url` is called for every message; a SIM's own `callback_url` goes before.
    """

    name: ClassVar[str] = "connectivitypro"

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around)
        self._tokens: dict[str, datetime] = {}
        self._messages: dict[str, records.Message] = {}
        self._alerts = 6_683_000

    # ---- HTTP -----------------------------------------------------------------------------

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """Return the routes below the prefix."""
        lists = [
            web.get(path, self._told(self._list))
            for path in ("/sms/v1/messages", "/sms/v1/sms/messages")
        ]
        return [
            *self.root_routes(),
            web.post("/sms/v1/messages/send", self._told(self._send)),
            *lists,
            web.get(
                "/connectivity/v1/accounts/{account}/subscriptions", self._told(self._subscriptions)
            ),
        ]

    def root_routes(self) -> Iterable[web.AbstractRouteDef]:
        """Return the token endpoint, where clients find it that changed only the host."""
        return [web.post("/Api/api/token", self._token)]

    def error(self, status: int, text: str) -> web.Response:
        """Render {message, code, status}."""
        body = {"message": text, "code": status, "status": records.reason(status)}
        return web.json_response(body, status=status)

    def _told(self, handler: Any) -> Any:
        async def handle(request: web.Request) -> web.Response:
            try:
                self._check_caller(request)
                response: web.Response = await handler(request)
            except records.Refused as refused:
                return self.error(refused.code, str(refused))
            return response

        return handle

    async def _token(self, request: web.Request) -> web.Response:
        if request.content_type != "application/x-www-form-urlencoded":
            return self.error(415, "Content-Type must be application/x-www-form-urlencoded")
        fields = await request.post()
        account = self.around.account
        if fields.get("grant_type") != "client_credentials":
            return web.json_response({"error": "unsupported_grant_type"}, status=400)
        for name in ("client_id", "client_secret"):
            given = fields.get(name, "")
            if not isinstance(given, str) or not secrets.compare_digest(
                given.encode(), str(account[name]).encode()
            ):
                return web.json_response({"error": "invalid_client"}, status=401)
        token = secrets.token_urlsafe(32)
        self._tokens[token] = self.around.clock.now() + timedelta(seconds=TOKEN_S)
        return web.json_response(
            {"access_token": token, "token_type": "Bearer", "expires_in": int(TOKEN_S)}
        )

    def _check_caller(self, request: web.Request) -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        expires = self._tokens.get(token.strip())
        if scheme.lower() != "bearer" or expires is None or expires <= self.around.clock.now():
            raise records.Refused(401, "Unauthorized")
        key = request.headers.get("x-api-key", "")
        if not secrets.compare_digest(key.encode(), str(self.around.account["api_key"]).encode()):
            raise records.Refused(403, "x-api-key is missing or not valid")
        account = request.match_info.get("account") or request.query.get("account-id")
        if account is None:
            raise records.Refused(400, "account-id is required")
        if account != str(self.around.account["account_id"]):
            raise records.Refused(403, f"account {account} is not accessible with these keys")

    async def _send(self, request: web.Request) -> web.Response:
        if request.content_type != "application/json":
            raise records.Refused(400, "Content-Type must be application/json")
        try:
            body = json.loads(await request.read())
        except (ValueError, RecursionError):
            raise records.Refused(400, "the body is not JSON") from None
        if not isinstance(body, dict):
            raise records.Refused(400, "the body must be a JSON object")
        sim, originator, text = self._checked(body)
        try:
            bodies = sms.segment(
                text, reference=secrets.randbelow(256), max_segments=PARTS_MAX, alphabet="gsm7"
            )
        except sms.EncodeError as error:
            raise records.Refused(422, f"message cannot be sent: {error}") from None
        message = records.Message(
            str(uuid.uuid4()),
            sim.name,
            "MT",
            originator,
            str(self.known(sim)["msisdn"]),
            text,
            "Accepted",
            self.around.clock.now(),
        )
        self._put(message)
        self.around.centre.submit(
            sim,
            originator,
            bodies,
            owner=self,
            key=message.mid,
            validity_s=RETRIED_S,
        )
        self._move(message.mid, "Queued")
        told = {"code": 200, "status": "OK", "message": "Request accepted successfully"}
        return web.json_response({**told, "mid": message.mid})

    def _checked(self, body: Mapping[str, Any]) -> tuple[Sim, str, str]:
        unknown = sorted(set(body) - _SEND_KEYS)
        if unknown:
            raise records.Refused(400, f"{unknown[0]} is unknown")
        for name, value in body.items():
            if not isinstance(value, str):
                raise records.Refused(400, f"{name} must be a string")
        if body.get("message-type", "TEXT") != "TEXT":
            raise records.Refused(400, "message-type must be TEXT")
        named = [name for name in _WHO if body.get(name)]
        if len(named) != 1:
            raise records.Refused(400, f"exactly one of {', '.join(_WHO)} is required")
        text = body.get("message", "")
        if not text:
            raise records.Refused(400, "message is required")
        if not sms.gsm7.is_basic(text):
            raise records.Refused(422, "message has characters outside the GSM 03.38 basic set")
        sim = self.find(named[0].replace("-", "_"), body[named[0]])
        if sim is None:
            raise records.Refused(404, f"no subscription with this {named[0]}")
        originator = body.get("from") or self._short_code(sim)
        if len(originator) > 11 and not originator.removeprefix("+").isdecimal():
            raise records.Refused(400, "from must be a number or at most 11 characters")
        return sim, originator, text

    async def _list(self, request: web.Request) -> web.Response:
        query = request.query
        index = records.number(query, "page-index", 1, 1)
        size = records.number(query, "max-page-item", 10, 1)
        found = sorted(self._messages.values(), key=lambda one: one.created)
        if query.get("sort-order", "desc") == "desc":
            found.reverse()
        elif query["sort-order"] != "asc":
            raise records.Refused(400, "sort-order must be asc or desc")
        for key in ("msisdn", "iccid"):
            if key in query:
                sim = self.find(key, query[key])
                found = [one for one in found if sim is not None and one.sim == sim.name]
        if "mid" in query:
            found = [one for one in found if one.mid == query["mid"]]
        if "direction" in query:
            wanted = {"to_sim": "MT", "from_sim": "MO"}.get(query["direction"])
            if wanted is None:
                raise records.Refused(400, "direction must be to_sim or from_sim")
            found = [one for one in found if one.action == wanted]
        first, last = records.date(query, "from-date"), records.date(query, "to-date")
        found = [
            one
            for one in found
            if (first is None or one.created.date() >= first.date())
            and (last is None or one.created.date() <= last.date())
        ]
        rows = found[(index - 1) * size : index * size]
        page = {"total-count": len(found), "page-index": index, "max-page-item": size}
        items = [self._item(one) for one in rows]
        return web.json_response({"page-info-result": page, "messages": items})

    def _item(self, one: records.Message) -> dict[str, Any]:
        account, sim = str(self.around.account["account_id"]), self._sim(one.sim)
        return records.item(one, self.known(sim), account, self._short_code(sim))

    async def _subscriptions(self, request: web.Request) -> web.Response:
        query = request.query
        index = records.number(query, "page-index", 0, 0)
        size = records.number(query, "max-page-item", 10, 1)
        sims = list(self.around.sims)
        if "iccid" in query:
            found = self.find("iccid", query["iccid"])
            sims = [found] if found is not None else []
        rows = sims[index * size : (index + 1) * size]
        page = {"total-count": len(sims), "page-index": index, "max-page-item": size}
        told = [records.subscription(self.known(sim)) for sim in rows]
        return web.json_response({"page-info-result": page, "subscriptions": told})

    # ---- messages -------------------------------------------------------------------------

    def _put(self, message: records.Message) -> None:
        self._messages[message.mid] = message
        self.around.changed()

    def _move(self, mid: str, status: str) -> None:
        message = self._messages.get(mid)
        if message is None or message.status == status:
            return
        message = replace(message, status=status)
        self._put(message)
        if status in _STATES:
            self._alert(message)

    def delivery_changed(self, key: str, delivery: Delivery) -> None:
        """Follow the message centre."""
        if delivery.state == "delivered":
            self._move(key, "Success")
        elif delivery.state in ("expired", "refused"):
            self._move(key, "Failed")

    def claims(self, sim: Sim, destination: str) -> bool:
        """Whether it is an MO message of the API: those to the SIM's own short code are."""
        return bool(self.known(sim)) and destination == self._short_code(sim)

    def received(self, message: MobileOriginated) -> None:
        """Show an SMS from a device (each part of a longer one by itself), and call the webhook."""
        text = message.text if message.text is not None else message.user_data.octets.hex()
        known = self.known(message.sim)
        one = records.Message(
            str(uuid.uuid4()),
            message.sim.name,
            "MO",
            str(known["msisdn"]),
            message.destination,
            text,
            "Success",
            self.around.clock.now(),
        )
        self._put(one)
        self._alert(one)

    def _alert(self, one: records.Message) -> None:
        url = self._known(one.sim).get("callback_url") or self.around.account.get("webhook_url")
        if not url:
            return
        now = self.around.clock.now()
        self._alerts += 1
        body = records.alert(one, str(self.around.account["account_id"]), self._alerts, now)
        encoded = json.dumps(body).encode()

        def build(target: str) -> tuple[str, str, Mapping[str, str], bytes]:
            return "POST", target, {"content-type": "application/json"}, encoded

        # How often it tries is not documented: once more is a guess.
        again = frozenset(range(500, 600))
        self.around.caller.call(
            Call(self.name, one.sim, [str(url)], build, waits_s=(5.0,), again_on=again)
        )

    def _sim(self, name: str) -> Sim:
        return next(one for one in self.around.sims if one.name == name)

    def _known(self, name: str) -> Mapping[str, Any]:
        return self.known(self._sim(name))

    def _short_code(self, sim: Sim) -> str:
        known = self.known(sim)
        return str(known.get("short_code") or records.SHORT_CODES[str(known["service_type"])])

    def dump(self) -> dict[str, Any]:
        """Return the messages."""
        rows = [
            {**asdict(one), "created": one.created.isoformat()} for one in self._messages.values()
        ]
        return {"messages": rows}

    def load(self, state: Mapping[str, Any]) -> None:
        """Take them back."""
        for row in state["messages"]:
            one = records.Message(**{**row, "created": datetime.fromisoformat(row["created"])})
            self._messages[one.mid] = one

    def messages(self) -> list[dict[str, Any]]:
        """Return the messages for people."""
        return [
            {
                "id": one.mid,
                "sim": one.sim,
                "direction": "to_sim" if one.action == "MT" else "from_sim",
                "text": one.text,
                "status": one.status,
                "at": one.created,
            }
            for one in sorted(self._messages.values(), key=lambda one: one.created, reverse=True)
        ]
