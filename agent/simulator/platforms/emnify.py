"""emnify: the endpoint SMS API (`/api/v1/endpoint/{id}/sms`)."""

from __future__ import annotations

import json
import secrets
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from aiohttp import web

from agent.simulator.callbacks import Call
from agent.simulator.centre import Delivery, MobileOriginated
from agent.simulator.platform import Platform, Surroundings
from agent.simulator.platforms import emnify_fields as fields
from agent.simulator.platforms import emnify_records as records
from agent.simulator.world import Sim
from at import sms

__all__ = ["Emnify"]

TOKEN_S: Final = 4 * 3600.0
PAYLOAD_MAX: Final = 160  # characters in one call; the caller splits
DIGITS_MAX: Final = 7  # of a number that a device may send to
MO_PER_MINUTE: Final = 6
REQUESTS, AUTHENTICATIONS, WITHIN_S = 2000, 100, 300.0  # per address
_FIRST_ID: Final = 300_000_001
_KEYS: Final = frozenset(
    {
        "payload",
        "source_address",
        "source_address_type",
        "dest_address",
        "udh",
        "dcs",
        "expiry_date",
    }
)


class Emnify(Platform):
    """The caller splits long texts with `udh`; from the device each part is one callback.

    A SIM's `callback_url` is that of its service profile; the account's `api_secret`, where there
    is one, signs the callbacks' bearer token (HS256: a guess).
    """

    name: ClassVar[str] = "emnify"

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around)
        self._tokens: dict[str, datetime] = {}
        self._messages: dict[int, records.Sms] = {}
        self._calls: dict[tuple[str, bool], deque[float]] = {}
        self._sent: dict[str, deque[float]] = {}

    # ---- HTTP -----------------------------------------------------------------------------

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """Return the routes below the prefix."""
        one = "/api/v1/endpoint/{endpoint}/sms/{sms}"
        return [
            *self.root_routes(),
            web.get("/api/v1/endpoint", self._told(self._endpoints)),
            web.get("/api/v1/endpoint/{endpoint}", self._told(self._endpoint)),
            web.post("/api/v1/endpoint/{endpoint}/sms", self._told(self._send)),
            web.get("/api/v1/endpoint/{endpoint}/sms", self._told(self._list)),
            web.get(one, self._told(self._fetch)),
            web.delete(one, self._told(self._cancel)),
        ]

    def root_routes(self) -> Iterable[web.AbstractRouteDef]:
        """Return the token endpoint, where clients find it that changed only the host."""
        return [web.post("/api/v1/authenticate", self._told(self._authenticate, open_=True))]

    def error(self, status: int, text: str) -> web.Response:
        """Render what HTTP itself refuses."""
        code = {404: 1201, 429: 1105}.get(status, 1000)
        body = {"error_code": code, "error_token": fields.ERRORS[code][1], "message": text}
        return web.json_response(body, status=status)

    def _told(self, handler: Any, *, open_: bool = False) -> Any:
        async def handle(request: web.Request) -> web.Response:
            try:
                self._check_rate(request.remote or "", authentication=open_)
                if not open_:
                    self._check_token(request)
                response: web.Response = await handler(request)
            except fields.Refused as refused:
                status, token = fields.ERRORS[refused.code]
                if open_ and status == 401:
                    return web.json_response({"message": str(refused)}, status=401)
                body = {"error_code": refused.code, "error_token": token, "message": str(refused)}
                return web.json_response(body, status=status)
            return response

        return handle

    def _check_rate(self, address: str, *, authentication: bool) -> None:
        limit = AUTHENTICATIONS if authentication else REQUESTS
        calls = self._calls.setdefault((address, authentication), deque())
        if not _may(calls, self.around.clock.elapsed_s(), limit, WITHIN_S):
            raise fields.Refused(1105, "too many requests")

    async def _authenticate(self, request: web.Request) -> web.Response:
        body = await fields.json_body(request)
        given = body.get("application_token")
        wanted = str(self.around.account["application_token"])
        if not isinstance(given, str) or not secrets.compare_digest(
            given.encode("utf-8", "surrogatepass"), wanted.encode()
        ):
            raise fields.Refused(1101, "application token is not valid")
        token = secrets.token_urlsafe(32)
        self._tokens[token] = self.around.clock.now() + timedelta(seconds=TOKEN_S)
        return web.json_response({"auth_token": token})

    def _check_token(self, request: web.Request) -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        expires = self._tokens.get(token.strip())
        if scheme.lower() != "bearer" or not token:
            raise fields.Refused(1101, "Authorization: Bearer is required")
        if expires is None or expires <= self.around.clock.now():
            raise fields.Refused(1103, "the token is not valid, or has expired")

    async def _endpoints(self, request: web.Request) -> web.Response:
        query = request.query
        page, size = fields.number(query, "page", 1), fields.number(query, "per_page", 20)
        sims = list(self.around.sims)
        if query.get("q"):
            # "name:gateway-17,status:0": fields joined by commas, all of which must agree.
            for term in query["q"].split(","):
                key, _, value = term.partition(":")
                shown = [(sim, str(self._shown(sim).get(key, ""))) for sim in sims]
                sims = [sim for sim, text in shown if text == value]
        key = query.get("sort", "id")
        sims.sort(key=lambda sim: str(self._shown(sim).get(key.lstrip("-"), "")))
        if key.startswith("-"):
            sims.reverse()
        pages = max(1, -(-len(sims) // size))
        url = f"{self.around.base_url()}/api/v1/endpoint?per_page={size}&page="
        links = [f'<{url}1>; rel="first"', f'<{url}{pages}>; rel="last"']
        if page < pages:
            links.append(f'<{url}{page + 1}>; rel="next"')
        if page > 1:
            links.append(f'<{url}{page - 1}>; rel="prev"')
        headers = {
            "Link": ", ".join(links),
            "X-Count-Per-Page": str(size),
            "X-Current-Page": str(page),
            "X-Total-Count": str(len(sims)),
            "X-Total-Pages": str(pages),
        }
        rows = [self._shown(sim) for sim in sims[(page - 1) * size : page * size]]
        return web.json_response(rows, headers=headers)

    async def _endpoint(self, request: web.Request) -> web.Response:
        return web.json_response(self._shown(self._sim_of(request)))

    def _shown(self, sim: Sim) -> dict[str, Any]:
        known = self.known(sim)
        return {
            "id": int(known["endpoint_id"]),
            "name": str(known["unique_name"]),
            "status": {"id": 0, "description": "Enabled"},
            "imei": str(known.get("imei", "")),
            "sim": {"iccid": str(known["iccid"]), "msisdn": str(known["msisdn"])},
        }

    async def _send(self, request: web.Request) -> web.Response:
        sim = self._sim_of(request)
        body = await fields.json_body(request)
        unknown = sorted(set(body) - _KEYS)
        if unknown:
            raise fields.Refused(1400, f"{unknown[0]} is unknown")
        payload = body.get("payload")
        if not isinstance(payload, str) or not payload:
            raise fields.Refused(1400, "payload is required")
        if len(payload) > PAYLOAD_MAX:
            raise fields.Refused(1400, f"payload must be at most {PAYLOAD_MAX} characters")
        source, source_type = fields.source_address(body)
        udh = fields.udh(body)
        try:
            bodies = sms.segment(payload, max_segments=1, udh=udh)
            sms.Address.parse(source or "0")
        except sms.EncodeError as error:
            raise fields.Refused(1400, f"payload cannot be sent: {error}") from None
        now = self.around.clock.now()
        expires = fields.expiry(body, now)
        one = records.Sms(
            _FIRST_ID + len(self._messages),
            sim.name,
            True,
            payload,
            source,
            source_type,
            str(body.get("dest_address", self.known(sim)["msisdn"])),
            now,
            records.PENDING,
            expires,
            dcs=int(body.get("dcs", 0)),
            udh=str(body.get("udh", "")),
        )
        self._put(one)
        validity_s = (expires - now).total_seconds()
        self.around.centre.submit(
            sim,
            source or "0",
            bodies,
            owner=self,
            key=str(one.id),
            validity_s=validity_s,
        )
        known = self.known(sim)["endpoint_id"]
        location = f"{self.around.base_url()}/api/v1/endpoint/{known}/sms/{one.id}"
        return web.Response(status=201, headers={"Location": location})

    async def _list(self, request: web.Request) -> web.Response:
        sim = self._sim_of(request)
        found = [one for one in self._messages.values() if one.sim == sim.name]
        found.sort(key=lambda one: one.id, reverse=True)
        page, size = (
            fields.number(request.query, "page", 1),
            fields.number(request.query, "per_page", 1000),
        )
        rows = found[(page - 1) * size : page * size]
        return web.json_response([self._object(one) for one in rows])

    async def _fetch(self, request: web.Request) -> web.Response:
        return web.json_response(self._object(self._one(request)))

    async def _cancel(self, request: web.Request) -> web.Response:
        one = self._one(request)
        delivery = self.around.centre.find(self, str(one.id))
        if delivery is None or not self.around.centre.cancel(delivery):
            raise fields.Refused(1405, "only a buffered SMS can be cancelled")
        return web.Response(status=200)

    def _sim_of(self, request: web.Request) -> Sim:
        sim = self.find("endpoint_id", request.match_info["endpoint"])
        if sim is None:
            raise fields.Refused(1201, "no such endpoint")
        return sim

    def _one(self, request: web.Request) -> records.Sms:
        sim = self._sim_of(request)
        text = request.match_info["sms"]
        known = text.isascii() and text.isdecimal() and len(text) < 19
        one = self._messages.get(int(text)) if known else None
        if one is None or one.sim != sim.name:
            raise fields.Refused(1201, "no such SMS")
        return one

    def _object(self, one: records.Sms) -> dict[str, Any]:
        return records.rendered(
            one, self.known(next(s for s in self.around.sims if s.name == one.sim))
        )

    # ---- messages -------------------------------------------------------------------------

    def _put(self, one: records.Sms) -> None:
        self._messages[one.id] = one
        self.around.changed()

    def delivery_changed(self, key: str, delivery: Delivery) -> None:
        """Follow the message centre; each end is told by a receipt."""
        id_ = int(key)
        now = self.around.clock.now()
        final = {
            "delivered": records.DELIVERED,
            "expired": records.EXPIRED,
            "cancelled": records.CANCELED,
        }
        if delivery.ended:
            status = final.get(delivery.state, records.FAILED)
            one = replace(self._messages[id_], status=status, final=now)
            self._put(one)
            self._receipt(one)
        elif delivery.attempts:
            self._put(replace(self._messages[id_], status=records.BUFFERED))

    def claims(self, sim: Sim, destination: str) -> bool:
        """Whether it is an MO message: those to a number of at most seven digits are."""
        return bool(self.known(sim)) and destination.isdecimal() and len(destination) <= DIGITS_MAX

    def received(self, message: MobileOriginated) -> None:
        """Show an SMS, or one part of one, from a device, and call the service profile's URL.

        More than six in a minute are not taken.
        """
        sent = self._sent.setdefault(message.sim.name, deque())
        if not _may(sent, self.around.clock.elapsed_s(), MO_PER_MINUTE, 60.0):
            return
        now = self.around.clock.now()
        known = self.known(message.sim)
        user_data = message.user_data
        payload = message.text if message.text is not None else user_data.octets.hex()
        one = records.Sms(
            _FIRST_ID + len(self._messages),
            message.sim.name,
            False,
            payload,
            str(known["msisdn"]),
            fields.INTERNATIONAL,
            message.destination,
            now,
            records.DELIVERED,
            now,
            final=now,
        )
        self._put(one)
        self._call(
            one, "POST", records.callback(one, known, self._organisation(), user_data.concat)
        )

    def _receipt(self, one: records.Sms) -> None:
        known = self.known(next(sim for sim in self.around.sims if sim.name == one.sim))
        self._call(one, "PATCH", records.receipt(one, known, self._organisation()))

    def _organisation(self) -> int:
        return int(self.around.account.get("organisation_id", 1))

    def _call(self, one: records.Sms, method: str, body: Mapping[str, Any]) -> None:
        known = self.known(next(sim for sim in self.around.sims if sim.name == one.sim))
        url = known.get("callback_url")
        if not url:
            return
        encoded = json.dumps(body).encode()
        secret = self.around.account.get("api_secret")
        clock = self.around.clock

        def build(target: str) -> tuple[str, str, Mapping[str, str], bytes]:
            headers = {"content-type": "application/json"}
            if secret:
                issued = int(clock.now().timestamp())
                headers["Authorization"] = f"Bearer {fields.jwt(str(secret), issued)}"
            return method, target, headers, encoded

        again = frozenset(range(500, 600))
        self.around.caller.call(
            Call(self.name, one.sim, [str(url)], build, waits_s=(5.0, 30.0), again_on=again)
        )

    def dump(self) -> dict[str, Any]:
        """Return the messages."""
        rows = []
        for one in self._messages.values():
            row = asdict(one)
            for key in ("submitted", "expires", "final"):
                row[key] = row[key].isoformat() if row[key] else None
            rows.append(row)
        return {"messages": rows}

    def load(self, state: Mapping[str, Any]) -> None:
        """Take them back."""
        for row in state["messages"]:
            times = {
                key: datetime.fromisoformat(row[key]) if row[key] else None
                for key in ("submitted", "expires", "final")
            }
            one = records.Sms(**{**row, **times})
            self._messages[one.id] = one

    def messages(self) -> list[dict[str, Any]]:
        """Return the messages for people."""
        return [
            {
                "id": str(one.id),
                "sim": one.sim,
                "direction": "to_sim" if one.outward else "from_sim",
                "text": one.payload,
                "status": records.STATUSES[one.status],
                "at": one.submitted,
            }
            for one in sorted(self._messages.values(), key=lambda one: one.id, reverse=True)
        ]


def _may(calls: deque[float], now_s: float, limit: int, within_s: float) -> bool:
    """Whether one more is within the limit; it counts then."""
    while calls and calls[0] <= now_s - within_s:
        calls.popleft()
    if len(calls) >= limit:
        return False
    calls.append(now_s)
    return True
