"""HTTP requests to a platform: bounded in time and size, and what can go wrong with them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self

import aiohttp

__all__ = ["Answer", "Http", "RefusedError", "UnavailableError", "objects", "shown", "text_of"]

BODY_MAX: Final = 2 * 1024 * 1024  # octets of an answer
SHOWN_MAX: Final = 200  # characters of an answer that an error repeats


class UnavailableError(Exception):
    """The platform cannot be reached, or answers as no platform does; worth another try."""


class RefusedError(Exception):
    """The platform refuses the request. status: of HTTP; 200 where the body has the refusal."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of 2xx. body: as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """Give what the body says. Raises UnavailableError where it is no JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            told = shown(self.body.decode("utf-8", "replace"))
            raise UnavailableError(f"the platform's answer is not JSON: {told}") from None

    def object(self) -> dict[str, Any]:
        """Give the JSON object in the body. Raises UnavailableError where it is none."""
        value = self.json()
        if not isinstance(value, dict):
            raise UnavailableError("the platform's answer is not a JSON object")
        return value


class Http:
    """Makes requests, each within `timeout_s`; no redirect is followed with credentials."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=self._timeout_s)
        self._session = aiohttp.ClientSession(
            timeout=timeout, trust_env=False, cookie_jar=aiohttp.DummyCookieJar()
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """Make a request; raises UnavailableError, and RefusedError for a status of 4xx."""
        if self._session is None:
            raise RuntimeError("not entered")
        try:
            async with self._session.request(
                method,
                url,
                headers=headers,
                params=query,
                data=form if form is not None else body,
                allow_redirects=False,
            ) as answer:
                found = Answer(answer.status, answer.headers, await _bounded(answer))
        except TimeoutError:
            raise UnavailableError(f"{url}: no answer within {self._timeout_s:g} s") from None
        except (aiohttp.ClientError, OSError, asyncio.IncompleteReadError, ValueError) as error:
            raise UnavailableError(f"{url}: {str(error) or type(error).__name__}") from None
        if 200 <= found.status < 300:
            return found
        told = f"{found.status} {_message(found.body)}".rstrip()
        if 400 <= found.status < 500 and found.status not in (408, 425, 429):
            raise RefusedError(found.status, told)
        raise UnavailableError(f"{url}: answered {told}")


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    octets = bytearray()
    async for chunk in answer.content.iter_chunked(64 * 1024):
        octets += chunk
        if len(octets) > BODY_MAX:
            raise UnavailableError(f"{answer.url}: an answer of more than {BODY_MAX} octets")
    return bytes(octets)


def _message(body: bytes) -> str:
    """Give what an error says, in the words of the platform where they can be found."""
    text = body.decode("utf-8", "replace")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return shown(text)
    if isinstance(value, dict):
        for key in ("message", "error_description", "error"):
            if isinstance(value.get(key), str) and value[key]:
                return shown(value[key])
    return shown(text)


def shown(text: str) -> str:
    """Make one printable line of what came from outside, cut to a readable length."""
    line = "".join(one if one.isprintable() else " " for one in text[:SHOWN_MAX])
    return " ".join(line.split())


def text_of(value: Any, key: str) -> str:
    """Give a field of an object as text: "" where it is missing or no scalar."""
    found = value.get(key) if isinstance(value, dict) else None
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        return ""
    return str(found)


def objects(value: Any) -> list[dict[str, Any]]:
    """Give the objects of an array; raises UnavailableError for anything else."""
    if not isinstance(value, list):
        raise UnavailableError("the platform's answer has no list")
    return [one for one in value if isinstance(one, dict)]
