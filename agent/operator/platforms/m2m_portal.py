"""The m2m portal: XML requests. It lists what was sent to a device, and no answers."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final
from xml.etree.ElementTree import Element, SubElement, tostring

from agent.operator import xml
from agent.operator.http import RefusedError, UnavailableError, shown
from agent.operator.inventory import Device
from agent.operator.platforms.client import Client, Message

__all__ = ["M2mPortal"]

LISTED: Final = "20"


class M2mPortal(Client):
    """Names are written with the account's `joiner` (`_` unless set: a guess)."""

    lists_answers: ClassVar[bool] = False
    failed = frozenset({"failed", "expired", "rejected"})

    async def send(self, device: Device, text: str) -> str:
        """Send a text under an id of ours."""
        uid = secrets.token_hex(6)
        await self._ask("send sms", device, {"message text": text, "sms uid": uid})
        return uid

    async def status(self, device: Device, id_: str) -> str:
        """Find the message by its id."""
        rows = await self.messages(device)
        return next((one.status for one in rows if one.id == id_), "")

    async def messages(self, device: Device) -> Sequence[Message]:
        """Query the latest messages to the device."""
        answer = await self._ask("query sms mt details", device, {"lastx": LISTED})
        rows = [one for one in answer if xml.plain(str(one.tag)) == "sms" and len(one)]
        return [
            Message(
                xml.text(row, "sms uid"),
                False,
                xml.text(row, "message text"),
                xml.text(row, "status"),
                xml.text(row, "sent timestamp"),
            )
            for row in rows
        ]

    async def _ask(self, kind: str, device: Device, fields: Mapping[str, str]) -> Element:
        settings, word = self.account.settings, self._word
        api_id = settings.get("api_id", "1")
        root = Element(word(kind), {"version": "1", word("api id"): api_id})
        who = SubElement(root, "authentication")
        SubElement(who, "username").text = settings["username"]
        SubElement(who, "password").text = self.account.secrets["password"]
        SubElement(root, "iccid").text = device.known["iccid"]
        for name, value in fields.items():
            SubElement(root, word(name)).text = value
        answer = await self.http.request(
            "POST",
            f"{self.account.url}/",
            headers={"Content-Type": "application/xml"},
            body=tostring(root, encoding="UTF-8", xml_declaration=True),
        )
        found = xml.parse(answer.body)
        outcome = "" if found is None else xml.text(found, "api outcome").lower()
        if found is None or not outcome:
            told = shown(answer.body.decode("utf-8", "replace"))
            raise UnavailableError(f"the platform's answer has no outcome: {told}")
        if outcome != "success":
            told = shown(xml.text(found, "error description")) or "no reason given"
            raise RefusedError(answer.status, told)
        return found

    def _word(self, name: str) -> str:
        joiner = self.account.settings.get("joiner", "_")
        return name.replace(" ", "" if joiner == "none" else joiner)
