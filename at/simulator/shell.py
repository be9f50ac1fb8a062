"""What every shell around the pure core does: clock, pacing, counters, the handles for tests."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Self, TypeVar

from at.simulator.core import SimulatedModem
from at.simulator.pacing import PacedLine
from at.simulator.personality import Personality
from at.simulator.state import Faults
from at.simulator.storage import Slot, Status, Stores
from at.simulator.texts import pdu_of, pdus_of
from at.simulator.tpdu import tpdu_length
from at.simulator.traffic import Sent
from at.sms import Deliver

T = TypeVar("T")


class Shell(ABC):
    """A simulated modem somebody can connect to; an async context manager.

    personality: a row or its name. seed: of every random fault. baud: bits per second of the
    line, None: as fast as it goes. boot: power up on entering. reenumerate_s: a restart makes
    the port go away for so long, as a USB modem's does; None: it stays.
    """

    def __init__(
        self,
        personality: Personality | str = "generic",
        *,
        seed: int = 0,
        baud: int | None = None,
        boot: bool = False,
        reenumerate_s: float | None = None,
    ) -> None:
        self.core = SimulatedModem(personality, seed=seed, epoch=datetime.now(UTC), boot=boot)
        self.bytes_in = 0  # from the host
        self.bytes_out = 0  # to the host
        self.path = ""
        self._reenumerate_s = reenumerate_s
        self._from_host = PacedLine(baud, self._arrived)
        self._to_host = PacedLine(baud, self._left)
        self._started_s = 0.0
        self._concatenations = 0
        self._timer: asyncio.TimerHandle | None = None
        self._return_timer: asyncio.TimerHandle | None = None

    # -- what a shell is made of -----------------------------------------------------------

    @abstractmethod
    async def _connect(self) -> None:
        """Make the port there; sets self.path."""

    @abstractmethod
    def _disconnect(self) -> None:
        """Make the port go away."""

    @abstractmethod
    def _write(self, data: bytes) -> None:
        """Write to the host, or lose it where nobody listens."""

    async def __aenter__(self) -> Self:
        self._started_s = asyncio.get_running_loop().time()
        await self._connect()
        self.do(lambda: None)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for timer in (self._timer, self._return_timer):
            if timer is not None:
                timer.cancel()
        self._from_host.clear()
        self._to_host.clear()
        self._disconnect()

    # -- the pump --------------------------------------------------------------------------

    def do(self, action: Callable[[], T], *, news: bool = True) -> T:
        """Let time pass to now, act on the core, and send what it says.

        news: the action is no answer to the host, so that what it says may interleave.
        """
        core = self.core
        restarts = core.device.restarts
        core.advance(asyncio.get_running_loop().time() - self._started_s)
        result = action()
        out = core.drain()
        if out:
            self._to_host.put(out, between_lines=news and core.faults.interleave)
        self._plan()
        if core.device.restarts != restarts and self._reenumerate_s is not None:
            self.vanish(self._reenumerate_s, power_lost=False)
        return result

    def _plan(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due_s = self.core.due_s
        if due_s is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(self._started_s + due_s, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self.do(lambda: None)

    def _received(self, data: bytes) -> None:
        """Take what the host wrote."""
        self.bytes_in += len(data)
        self._from_host.put(data)

    def _arrived(self, data: bytes) -> None:
        self.do(lambda: self.core.feed(data), news=False)

    def _left(self, data: bytes) -> None:
        if self.core.faults.mute:
            return
        self.bytes_out += len(data)
        self._write(data)

    # -- handles ---------------------------------------------------------------------------

    @property
    def faults(self) -> Faults:
        """What is wrong with the modem; change its fields at any time."""
        return self.core.faults

    @property
    def store(self) -> Stores:
        """The message memories."""
        return self.core.stores

    @property
    def sent(self) -> list[Sent]:
        """Messages the network took, oldest first."""
        return self.core.sent

    @property
    def baud(self) -> int | None:
        """Bits per second of the line; None: no pacing. May be changed at any time."""
        return self._to_host.baud

    @baud.setter
    def baud(self, value: int | None) -> None:
        self._to_host.baud = self._from_host.baud = value

    def deliver(
        self, message: str | Deliver, *, announce: bool = True, storage: str | None = None
    ) -> int | None:
        """Bring a message (a DELIVER, or a hex PDU with SMSC first) to the modem.

        Returns the slot it was stored in; None where it was routed to the host, discarded, or
        kept by the service centre until the modem can take it. announce: False stores it without
        a word. storage: the memory, None: where +CPMS points.
        """
        pdu = pdu_of(message)
        return self.do(lambda: self.core.deliver(pdu, announce=announce, storage=storage))

    def deliver_text(
        self, sender: str, text: str | bytes, *, announce: bool = True, storage: str | None = None
    ) -> list[int | None]:
        """Bring a message written as text (bytes: 8-bit data), as many parts as it takes.

        Returns what deliver() returns for each part.
        """
        self._concatenations += 1
        pdus = pdus_of(sender, text, datetime.now(UTC), reference=self._concatenations % 256)
        return [self.deliver(pdu, announce=announce, storage=storage) for pdu in pdus]

    def say(self, *lines: str) -> None:
        """Say an unsolicited block of lines."""
        self.do(lambda: self.core.say(*lines))

    def inject(self, data: bytes) -> None:
        """Put bytes on the line to the host as they are."""
        self._to_host.put(data)

    def register(self, stat: int, access: int | None = None) -> None:
        """Change the registration, telling who asked for it."""
        self.do(lambda: self.core.register(stat, access))

    def fill(self, storage: str, *, leave: int = 0) -> int:
        """Fill a memory with old messages up to `leave` free slots; returns how many it took."""
        memory = self.store[storage]
        count = max(memory.capacity - memory.used - leave, 0)
        (pdu,) = pdus_of("+447700900999", "Old message", datetime(2020, 1, 1, tzinfo=UTC))
        for _ in range(count):
            memory.add(Slot(Status.REC_READ, pdu, tpdu_length(pdu)))
        return count

    def swap_card(self, iccid: str, imsi: str, *, state: str = "READY") -> None:
        """Put another SIM in, with nothing stored on it."""
        card = self.core.device.sim
        card.iccid, card.imsi, card.state = iccid, imsi, state
        self.store.memories["SM"].clear()
        self.do(self.core.traffic.offer_waiting)

    def restart(self) -> None:
        """Restart the modem as if by itself; what is on the line is lost."""
        self._from_host.clear()
        self._to_host.clear()
        self.do(self.core.restart)

    def vanish(
        self, for_s: float | None = None, *, power_lost: bool = True, another_name: bool = False
    ) -> None:
        """Take the port away; for_s: bring it back after so long.

        power_lost: the modem starts anew when it comes back. another_name: under another path.
        """
        self._from_host.clear()
        self._to_host.clear()
        if self._return_timer is not None:
            self._return_timer.cancel()
            self._return_timer = None
        self._disconnect()
        if for_s is not None:
            loop = asyncio.get_running_loop()
            self._return_timer = loop.call_later(
                for_s, lambda: self.appear(power_lost=power_lost, another_name=another_name)
            )

    def appear(self, *, power_lost: bool = True, another_name: bool = False) -> None:
        """Bring the port back; one that is there goes away first."""
        if self._return_timer is not None:
            self._return_timer.cancel()
            self._return_timer = None
        self._disconnect()
        self._reconnect(another_name=another_name)
        if power_lost:
            self.core.advance(asyncio.get_running_loop().time() - self._started_s)
            self.core.restart()
        self.do(lambda: None)

    @abstractmethod
    def _reconnect(self, *, another_name: bool) -> None:
        """Make the port there again."""

    @abstractmethod
    def stall(self, on: bool = True) -> None:
        """Stop (or go on) reading what the host writes, so that its writes come to block."""
