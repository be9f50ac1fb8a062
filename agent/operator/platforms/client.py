"""What is asked of every platform's client."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from agent.operator.http import Answer, Http, RefusedError, UnavailableError, text_of
from agent.operator.inventory import Account, Device

__all__ = ["Client", "Message", "TokenClient"]


@dataclass(frozen=True, slots=True)
class Message:
    """A message as the platform's list shows it. from_device: else it went to the device."""

    id: str
    from_device: bool
    text: str
    status: str
    at: str

    def to_json(self) -> dict[str, Any]:
        """Give the object that `operator messages --json` prints."""
        direction = "from_sim" if self.from_device else "to_sim"
        return {
            "id": self.id,
            "direction": direction,
            "status": self.status,
            "at": self.at,
            "text": self.text,
        }


class Client(ABC):
    """One platform. Every call raises UnavailableError and RefusedError.

    lists_answers: whether its list has what devices sent. failed: the statuses after which a
    message will not be delivered any more; delivered: the one that says it was.
    """

    lists_answers: ClassVar[bool] = True
    failed: ClassVar[frozenset[str]] = frozenset({"failed"})
    delivered: ClassVar[str] = "delivered"

    def __init__(self, account: Account, http: Http) -> None:
        self.account = account
        self.http = http

    @abstractmethod
    async def send(self, device: Device, text: str) -> str:
        """Send a text to a device; returns the platform's id of it."""

    @abstractmethod
    async def status(self, device: Device, id_: str) -> str:
        """Give the status of a message in the platform's words, "" where it is not known."""

    @abstractmethod
    async def messages(self, device: Device) -> Sequence[Message]:
        """List the latest messages of a device, the newest first."""


class TokenClient(Client):
    """A client that asks for a token, and again for another where the platform takes it no more."""

    expired: ClassVar[tuple[int, ...]] = (401, 403)

    def __init__(self, account: Account, http: Http) -> None:
        super().__init__(account, http)
        self._token = ""

    @abstractmethod
    async def ask_token(self) -> str:
        """Ask for a token; "" where the answer has none."""

    def headers(self) -> dict[str, str]:
        """Give the headers that go with a token."""
        return {"Authorization": f"Bearer {self._token}"}

    async def call(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, **how: Any
    ) -> Answer:
        """Make a request with a token, which is asked for once more where it has expired."""
        had_one = bool(self._token)
        if not had_one:
            await self._renew()
        try:
            return await self._call(method, url, headers, how)
        except RefusedError as refused:
            if not had_one or refused.status not in self.expired:
                raise
        await self._renew()
        return await self._call(method, url, headers, how)

    async def _call(
        self, method: str, url: str, headers: Mapping[str, str] | None, how: Mapping[str, Any]
    ) -> Answer:
        more = dict(headers or {})
        return await self.http.request(method, url, headers={**self.headers(), **more}, **how)

    async def _renew(self) -> None:
        self._token = await self.ask_token()
        if not self._token or not self._token.isascii() or not self._token.isprintable():
            self._token = ""
            raise UnavailableError("the platform's answer has no token")

    async def client_credentials(self) -> str:
        """Ask as OAuth 2 has it (RFC 6749 §4.4), the credentials in the form."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.account.settings["client_id"],
            "client_secret": self.account.secrets["client_secret"],
        }
        answer = await self.http.request("POST", self.account.token_url, form=form)
        return text_of(answer.object(), "access_token")
