"""The control socket's lines: requests read with care, answers written (docs/control-socket.md)."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Final

from agent.system.clock import iso

__all__ = ["LINE_MAX", "Fields", "RequestError", "Tell", "encode", "encode_error", "parse"]

# Octets of one request: a payload of 8 KiB may come as JSON escapes, six for each of its octets.
LINE_MAX: Final = 65536

_ID = re.compile(r"[A-Za-z0-9._:-]{1,36}")

Answer = Mapping[str, Any]
Tell = Callable[[Answer], Awaitable[None]]


class RequestError(Exception):
    """A request that is not done.

    code: "usage" (the request is wrong), "denied" (not for this client, or not at all), "conflict"
    (its id means something else), "unavailable" (no modem, no disk: later perhaps), "failed"
    (tried, in vain), "internal". about: further keys of the answer's error.
    """

    def __init__(self, code: str, text: str, **about: Any) -> None:
        super().__init__(text)
        self.code = code
        self.about = about


class Fields:
    """The keys of one request, each taken once; `end` refuses what nobody took."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._left = dict(values)

    def text(self, name: str, default: str | None = None) -> str:
        """Take a text; without a default it must be there."""
        value = self._left.pop(name, default)
        if not isinstance(value, str):
            raise RequestError("usage", f"{name} is missing, or not a text")
        return _whole(name, value)

    def optional(self, name: str) -> str | None:
        """Take a text that may be missing or null."""
        value = self._left.pop(name, None)
        if value is not None and not isinstance(value, str):
            raise RequestError("usage", f"{name} is not a text")
        return None if value is None else _whole(name, value)

    def identifier(self, name: str) -> str | None:
        """Take an id as payloads may name it, or None."""
        value = self.optional(name)
        if value is not None and not _ID.fullmatch(value):
            raise RequestError("usage", f"{name} is not 1 to 36 of A-Z a-z 0-9 . _ : -")
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """Take true or false."""
        value = self._left.pop(name, default)
        if not isinstance(value, bool):
            raise RequestError("usage", f"{name} is not true or false")
        return value

    def number(self, name: str, default: float | None, low: float, high: float) -> float | None:
        """Take a number from low to high; null stands for the default."""
        value = self._left.pop(name, None)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise RequestError("usage", f"{name} is not a number")
        if not low <= value <= high:
            raise RequestError("usage", f"{name} is not {low:g} to {high:g}")
        return value

    def time(self, name: str) -> datetime | None:
        """Take an ISO 8601 time with zone, or None."""
        value = self.optional(name)
        if value is None:
            return None
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise RequestError("usage", f"{name} is not an ISO 8601 time") from None
        if moment.tzinfo is None:
            raise RequestError("usage", f"{name} has no zone")
        return moment

    def end(self) -> None:
        """Refuse keys that no operation asked for: a misspelt one must not pass unnoticed."""
        if self._left:
            raise RequestError("usage", f"{min(self._left)} is no key of this operation")


def _whole(name: str, value: str) -> str:
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise RequestError("usage", f"{name} holds half a character (a lone surrogate)")
    return value


def parse(line: bytes) -> tuple[Any, str, Fields]:
    """Return a request's `req`, its operation and its other keys.

    Raises RequestError("usage") whose `about` has the `req`, where that could be read.
    """
    try:
        request = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise RequestError("usage", f"not JSON: {error}") from None
    if not isinstance(request, dict):
        raise RequestError("usage", "a request is a JSON object")
    req = request.pop("req", None)
    if isinstance(req, dict | list | float):
        raise RequestError("usage", "req is a text or an integer")
    op = request.pop("op", None)
    if not isinstance(op, str):
        raise RequestError("usage", "op is missing, or not a text", req=req)
    return req, op, Fields(request)


def encode(req: Any, body: Answer, *, done: bool) -> bytes:
    """Write one answer line; times in it become UTC ISO 8601."""
    answer = {"req": req, "ok": True, "done": done, **body}
    return json.dumps(answer, ensure_ascii=True, default=_plain).encode() + b"\n"


def encode_error(req: Any, error: RequestError) -> bytes:
    """Write the last answer line of a request that was not done."""
    told = {"code": error.code, "text": str(error), **error.about}
    answer = {"req": req, "ok": False, "done": True, "error": told}
    return json.dumps(answer, ensure_ascii=True, default=_plain).encode() + b"\n"


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return iso(value)
    raise TypeError(f"{type(value).__name__} in an answer")
