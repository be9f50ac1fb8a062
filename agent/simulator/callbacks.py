"""Calls a customer's URL, and calls again as the platform does when that fails."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp

from agent.simulator.world_clock import WorldClock

__all__ = ["Call", "Caller"]

log = logging.getLogger(__name__)

CONNECT_S: Final = 5.0
READ_S: Final = 15.0
REMEMBERED: Final = 1000
ANSWER_MAX: Final = 64 * 1024  # octets read of an answer, which nobody needs


@dataclass(frozen=True, slots=True)
class Call:
    """One call to a customer.

    urls: tried in this order in each round (a backup URL is the second). build: gives method,
    headers and body for a URL, as some headers differ from try to try. waits_s: world time
    between the rounds, the last one repeated for ever where `for_ever`. again_on: statuses that
    are worth another try; a connection that fails always is.
    """

    platform: str
    sim: str
    urls: Sequence[str]
    build: Callable[[str], tuple[str, str, Mapping[str, str], bytes]]
    waits_s: Sequence[float] = ()
    for_ever: bool = False
    again_on: frozenset[int] = frozenset()
    what: Mapping[str, Any] = field(default_factory=dict)

    def waits(self) -> Iterator[float]:
        """Yield how long to wait before each further round."""
        yield from self.waits_s
        while self.for_ever and self.waits_s:
            yield self.waits_s[-1]


class Caller:
    """Makes calls, each in a task of its own; `made` remembers them."""

    def __init__(self, clock: WorldClock) -> None:
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None
        self.own_url = ""  # put before a URL that is a path: the simulator's own
        self.made: deque[dict[str, Any]] = deque(maxlen=REMEMBERED)

    def call(self, call: Call) -> None:
        """Make a call, and go on."""
        task = asyncio.create_task(self._make(call), name=f"callback {call.platform}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Give up what is under way."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _make(self, call: Call) -> None:
        waits = call.waits()
        while True:
            for url in call.urls:
                if await self._try(call, self.own_url + url if url.startswith("/") else url):
                    return
            wait_s = next(waits, None)
            if wait_s is None:
                return
            await self._clock.sleep(wait_s)

    async def _try(self, call: Call, url: str) -> bool:
        """Make one try; True where it needs no other."""
        method, target, headers, body = call.build(url)
        told: dict[str, Any] = {
            "at": self._clock.now(),
            "platform": call.platform,
            "sim": call.sim,
            "method": method,
            "url": target,
            "headers": dict(headers),
            "body": body.decode("utf-8", "replace"),
            "status": None,
            "error": None,
        }
        self.made.append(told)
        try:
            status = await self._request(method, target, headers, body)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            told["error"] = str(error) or type(error).__name__
            return False
        told["status"] = status
        return status not in call.again_on and (status < 400 or not call.for_ever)

    async def _request(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> int:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(sock_connect=CONNECT_S, sock_read=READ_S)
            self._session = aiohttp.ClientSession(timeout=timeout, trust_env=False)
        async with self._session.request(
            method, url, headers=headers, data=body or None, allow_redirects=False
        ) as answer:
            await answer.content.read(ANSWER_MAX)
            return answer.status
