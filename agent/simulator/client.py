"""A client of each platform, as its documents show one: what the page and the demonstration post.

It goes through HTTP like anybody's, so what the API validates and answers is what is seen.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode
from xml.sax.saxutils import escape

import aiohttp

__all__ = ["EMNIFY_SOURCE", "Account", "Exchange", "read_back", "send"]

EMNIFY_SOURCE: Final = "12345"  # the sender that the device sees, and answers
TIMEOUT_S: Final = 30.0
_FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Account:
    """How to reach one device through one platform.

    url: of the platform, without a `/` at the end; credentials: by the API's own words; device:
    what the platform calls it; callback_url: for APIs that take one with each message, or empty.
    """

    platform: str
    url: str
    credentials: Mapping[str, Any]
    device: Mapping[str, Any]
    callback_url: str = ""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request that creates a message, and its answer. form: the request's body."""

    method: str
    url: str
    form: str
    status: int
    answer: str

    @property
    def accepted(self) -> bool:
        """Whether the platform took the message: the portal says no with a status of 200."""
        return self.status < 300 and "outcome>fail" not in self.answer


async def send(account: Account, text: str) -> Exchange:
    """Send a text to the device; a refusal is an answer. Raises OSError where none came."""
    async with _session() as session:
        return await _SENDERS[account.platform](session, account, text)


async def read_back(account: Account) -> Exchange:
    """Ask the platform for the device's messages. Raises OSError where no answer came.

    The portal tells messages to the device only.
    """
    async with _session() as session:
        return await _READERS[account.platform](session, account)


@contextlib.asynccontextmanager
async def _session() -> AsyncIterator[aiohttp.ClientSession]:
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    try:
        async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as session:
            yield session
    except aiohttp.ClientError as error:
        raise OSError(str(error)) from error


async def _post(
    session: aiohttp.ClientSession, url: str, body: str, kind: str, **headers: str
) -> Exchange:
    given = {"Content-Type": kind, **{key.replace("_", "-"): v for key, v in headers.items()}}
    async with session.post(url, data=body.encode(), headers=given) as answer:
        told = await answer.text(errors="replace")
        return Exchange("POST", url, body, answer.status, told)


async def _get(session: aiohttp.ClientSession, url: str, **headers: str) -> Exchange:
    given = {key.replace("_", "-"): value for key, value in headers.items()}
    async with session.get(url, headers=given) as answer:
        return Exchange("GET", url, "", answer.status, await answer.text(errors="replace"))


async def _bearer(session: aiohttp.ClientSession, account: Account, path: str) -> str:
    form = {
        "grant_type": "client_credentials",
        "client_id": str(account.credentials["client_id"]),
        "client_secret": str(account.credentials["client_secret"]),
    }
    told = await _post(session, account.url + path, urlencode(form), _FORM)
    return f"Bearer {json.loads(told.answer)['access_token']}"


# ---- creating a message -----------------------------------------------------------------------


async def _kore(
    session: aiohttp.ClientSession, account: Account, resource: str, fields: dict[str, str]
) -> Exchange:
    bearer = await _bearer(session, account, "/api-services/v1/auth/token")
    form = {"Sim": str(account.device["unique_name"]), **fields}
    if account.callback_url:
        form["CallbackUrl"] = account.callback_url
    url = f"{account.url}/v1/{resource}"
    return await _post(session, url, urlencode(form), _FORM, Authorization=bearer)


async def _programmable_wireless(
    session: aiohttp.ClientSession, account: Account, text: str
) -> Exchange:
    return await _kore(session, account, "Commands", {"Command": text})


async def _super_sim(session: aiohttp.ClientSession, account: Account, text: str) -> Exchange:
    return await _kore(session, account, "SmsCommands", {"Payload": text})


async def _connectivitypro(session: aiohttp.ClientSession, account: Account, text: str) -> Exchange:
    bearer = await _bearer(session, account, "/Api/api/token")
    own = account.credentials
    url = f"{account.url}/sms/v1/messages/send?account-id={own['account_id']}"
    body = json.dumps({"iccid": account.device["iccid"], "message": text})
    key = str(own["api_key"])
    return await _post(session, url, body, "application/json", Authorization=bearer, x_api_key=key)


async def _m2m_portal(session: aiohttp.ClientSession, account: Account, text: str) -> Exchange:
    return await _portal(
        session, account, "send_sms", f"<message_text>{escape(text)}</message_text>"
    )


async def _portal(
    session: aiohttp.ClientSession, account: Account, name: str, more: str
) -> Exchange:
    own = account.credentials
    body = (
        f'<{name} version="1" api_id="1"><authentication>'
        f"<username>{escape(str(own['username']))}</username>"
        f"<password>{escape(str(own['password']))}</password></authentication>"
        f"<iccid>{escape(str(account.device['iccid']))}</iccid>{more}</{name}>"
    )
    return await _post(session, f"{account.url}/", body, "application/xml")


async def _emnify(session: aiohttp.ClientSession, account: Account, text: str) -> Exchange:
    bearer = await _emnify_bearer(session, account)
    body = json.dumps({"source_address": EMNIFY_SOURCE, "payload": text})
    url = _emnify_url(account)
    return await _post(session, url, body, "application/json", Authorization=bearer)


async def _emnify_bearer(session: aiohttp.ClientSession, account: Account) -> str:
    own = json.dumps({"application_token": str(account.credentials["application_token"])})
    told = await _post(session, f"{account.url}/api/v1/authenticate", own, "application/json")
    return f"Bearer {json.loads(told.answer)['auth_token']}"


def _emnify_url(account: Account) -> str:
    return f"{account.url}/api/v1/endpoint/{account.device['endpoint_id']}/sms"


# ---- listing ----------------------------------------------------------------------------------


async def _list_kore(session: aiohttp.ClientSession, account: Account, resource: str) -> Exchange:
    bearer = await _bearer(session, account, "/api-services/v1/auth/token")
    url = f"{account.url}/v1/{resource}?Sim={account.device['unique_name']}"
    return await _get(session, url, Authorization=bearer)


async def _list_connectivitypro(session: aiohttp.ClientSession, account: Account) -> Exchange:
    bearer = await _bearer(session, account, "/Api/api/token")
    own = account.credentials
    query = urlencode({"account-id": own["account_id"], "iccid": account.device["iccid"]})
    url = f"{account.url}/sms/v1/messages?{query}"
    return await _get(session, url, Authorization=bearer, x_api_key=str(own["api_key"]))


async def _list_m2m_portal(session: aiohttp.ClientSession, account: Account) -> Exchange:
    return await _portal(session, account, "query_sms_mt_details", "<lastx>20</lastx>")


async def _list_emnify(session: aiohttp.ClientSession, account: Account) -> Exchange:
    bearer = await _emnify_bearer(session, account)
    return await _get(session, _emnify_url(account), Authorization=bearer)


_SENDERS: Final[
    Mapping[str, Callable[[aiohttp.ClientSession, Account, str], Awaitable[Exchange]]]
] = {
    "programmable-wireless": _programmable_wireless,
    "super-sim": _super_sim,
    "connectivitypro": _connectivitypro,
    "m2m-portal": _m2m_portal,
    "emnify": _emnify,
}

_READERS: Final[Mapping[str, Callable[[aiohttp.ClientSession, Account], Awaitable[Exchange]]]] = {
    "programmable-wireless": lambda session, account: _list_kore(session, account, "Commands"),
    "super-sim": lambda session, account: _list_kore(session, account, "SmsCommands"),
    "connectivitypro": _list_connectivitypro,
    "m2m-portal": _list_m2m_portal,
    "emnify": _list_emnify,
}
