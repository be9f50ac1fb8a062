"""Programmable Wireless: Commands (`/v1/Commands`)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Any, Final

from aiohttp import web

from agent.simulator.centre import Delivery, MobileOriginated
from agent.simulator.platforms.kore import Answer, KorePlatform, Record, form, sid
from agent.simulator.world import Sim
from at import sms

__all__ = ["ProgrammableWireless"]

SENDER: Final = "2936"
TEXT_MAX: Final = 160  # single-byte characters, the SID's 34 and its space included
DATA_MAX: Final = 140  # octets
PAGE_MAX: Final = 100
_SID_COSTS: Final = 35
_FIELDS: Final = frozenset(
    {
        "Command",
        "Sim",
        "CallbackMethod",
        "CallbackUrl",
        "CommandMode",
        "IncludeSid",
        "DeliveryReceiptRequested",
    }
)
_FILTERS: Final = frozenset(
    {"Sim", "Status", "Direction", "Transport", "PageSize", "Page", "PageToken"}
)
_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "Status": ("queued", "sent", "delivered", "received", "failed"),
    "Direction": ("to_sim", "from_sim"),
    "Transport": ("sms", "ip"),
    "CommandMode": ("text", "binary"),
    "IncludeSid": ("none", "start", "end"),
    "CallbackMethod": ("GET", "POST"),
    "DeliveryReceiptRequested": ("true", "false"),
}
_INVALID, _MISSING, _PAGING, _NO_SIM, _TOO_LONG, _COMBINATION = (
    33101,
    33102,
    33103,
    33107,
    33111,
    33121,
)
# What happens where the text and the SID are longer than one SMS is not documented.
_OVERLONG: Final = ("refuse", "cut", "split")


class ProgrammableWireless(KorePlatform):
    """Commands: text of 160 characters or 140 octets, the SID in the body where asked for.

    The account's `overlong` says what becomes of a text that is too long with its SID: "refuse"
    (the default), "cut" at 160, or "split" into two parts. Which the real one does is not known.
    """

    name = "programmable-wireless"
    list_key = "commands"
    path = "/v1/Commands"
    not_found = _NO_SIM

    def resource_routes(self) -> Iterable[web.AbstractRouteDef]:
        """Return the routes of Commands."""
        return [
            web.post(self.path, self._told(self._create)),
            web.get(self.path, self._told(self._list)),
            web.get(self.path + "/{sid}", self._told(self._fetch)),
            web.delete(self.path + "/{sid}", self._told(self._delete)),
        ]

    def resource(self, record: Record) -> dict[str, Any]:
        """Render a Command."""
        return {
            **self.common(record),
            "command": record.body,
            "command_mode": record.extra["mode"],
            "transport": "sms",
            "delivery_receipt_requested": record.extra["receipt"],
        }

    async def _create(self, request: web.Request) -> web.Response:
        fields = await form(request)
        unknown = sorted(set(fields) - _FIELDS)
        if unknown:
            raise Answer(400, 20001, f"{unknown[0]} is unknown")
        for name in ("Command", "Sim"):
            if not fields.get(name):
                raise Answer(400, _MISSING, f"{name} is required")
        mode = _choice(fields, "CommandMode", "text")
        include = _choice(fields, "IncludeSid", "none")
        method = _choice(fields, "CallbackMethod", "POST")
        receipt = _choice(fields, "DeliveryReceiptRequested", "true") == "true"
        if mode == "binary" and include != "none":
            raise Answer(400, _COMBINATION, "IncludeSid is for text mode only")
        sim = next(one for one in self.around.sims if one.name == self.named(fields["Sim"]))
        key = sid("DC")
        bodies = self._bodies(fields["Command"], mode, include, key)
        now = self.around.clock.now()
        record = self.put(
            Record(
                key,
                sim.name,
                fields["Command"],
                "queued",
                "to_sim",
                now,
                now,
                fields.get("CallbackUrl", ""),
                method,
                {"mode": mode, "receipt": receipt},
            )
        )
        self.around.centre.submit(sim, SENDER, bodies, owner=self, key=key)
        return web.json_response(self.resource(record), status=201)

    def _bodies(self, command: str, mode: str, include: str, key: str) -> list[sms.UserData]:
        if mode == "binary":
            try:
                data = base64.b64decode(command, validate=True)
            except (binascii.Error, ValueError):
                raise Answer(400, _INVALID, "Command must be base64 in binary mode") from None
            if not 1 <= len(data) <= DATA_MAX:
                raise Answer(400, _TOO_LONG, f"Command must be 1 to {DATA_MAX} octets")
            return list(sms.segment(data, reference=0, max_segments=1))
        if len(command) > TEXT_MAX:
            raise Answer(400, _TOO_LONG, f"Command must be at most {TEXT_MAX} characters")
        text = {"none": command, "start": f"{key} {command}", "end": f"{command} {key}"}[include]
        overlong = str(self.around.account.get("overlong", _OVERLONG[0]))
        if len(text) > TEXT_MAX and overlong == "cut":
            text = text[:TEXT_MAX]
        most = 2 if overlong == "split" and include != "none" else 1
        try:
            return list(sms.segment(text, reference=len(self.records) % 256, max_segments=most))
        except sms.EncodeError:
            room = TEXT_MAX - (_SID_COSTS if include != "none" else 0)
            problem = f"Command does not fit into one SMS; {room} characters are left"
            raise Answer(400, _TOO_LONG, problem) from None

    async def _list(self, request: web.Request) -> web.Response:
        query = request.query
        unknown = sorted(set(query) - _FILTERS)
        if unknown:
            raise Answer(400, 20001, f"{unknown[0]} is unknown")
        for name in ("Status", "Direction", "Transport"):
            _choice(query, name, _CHOICES[name][0])
        found = self.live()
        if "Sim" in query:
            sim = self.named(query["Sim"])
            found = [one for one in found if one.sim == sim]
        found = [one for one in found if query.get("Status", one.status) == one.status]
        found = [one for one in found if query.get("Direction", one.direction) == one.direction]
        found = [one for one in found if query.get("Transport", "sms") == "sms"]
        return self.listing(request, found, code=_PAGING, most=PAGE_MAX)

    async def _fetch(self, request: web.Request) -> web.Response:
        return web.json_response(self.resource(self.fetch(request)))

    async def _delete(self, request: web.Request) -> web.Response:
        record = self.fetch(request)
        del self.records[record.sid]
        self.around.changed()
        return web.Response(status=204)

    def delivery_changed(self, key: str, delivery: Delivery) -> None:
        """Follow the message centre; the customer is called when it was sent, delivered or failed.

        Without a receipt asked for it stays sent.
        """
        record = self.records.get(key)
        if record is None:
            return
        if delivery.attempts:
            self._announce(self.move(key, "sent"))
        if delivery.state == "delivered" and record.extra["receipt"]:
            self._announce(self.move(key, "delivered"))
        elif delivery.state in ("expired", "refused"):
            self._announce(self.move(key, "failed"))

    def claims(self, sim: Sim, destination: str) -> bool:
        """Whether it is a Command: those to 2936 are, anything else is an ordinary SMS."""
        return destination == SENDER and bool(self.known(sim))

    def received(self, message: MobileOriginated) -> None:
        """Show an SMS from a device, and call the SIM's URL."""
        now = self.around.clock.now()
        known = self.known(message.sim)
        binary = message.text is None
        octets = message.user_data.octets
        body = base64.b64encode(octets).decode() if message.text is None else message.text
        record = self.put(
            Record(
                sid("DC"),
                message.sim.name,
                body,
                "received",
                "from_sim",
                now,
                now,
                str(known.get("callback_url", "")),
                str(known.get("callback_method", "POST")),
                {"mode": "binary" if binary else "text", "receipt": False},
            )
        )
        self._announce(record)

    def _announce(self, record: Record | None) -> None:
        """Call back about a change; None: nothing changed. For the status it is a guess."""
        if record is None:
            return
        sim = next(one for one in self.around.sims if one.name == record.sim)
        fields = {
            "CommandSid": record.sid,
            "SimSid": self.sid_of(record.sim),
            "SimUniqueName": str(self.known(sim).get("unique_name", "")),
            "Command": record.body,
            "Status": record.status,
            "ApiVersion": "v1",
            "AccountSid": str(self.around.account["account_sid"]),
            "CommandMode": str(record.extra["mode"]),
        }
        self.tell(record, record.callback_url, record.callback_method, fields)


def _choice(fields: Mapping[str, str], name: str, default: str) -> str:
    value = fields.get(name, default)
    wanted = value.upper() if name == "CallbackMethod" else value
    if wanted not in _CHOICES[name]:
        raise Answer(400, _INVALID, f"{name} must be one of {', '.join(_CHOICES[name])}")
    return wanted
