"""The m2m portal: XML requests to the root, XML pushes to the customer.

Our copy of its documents has lost the joiners inside names and their letter case: `-`, `_` and
none are taken in any case; what is said is the account's `joiner` (`_` unless set).
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, ClassVar, Final
from xml.etree.ElementTree import Element, ParseError, SubElement, tostring

from aiohttp import web
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from agent.simulator.callbacks import Call
from agent.simulator.centre import Delivery, MobileOriginated
from agent.simulator.platform import Platform, Surroundings
from agent.simulator.world import Sim
from at import sms

__all__ = ["M2mPortal"]

TEXT_MAX: Final = 160  # septets
DATA_MAX: Final = 120  # octets; the document's other limit is 160 characters of base64
QUEUE_MAX: Final = 60  # of a KPN SIM; other operators' limits are not documented
RETRIED_S: Final = 72 * 3600.0
UID_MAX: Final = 12
LAST_MAX: Final = 20
ORIGINATOR: Final = "882390"  # chosen by the network; a guess
PUSH_DID: Final = "0000061028"
PUSH_WAITS_S: Final = (5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0)
DEPTH_MAX: Final = 8
_INVALID_CONTENT: Final = "INVALID CONTENT"


@dataclass(frozen=True, slots=True)
class _Sms:
    """One SMS of a SIM. origin: api or portal; outward: to the device."""

    number: int
    sim: str
    outward: bool
    text: str
    uid: str
    status: str
    sent: datetime
    delivered: datetime | None = None


class _Refused(Exception):  # noqa: N818 - ends a request with an outcome that is no success
    def __init__(self, description: str) -> None:
        super().__init__(description)


class M2mPortal(Platform):
    """Send SMS, query, and pushes that are tried for ever.

    A SIM's `sim_type` ("KPN-C" takes binary, "Manx Telecom" takes `origin`) and `callback_url`,
    `backup_url` and `passphrase` come from the world file.
    """

    name: ClassVar[str] = "m2m-portal"

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around)
        self._sent: list[_Sms] = []

    # ---- HTTP -----------------------------------------------------------------------------

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """Return the routes below the prefix."""
        return [web.post(path, self._take) for path in ("", "/")]

    def error(self, status: int, text: str) -> web.Response:
        """Render what HTTP itself refuses: a failure without a request to name."""
        return self._answer(
            "error", "", {"api outcome": "failure", "error description": text}, status
        )

    async def _take(self, request: web.Request) -> web.Response:
        kind, api_id = "error", ""
        try:
            root = self._parsed(request, await request.read())
            kind = _plain(root.tag)
            api_id = _attribute(root, "api id")
            handler = {"sendsms": self._send, "querysmsmtdetails": self._query}.get(kind)
            if handler is None:
                raise _Refused(f"unknown request {root.tag}")
            self._check_caller(root)
            if _attribute(root, "version") != "1":
                raise _Refused("version must be 1")
            if not api_id:
                raise _Refused("api id is missing")
            return handler(root, api_id)
        except _Refused as refused:
            words = {"sendsms": "send sms response", "querysmsmtdetails": _QUERY_RESPONSE}
            told = {"api outcome": "failure", "error description": str(refused)}
            return self._answer(words.get(kind, "error"), api_id, told)

    def _parsed(self, request: web.Request, body: bytes) -> Element:
        if request.content_type not in ("application/xml", "text/xml"):
            raise _Refused("Content-Type must be application/xml")
        try:
            root: Element = fromstring(body, forbid_dtd=True)
        except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
            raise _Refused(f"not XML: {error}") from None
        if _depth(root) > DEPTH_MAX:
            raise _Refused("nested too deep")
        return root

    def _check_caller(self, root: Element) -> None:
        who = _child(root, "authentication")
        account = self.around.account
        for name in ("username", "password"):
            given = _text(who, name) if who is not None else ""
            if not secrets.compare_digest(given.encode(), str(account[name]).encode()):
                raise _Refused("authentication failed")

    def _answer(
        self, kind: str, api_id: str, told: Mapping[str, str], status: int = 200
    ) -> web.Response:
        root = Element(self._word(kind), {self._word("api id"): api_id})
        for name, value in told.items():
            SubElement(root, self._word(name)).text = value
        return _xml(root, status)

    def _word(self, name: str) -> str:
        return name.replace(" ", str(self.around.account.get("joiner", "_")))

    # ---- requests -------------------------------------------------------------------------

    def _send(self, root: Element, api_id: str) -> web.Response:
        sim = self._sim(root)
        text = _text(root, "message text")
        uid = _text(root, "sms uid")
        coding = _text(root, "data coding") or "default"
        if not text:
            raise _Refused("message text is missing")
        if len(uid) > UID_MAX or (uid and not (uid.isascii() and uid.isalnum())):
            raise _Refused(f"sms uid must be at most {UID_MAX} letters and digits")
        bodies = self._bodies(sim, text, coding)
        if self.around.centre.waiting(sim) >= int(self.known(sim).get("queue_max", QUEUE_MAX)):
            raise _Refused("rejected by operator")
        originator = str(self.around.account.get("originator", ORIGINATOR))
        origin = _text(root, "origin")
        if origin and self._is_of(sim, "manx"):
            originator = origin
        number = len(self._sent)
        now = self.around.clock.now()
        self._sent.append(_Sms(number, sim.name, True, text, uid, "pending", now))
        self.around.changed()
        try:
            self.around.centre.submit(
                sim,
                originator,
                bodies,
                owner=self,
                key=str(number),
                validity_s=RETRIED_S,
            )
        except sms.EncodeError as error:
            self._sent.pop()
            raise _Refused(f"invalid parameter: {error}") from None
        return self._answer("send sms response", api_id, {"api outcome": "success"})

    def _bodies(self, sim: Sim, text: str, coding: str) -> list[sms.UserData]:
        if coding == "binary":
            if not self._is_of(sim, "kpn-c"):
                raise _Refused("binary is not permitted for this SIM type")
            if len(text) > TEXT_MAX:
                raise _Refused(_INVALID_CONTENT)
            try:
                data = base64.b64decode(text, validate=True)
            except (binascii.Error, ValueError):
                raise _Refused("message text must be base64") from None
            if not 1 <= len(data) <= DATA_MAX:
                raise _Refused(_INVALID_CONTENT)
            return list(sms.segment(data, max_segments=1))
        if coding != "default":
            raise _Refused("data coding must be default or binary")
        try:
            return list(sms.segment(text, alphabet="gsm7", max_segments=1))
        except sms.EncodeError:
            raise _Refused(_INVALID_CONTENT) from None

    def _query(self, root: Element, api_id: str) -> web.Response:
        sim = self._sim(root)
        text = _text(root, "lastx") or "1"
        if not (text.isascii() and text.isdecimal() and 1 <= int(text[:4]) <= LAST_MAX):
            raise _Refused(f"lastx must be a number from 1 to {LAST_MAX}")
        answer = Element(self._word(_QUERY_RESPONSE), {self._word("api id"): api_id})
        SubElement(answer, self._word("api outcome")).text = "success"
        found = [one for one in self._sent if one.sim == sim.name and one.outward]
        for one in reversed(found[-int(text) :]):
            told = SubElement(answer, "sms")
            fields = {"sent timestamp": _time(one.sent)}
            if one.uid:
                fields["sms uid"] = one.uid
            fields |= {
                "status": one.status,
                "delivered timestamp": _time(one.delivered) if one.delivered else "",
                "origin": "api",
                "message text": one.text,
            }
            for name, value in fields.items():
                SubElement(told, self._word(name)).text = value
        if not found:
            SubElement(answer, "sms")
        return _xml(answer)

    def _sim(self, root: Element) -> Sim:
        iccid = _text(root, "iccid")
        if not iccid:
            raise _Refused("iccid is missing")
        sim = self.find("iccid", iccid)
        if sim is None:
            raise _Refused("unknown iccid")
        return sim

    def _is_of(self, sim: Sim, kind: str) -> bool:
        return kind in str(self.known(sim).get("sim_type", "")).lower()

    # ---- messages and pushes --------------------------------------------------------------

    def delivery_changed(self, key: str, delivery: Delivery) -> None:
        """Follow the message centre; a delivery is pushed as a receipt."""
        number = int(key)
        words = {"delivered": "delivered", "expired": "expired", "refused": "failed"}
        status = words.get(delivery.state)
        if status is None:
            return
        now = self.around.clock.now()
        one = replace(
            self._sent[number], status=status, delivered=now if status == "delivered" else None
        )
        self._sent[number] = one
        self.around.changed()
        if status == "delivered":
            known = self._known(one.sim)
            fields = {
                "passphrase": str(known.get("passphrase", "")),
                "iccid": str(known["iccid"]),
                "msisdn": str(known["msisdn"]),
                "sms uid": one.uid,
            }
            self._push(one.sim, "post delivery receipt", fields)

    def claims(self, sim: Sim, destination: str) -> bool:
        """Whether the portal gets it: an SMS to the number that its own messages come from is."""
        own = str(self.around.account.get("originator", ORIGINATOR))
        return bool(self.known(sim)) and destination == own

    def received(self, message: MobileOriginated) -> None:
        """Push an SMS from a device; each part of a longer one by itself."""
        text = message.text if message.text is not None else message.user_data.octets.hex()
        now = self.around.clock.now()
        number = len(self._sent)
        self._sent.append(_Sms(number, message.sim.name, False, text, "", "received", now))
        self.around.changed()
        known = self.known(message.sim)
        fields = {
            "passphrase": str(known.get("passphrase", "")),
            "iccid": str(known["iccid"]),
            "msisdn": str(known["msisdn"]),
            "timestamp": _time(now),
            "message text": text,
        }
        self._push(message.sim.name, "post sms", fields)

    def _push(self, sim: str, kind: str, fields: Mapping[str, str]) -> None:
        known = self._known(sim)
        urls = [str(known[key]) for key in ("callback_url", "backup_url") if known.get(key)]
        if not urls:
            return
        attributes = {"version": "1", self._word("api did"): PUSH_DID}
        root = Element(self._word(kind), attributes)
        for name, value in fields.items():
            SubElement(root, self._word(name)).text = value
        body = _document(root)

        def build(target: str) -> tuple[str, str, Mapping[str, str], bytes]:
            return "POST", target, {"content-type": "text/xml; charset=UTF-8"}, body

        again = frozenset(range(300, 600))
        self.around.caller.call(
            Call(self.name, sim, urls, build, PUSH_WAITS_S, for_ever=True, again_on=again)
        )

    def _known(self, name: str) -> Mapping[str, Any]:
        return self.known(next(sim for sim in self.around.sims if sim.name == name))

    def dump(self) -> dict[str, Any]:
        """Return the messages."""
        rows = []
        for one in self._sent:
            row = asdict(one)
            for key in ("sent", "delivered"):
                row[key] = row[key].isoformat() if row[key] else None
            rows.append(row)
        return {"messages": rows}

    def load(self, state: Mapping[str, Any]) -> None:
        """Take them back."""
        for row in state["messages"]:
            times = {
                key: datetime.fromisoformat(row[key]) if row[key] else None
                for key in ("sent", "delivered")
            }
            self._sent.append(_Sms(**{**row, **times}))

    def messages(self) -> list[dict[str, Any]]:
        """Return the messages for people."""
        return [
            {
                "id": one.uid or str(one.number),
                "sim": one.sim,
                "direction": "to_sim" if one.outward else "from_sim",
                "text": one.text,
                "status": one.status,
                "at": one.sent,
            }
            for one in reversed(self._sent)
        ]


_QUERY_RESPONSE: Final = "query sms mt details response"


def _plain(name: str) -> str:
    """Give what two spellings of a name have in common."""
    return name.replace("-", "").replace("_", "").replace(" ", "").lower()


def _child(element: Element, name: str) -> Element | None:
    return next((one for one in element if _plain(str(one.tag)) == _plain(name)), None)


def _text(element: Element, name: str) -> str:
    found = _child(element, name)
    return "" if found is None else (found.text or "").strip()


def _attribute(element: Element, name: str) -> str:
    found = (value for key, value in element.attrib.items() if _plain(key) == _plain(name))
    return next(found, "")


def _depth(root: Element) -> int:
    deepest, level = 0, [root]
    while level:
        deepest += 1
        level = [child for element in level for child in element]
    return deepest


def _document(root: Element) -> bytes:
    document: bytes = tostring(root, encoding="UTF-8", xml_declaration=True)
    return document


def _xml(root: Element, status: int = 200) -> web.Response:
    return web.Response(
        body=_document(root), status=status, content_type="application/xml", charset="utf-8"
    )


def _time(moment: datetime) -> str:
    return moment.strftime("%d/%m/%Y %H:%M:%S")
