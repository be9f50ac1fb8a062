"""emnify: the endpoint SMS API."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from typing import Any, Final

from agent.operator.http import UnavailableError, objects, text_of
from agent.operator.inventory import Device
from agent.operator.platforms.client import Message, TokenClient
from at import sms

__all__ = ["Emnify"]

_ALPHANUMERIC: Final = 208
_BETWEEN: Final = ","  # the ids of the parts of one text


class Emnify(TokenClient):
    """A longer text is sent part by part, with the concatenation in `udh`."""

    failed = frozenset({"FAILED", "EXPIRED", "CANCELED"})
    delivered = "DELIVERED"
    expired = (401,)

    async def ask_token(self) -> str:
        """Ask for a token by the application's."""
        body = {"application_token": self.account.secrets["application_token"]}
        answer = await self.http.request(
            "POST",
            f"{self.account.url}/api/v1/authenticate",
            headers={"Content-Type": "application/json"},
            body=json.dumps(body).encode(),
        )
        return text_of(answer.object(), "auth_token")

    async def send(self, device: Device, text: str) -> str:
        """Send a text, one call a part; returns the ids of all parts."""
        parts = sms.segment(text, alphabet="gsm7", reference=secrets.randbelow(256))
        return _BETWEEN.join([await self._send(device, part) for part in parts])

    async def _send(self, device: Device, part: sms.UserData) -> str:
        body: dict[str, Any] = {"payload": part.text}
        source = device.settings.get("source_address", "")
        if source:
            body["source_address"] = source
            if not source.removeprefix("+").isdecimal():
                body["source_address_type"] = {"id": _ALPHANUMERIC}
        if part.udh:
            header = b"".join(bytes((one.iei, len(one.data))) + one.data for one in part.udh)
            body["udh"] = (bytes((len(header),)) + header).hex().upper()
        answer = await self.call(
            "POST",
            self._url(device),
            headers={"Content-Type": "application/json"},
            body=json.dumps(body).encode(),
        )
        id_ = answer.headers.get("Location", "").rpartition("/")[2]
        if not (id_.isascii() and id_.isdecimal()):
            raise UnavailableError("the platform's answer has no Location of the SMS")
        return id_

    async def status(self, device: Device, id_: str) -> str:
        """Fetch the status: that of the first part which is not delivered."""
        status = ""
        for one in id_.split(_BETWEEN):
            answer = await self.call("GET", f"{self._url(device)}/{one}")
            status = text_of(answer.object().get("status"), "status")
            if status != self.delivered:
                break
        return status

    async def messages(self, device: Device) -> Sequence[Message]:
        """List the device's messages."""
        answer = await self.call("GET", self._url(device))
        return [
            Message(
                text_of(row, "id"),
                text_of(row.get("sms_type"), "description") == "MO",
                text_of(row, "payload"),
                text_of(row.get("status"), "status"),
                text_of(row, "submit_date"),
            )
            for row in objects(answer.json())
        ]

    def _url(self, device: Device) -> str:
        return f"{self.account.url}/api/v1/endpoint/{device.known['endpoint']}/sms"
