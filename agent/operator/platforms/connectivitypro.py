"""ConnectivityPRO: the SMS API."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from agent.operator.http import UnavailableError, objects, text_of
from agent.operator.inventory import Device
from agent.operator.platforms.client import Message, TokenClient

__all__ = ["ConnectivityPro"]


class ConnectivityPro(TokenClient):
    """`from` left out: the short code of the SIM's service type, which is answered."""

    failed = frozenset({"Failed"})
    delivered = "Success"

    async def ask_token(self) -> str:
        """Ask for a token by the client's id and secret."""
        return await self.client_credentials()

    def headers(self) -> dict[str, str]:
        """Add the API key."""
        return {**super().headers(), "x-api-key": self.account.secrets["api_key"]}

    async def send(self, device: Device, text: str) -> str:
        """Send a message; the platform concatenates."""
        body = {**_who(device), "message": text}
        if "from" in device.settings:
            body["from"] = device.settings["from"]
        answer = await self.call(
            "POST",
            f"{self.account.url}/sms/v1/messages/send",
            query=self._account_id(),
            headers={"Content-Type": "application/json"},
            body=json.dumps(body).encode(),
        )
        mid = text_of(answer.object(), "mid")
        if not mid:
            raise UnavailableError("the platform's answer has no mid")
        return mid

    async def status(self, device: Device, id_: str) -> str:
        """Find the message in the list by its mid."""
        rows = await self._rows({**_who(device), "mid": id_})
        return next((text_of(row, "status") for row in rows if text_of(row, "mid") == id_), "")

    async def messages(self, device: Device) -> Sequence[Message]:
        """List the device's messages."""
        rows = await self._rows({**_who(device), "max-page-item": "50"})
        return [
            Message(
                text_of(row, "mid"),
                text_of(row, "action") == "MO",
                text_of(row, "detail"),
                text_of(row, "status"),
                text_of(row, "date-created"),
            )
            for row in rows
        ]

    async def _rows(self, query: Mapping[str, str]) -> list[dict[str, Any]]:
        url = f"{self.account.url}/sms/v1/messages"
        answer = await self.call("GET", url, query={**self._account_id(), **query})
        # The name of the list is not documented: it is the one array of the answer.
        found = next((one for one in answer.object().values() if isinstance(one, list)), None)
        return objects(found)

    def _account_id(self) -> dict[str, str]:
        return {"account-id": self.account.settings["account_id"]}


def _who(device: Device) -> dict[str, str]:
    """Name the device in one way: two are refused."""
    key = "iccid" if "iccid" in device.known else "msisdn"
    return {key: device.known[key]}
