"""The QoS 1 publications under way on one connection, each until its acknowledgement."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from agent.channels.mqtt.values import NotConnectedError


class Flight:
    """Keeps count of what the broker has not acknowledged yet.

    limit: the broker's Receive Maximum (MQTT 5 §3.2.2.3.3); overdue: called once an
    acknowledgement is later than ack_s. The place of a publication is taken until the broker
    answers, even if nobody waits for the answer any more.
    """

    def __init__(self, limit: int, ack_s: float, overdue: Callable[[], None]) -> None:
        self._room = asyncio.Semaphore(limit)
        self._ack_s = ack_s
        self._overdue = overdue
        self._loop = asyncio.get_running_loop()
        self._open: dict[int, tuple[asyncio.Future[int], asyncio.TimerHandle]] = {}
        self._what: dict[int, tuple[str, int]] = {}
        self._ended: str | None = None

    async def room(self) -> None:
        """Wait for a place; the caller must then call `sent` or `unsent`.

        Raises NotConnectedError once the connection has ended.
        """
        await self._room.acquire()
        if self._ended is not None:
            self._room.release()  # wakes the next in the queue, to the same end
            raise NotConnectedError(self._ended)

    def unsent(self) -> None:
        """Give back a place that was not used."""
        self._room.release()

    @property
    def unanswered(self) -> list[tuple[str, int]]:
        """Topic and octets of what is under way."""
        return list(self._what.values())

    def sent(self, mid: int, topic: str = "", octets: int = 0) -> asyncio.Future[int]:
        """Note that packet `mid` is on its way; the future gets its reason code."""
        self._what[mid] = (topic, octets)
        future: asyncio.Future[int] = self._loop.create_future()
        self._open[mid] = (future, self._loop.call_later(self._ack_s, self._overdue))
        return future

    def acknowledged(self, mid: int, code: int) -> None:
        """Take the broker's answer for packet `mid`; one that nobody sent is ignored."""
        entry = self._open.pop(mid, None)
        self._what.pop(mid, None)
        if entry is None:
            return
        future, timer = entry
        timer.cancel()
        self._room.release()
        if not future.done():
            future.set_result(code)

    def end(self, reason: str) -> None:
        """Fail everything that waits, now and from now on."""
        if self._ended is not None:
            return
        self._ended = reason
        for future, timer in self._open.values():
            timer.cancel()
            if not future.done():
                future.set_exception(NotConnectedError(reason))
        self._open.clear()
        self._what.clear()
        self._room.release()
