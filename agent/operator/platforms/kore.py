"""What the clients of Programmable Wireless and Super SIM share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final
from urllib.parse import quote

from agent.operator.http import UnavailableError, objects, text_of
from agent.operator.inventory import Device
from agent.operator.platforms.client import Message, TokenClient

__all__ = ["KoreClient"]

LISTED: Final = "50"


class KoreClient(TokenClient):
    """A resource of messages: created by a form, listed and fetched as JSON."""

    path: ClassVar[str]
    list_key: ClassVar[str]
    text_key: ClassVar[str]

    async def ask_token(self) -> str:
        """Ask for a token by the client's id and secret."""
        return await self.client_credentials()

    async def create(self, form: Mapping[str, str]) -> str:
        """Create a message; returns its SID."""
        answer = await self.call("POST", self.account.url + self.path, form=form)
        sid = text_of(answer.object(), "sid")
        if not sid:
            raise UnavailableError("the platform's answer has no sid")
        return sid

    async def status(self, device: Device, id_: str) -> str:  # noqa: ARG002 - as everywhere
        """Fetch the message's status."""
        url = f"{self.account.url}{self.path}/{quote(id_, safe='')}"
        return text_of((await self.call("GET", url)).object(), "status")

    async def messages(self, device: Device) -> Sequence[Message]:
        """List the device's messages."""
        query = {"Sim": device.known["sim"], "PageSize": LISTED}
        answer = await self.call("GET", self.account.url + self.path, query=query)
        return [
            Message(
                text_of(row, "sid"),
                text_of(row, "direction") == "from_sim",
                text_of(row, self.text_key),
                text_of(row, "status"),
                text_of(row, "date_created"),
            )
            for row in objects(answer.object().get(self.list_key))
        ]
