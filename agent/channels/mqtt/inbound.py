"""The order in which messages from the broker are handled and acknowledged."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from agent.channels.mqtt.values import Inbound, RequestNotTakenError, Timing

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Item:
    inbound: Inbound
    acknowledge: Callable[[], None]
    arrived: float  # loop time
    kept: bool = False


class InboundLane:
    """Hands messages to the handler in the order they came, and acknowledges in that order.

    Acknowledging out of order would break MQTT 5 §4.6.0-2. `concurrency` handlers may run at the
    same time; each is started before any that came later. A handler that raises
    RequestNotTakenError is called again later, with growing waits, while the broker keeps the
    message too; any other exception ends `run`, and with it the connection, unacknowledged.
    """

    def __init__(
        self, handle: Callable[[Inbound], Awaitable[None]], concurrency: int, timing: Timing
    ) -> None:
        self._handle = handle
        self._concurrency = concurrency
        self._timing = timing
        self._unacknowledged: deque[_Item] = deque()
        self._queue: asyncio.Queue[_Item] = asyncio.Queue()  # bounded: who puts looks at `waiting`

    @property
    def waiting(self) -> int:
        """Messages taken from the broker and not acknowledged yet."""
        return len(self._unacknowledged)

    def put(self, inbound: Inbound, acknowledge: Callable[[], None]) -> None:
        """Take a message; `acknowledge` is called when its turn has come."""
        item = _Item(inbound, acknowledge, asyncio.get_running_loop().time())
        self._unacknowledged.append(item)
        self._queue.put_nowait(item)

    async def run(self) -> None:
        """Handle messages until cancelled."""
        room = asyncio.Semaphore(self._concurrency)
        async with asyncio.TaskGroup() as group:
            while True:
                await room.acquire()
                item = await self._queue.get()
                group.create_task(self._serve(item, room))

    async def _serve(self, item: _Item, room: asyncio.Semaphore) -> None:
        wait_s = self._timing.retake_low_s
        loop = asyncio.get_running_loop()
        while True:
            try:
                await self._handle(_aged(item.inbound, loop.time() - item.arrived))
                break
            except RequestNotTakenError as error:
                log.warning(
                    "mqtt message kept back topic=%s retry_s=%g reason=%s",
                    item.inbound.suffix,
                    wait_s,
                    error,
                )
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, self._timing.retake_high_s)
        room.release()
        item.kept = True
        while self._unacknowledged and self._unacknowledged[0].kept:
            self._unacknowledged.popleft().acknowledge()


def _aged(inbound: Inbound, age_s: float) -> Inbound:
    """The message as the broker would send it now: its life is shorter by what it waited here."""
    if inbound.expiry_s is None or age_s < 1:
        return inbound
    return replace(inbound, expiry_s=max(0, inbound.expiry_s - int(age_s)))
