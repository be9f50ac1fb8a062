"""Super SIM: SMS Commands (`/v1/SmsCommands`)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from aiohttp import web

from agent.simulator.centre import Delivery, MobileOriginated
from agent.simulator.platforms.kore import Answer, KorePlatform, Record, form, sid
from agent.simulator.world import Sim
from at import sms

__all__ = ["SuperSim"]

SENDER: Final = "000"
PAYLOAD_MAX: Final = 160  # characters, one octet or septet each
RETRIED_S: Final = 24 * 3600.0
_FIELDS: Final = frozenset({"Sim", "Payload", "CallbackUrl", "CallbackMethod"})
_FILTERS: Final = frozenset({"Sim", "Status", "Direction", "PageSize", "Page", "PageToken"})
_INVALID: Final = 83600
_STATUSES: Final = ("queued", "sent", "delivered", "received", "failed")


class SuperSim(KorePlatform):
    """SMS Commands: text only, 160 characters, retried for 24 hours."""

    name = "super-sim"
    list_key = "sms_commands"
    path = "/v1/SmsCommands"
    not_found = 83005

    def resource_routes(self) -> Iterable[web.AbstractRouteDef]:
        """Return the routes of SMS Commands."""
        return [
            web.post(self.path, self._told(self._create)),
            web.get(self.path, self._told(self._list)),
            web.get(self.path + "/{sid}", self._told(self._fetch)),
        ]

    def resource(self, record: Record) -> dict[str, Any]:
        """Render an SMS Command."""
        return {**self.common(record), "payload": record.body}

    async def _create(self, request: web.Request) -> web.Response:
        fields = await form(request)
        unknown = sorted(set(fields) - _FIELDS)
        if unknown:
            raise Answer(400, 20001, f"{unknown[0]} is unknown")
        for name in ("Sim", "Payload"):
            if not fields.get(name):
                raise Answer(400, 20002, f"{name} is required")
        payload = fields["Payload"]
        if len(payload) > PAYLOAD_MAX:
            raise Answer(400, _INVALID, f"Payload must be at most {PAYLOAD_MAX} characters")
        method = fields.get("CallbackMethod", "POST").upper()
        if method not in ("GET", "POST"):
            raise Answer(400, _INVALID, "CallbackMethod must be GET or POST")
        sim = next(one for one in self.around.sims if one.name == self.named(fields["Sim"]))
        try:
            bodies = sms.segment(payload, reference=0, max_segments=1)
        except sms.EncodeError as error:
            raise Answer(400, _INVALID, f"Payload cannot be sent in one SMS: {error}") from None
        now = self.around.clock.now()
        record = self.put(
            Record(
                sid("HC"),
                sim.name,
                payload,
                "queued",
                "to_sim",
                now,
                now,
                fields.get("CallbackUrl", ""),
                method,
            )
        )
        response = web.json_response(self.resource(record), status=201)
        self._announce(record)
        self.around.centre.submit(
            sim,
            SENDER,
            bodies,
            owner=self,
            key=record.sid,
            validity_s=RETRIED_S,
        )
        return response

    async def _list(self, request: web.Request) -> web.Response:
        query = request.query
        unknown = sorted(set(query) - _FILTERS)
        if unknown:
            raise Answer(400, 20001, f"{unknown[0]} is unknown")
        if query.get("Status", _STATUSES[0]) not in _STATUSES:
            raise Answer(400, _INVALID, f"Status must be one of {', '.join(_STATUSES)}")
        if query.get("Direction", "to_sim") not in ("to_sim", "from_sim"):
            raise Answer(400, _INVALID, "Direction must be to_sim or from_sim")
        found = self.live()
        if "Sim" in query:
            sim = self.named(query["Sim"])
            found = [one for one in found if one.sim == sim]
        found = [one for one in found if query.get("Status", one.status) == one.status]
        found = [one for one in found if query.get("Direction", one.direction) == one.direction]
        return self.listing(request, found, code=_INVALID)

    async def _fetch(self, request: web.Request) -> web.Response:
        return web.json_response(self.resource(self.fetch(request)))

    def delivery_changed(self, key: str, delivery: Delivery) -> None:
        """Follow the message centre: sent at the first attempt, delivered on confirmation.

        Without a confirmation it stays sent, also when the 24 hours are over.
        """
        if delivery.attempts:
            self._announce(self.move(key, "sent"))
        if delivery.state == "delivered":
            self._announce(self.move(key, "delivered"))
        elif delivery.state == "refused":
            told = {"error_code": 30008, "error_message": delivery.history[-1][1]}
            self._announce(self.move(key, "failed", **told))

    def claims(self, sim: Sim, destination: str) -> bool:
        """Whether it reaches this platform: 000 does; today any number of a SIM of its own does."""
        return bool(self.known(sim)) and (destination == SENDER or len(sim.known) == 1)

    def received(self, message: MobileOriginated) -> None:
        """Show an SMS from a device, and call the fleet's URL."""
        now = self.around.clock.now()
        text = message.text if message.text is not None else message.user_data.octets.hex()
        known = self.known(message.sim)
        record = self.put(
            Record(
                sid("HC"),
                message.sim.name,
                text,
                "received",
                "from_sim",
                now,
                now,
                str(known.get("callback_url", "")),
                str(known.get("callback_method", "POST")),
            )
        )
        self._announce(record)

    def _announce(self, record: Record | None) -> None:
        """Call back about a change; None: nothing changed."""
        if record is None:
            return
        sim = next(one for one in self.around.sims if one.name == record.sim)
        fields = {
            "AccountSid": str(self.around.account["account_sid"]),
            "CommandSid": record.sid,
            "SimSid": self.sid_of(record.sim),
            "SimUniqueName": str(self.known(sim).get("unique_name", "")),
            "Payload": record.body,
            "PayloadType": "text",
            "Direction": record.direction,
            "Status": record.status,
        }
        if record.status == "failed":
            fields |= {
                "ErrorCode": str(record.extra.get("error_code", "")),
                "ErrorMessage": str(record.extra.get("error_message", "")),
            }
        self.tell(record, record.callback_url, record.callback_method, fields)
