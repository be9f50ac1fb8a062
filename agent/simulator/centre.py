"""The message centre: keeps each SMS until the modem takes it, and routes what the modem sends."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from agent.simulator.impairments import Impairments
from agent.simulator.world import Sim
from agent.simulator.world_clock import WorldClock
from at import sms

__all__ = ["Centre", "Delivery", "MobileOriginated", "Modem", "Router"]

LOOK_EVERY_S: Final = 0.05  # of the host's time, for a modem that could not take a message
VALIDITY_S: Final = 72 * 3600.0  # where a platform names none
REMEMBERED: Final = 1000  # messages told by `state`


class Owner(Protocol):
    """Whoever submits messages, and hears what becomes of them: a platform."""

    @property
    def name(self) -> str:
        """The platform's name."""
        ...

    def delivery_changed(self, key: str, delivery: Delivery) -> None:
        """Hear of each change of a delivery's state; key: what it was submitted under."""
        ...


class Modem(Protocol):
    """The modem that a SIM sits in."""

    def offer(self, pdu: str) -> bool:
        """Bring a message (hex, SMSC first) now; False where the modem cannot take it."""
        ...


@dataclass(slots=True)
class Delivery:
    """One SMS to a SIM, in its parts. state: waiting, delivered, expired, cancelled, refused, lost.

    owner: who hears of it under `key`, None: nobody (a copy that a fault made). attempts: how often
    it was offered; history: (time, what happened).
    """

    number: int
    sim: Sim
    parts: tuple[sms.Deliver, ...]
    expires_at: datetime
    owner: Owner | None
    key: str
    state: str = "waiting"
    attempts: int = 0
    taken: int = 0  # parts
    history: list[tuple[datetime, str]] = field(default_factory=list)

    @property
    def ended(self) -> bool:
        """Whether nothing happens to it any more."""
        return self.state != "waiting"

    def changed(self) -> None:
        """Tell the owner."""
        if self.owner is not None:
            self.owner.delivery_changed(self.key, self)


@dataclass(frozen=True, slots=True)
class MobileOriginated:
    """One SMS, or one part of one, that a modem sent. destination: digits as dialled, no `+`."""

    sim: Sim
    destination: str
    user_data: sms.UserData
    at: datetime

    @property
    def text(self) -> str | None:
        """The text of this part; None where it is 8-bit data."""
        return self.user_data.text


class Router(Protocol):
    """Whoever takes what a modem sends to certain numbers: a platform."""

    @property
    def name(self) -> str:
        """The platform's name."""
        ...

    def claims(self, sim: Sim, destination: str) -> bool:
        """Whether an SMS from this SIM to this number comes here."""
        ...

    def received(self, message: MobileOriginated) -> None:
        """Take it."""
        ...


class Centre:
    """Store and forward for every SIM. One task a SIM offers what waits, oldest first."""

    def __init__(self, clock: WorldClock, *, seed: int = 0) -> None:
        self.clock = clock
        self.impairments = Impairments(random.Random(seed))  # noqa: S311 - faults, no secrets
        self.deliveries: deque[Delivery] = deque(maxlen=REMEMBERED)
        self.originated: deque[dict[str, Any]] = deque(maxlen=REMEMBERED)
        self._routers: list[Router] = []
        self._modems: dict[str, Modem] = {}
        self._queues: dict[str, list[Delivery]] = {}
        self._wake: dict[str, asyncio.Event] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._numbers = itertools.count(1)

    def attach(self, sim: Sim, modem: Modem) -> None:
        """Put a SIM into a modem."""
        self._modems[sim.name] = modem
        self._queues[sim.name] = []
        self._wake[sim.name] = asyncio.Event()
        self._tasks.append(asyncio.create_task(self._serve(sim), name=f"centre {sim.name}"))

    def route(self, router: Router) -> None:
        """Let a platform have what it claims; the first that claims a number gets it."""
        self._routers.append(router)

    async def close(self) -> None:
        """End the tasks."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # ---- to the modem ---------------------------------------------------------------------

    def waiting(self, sim: Sim) -> int:
        """Return how many SMS wait for a SIM."""
        return len(self._queues.get(sim.name, ()))

    def submit(
        self,
        sim: Sim,
        originator: str,
        bodies: Sequence[sms.UserData],
        *,
        owner: Owner,
        key: str,
        validity_s: float = VALIDITY_S,
    ) -> Delivery:
        """Take an SMS for a SIM; the owner hears of each change of its state under `key`."""
        now = self.clock.now()
        delivery = Delivery(
            next(self._numbers),
            sim,
            tuple(self._deliver(originator, body, now) for body in bodies),
            now + timedelta(seconds=validity_s),
            owner,
            key,
        )
        return self._take_in(delivery)

    def _take_in(self, delivery: Delivery) -> Delivery:
        self.deliveries.append(delivery)
        if delivery.sim.name not in self._queues:
            self._end(delivery, "refused", "the SIM is in no modem")
            return delivery
        self._note(delivery, "accepted")
        asyncio.get_running_loop().call_soon(self._enqueue, delivery)
        return delivery

    def find(self, owner: Owner, key: str) -> Delivery | None:
        """Return what an owner submitted under a key, if it is still remembered."""
        found = (one for one in self.deliveries if one.owner is owner and one.key == key)
        return next(found, None)

    def dump(self) -> list[dict[str, Any]]:
        """Return what waits as JSON values."""
        return [
            {
                "owner": one.owner.name,
                "key": one.key,
                "sim": one.sim.name,
                "pdus": [sms.encode(part).hex() for part in one.parts[one.taken :]],
                "expires_at": one.expires_at.isoformat(),
            }
            for one in self.deliveries
            if not one.ended and one.owner is not None
        ]

    def load(
        self,
        rows: Sequence[Mapping[str, Any]],
        sims: Mapping[str, Sim],
        owners: Mapping[str, Owner],
    ) -> None:
        """Take back what waited when `dump` was called."""
        for row in rows:
            parts = tuple(_deliver(pdu) for pdu in row["pdus"])
            if row["sim"] in sims and row["owner"] in owners:
                expires_at = datetime.fromisoformat(row["expires_at"])
                owner, number = owners[row["owner"]], next(self._numbers)
                self._take_in(
                    Delivery(number, sims[row["sim"]], parts, expires_at, owner, row["key"])
                )

    def cancel(self, delivery: Delivery) -> bool:
        """Take back an SMS that waits; False where it has ended, or a part of it has arrived."""
        if delivery.ended or delivery.taken:
            return False
        queue = self._queues[delivery.sim.name]
        if delivery in queue:
            queue.remove(delivery)
        self._end(delivery, "cancelled", "cancelled")
        return True

    def _deliver(self, originator: str, body: sms.UserData, now: datetime) -> sms.Deliver:
        return sms.Deliver(
            sms.Address.parse(originator), sms.Timestamp.of(now.replace(microsecond=0)), body
        )

    def _enqueue(self, delivery: Delivery) -> None:
        if delivery.ended:
            return
        faults = self.impairments
        if faults.happens("lose"):
            self._end(delivery, "lost", "lost on the way")
            return
        copies = [delivery]
        if faults.happens("duplicate"):
            copies.append(replace(delivery, owner=None, history=[]))
        if faults.happens("again"):
            later = self.clock.now() + timedelta(seconds=1)
            stamp = sms.Timestamp.of(later.replace(microsecond=0))
            parts = tuple(replace(part, timestamp=stamp) for part in delivery.parts)
            copies.append(replace(delivery, parts=parts, owner=None, history=[]))
        if faults.happens("forge_sender"):
            forged = sms.Address.parse(faults.forged)
            parts = tuple(replace(part, originator=forged) for part in delivery.parts)
            copies.append(replace(delivery, parts=parts, owner=None, history=[]))
        queue = self._queues[delivery.sim.name]
        if not faults.happens("reorder"):
            queue += copies
        elif len(delivery.parts) > 1:
            delivery.parts = tuple(reversed(delivery.parts))
            queue += copies
        else:
            queue[:0] = copies
        self._wake[delivery.sim.name].set()

    async def _serve(self, sim: Sim) -> None:
        queue, wake = self._queues[sim.name], self._wake[sim.name]
        while True:
            wake.clear()
            if not queue:
                await wake.wait()
                continue
            if self.impairments.delay_s > 0:
                await self.clock.sleep(self.impairments.delay_s)
            delivery = queue[0] if queue else None
            if delivery is None:
                continue
            if self._offer(delivery) or delivery.ended:
                if delivery in queue:
                    queue.remove(delivery)
                continue
            # The network tells the centre when the subscriber can be reached again: look often.
            await asyncio.sleep(LOOK_EVERY_S)

    def _offer(self, delivery: Delivery) -> bool:
        """Offer what is left of an SMS; True once all its parts have been taken."""
        if self.clock.now() >= delivery.expires_at:
            self._end(delivery, "expired", "validity is over")
            return False
        modem = self._modems[delivery.sim.name]
        while delivery.taken < len(delivery.parts):
            pdu = sms.encode(delivery.parts[delivery.taken]).hex().upper()
            delivery.attempts += 1
            if not modem.offer(pdu):
                if delivery.attempts == 1:
                    self._note(delivery, "the modem cannot take it")
                    delivery.changed()
                return False
            delivery.taken += 1
        self._end(delivery, "delivered", "taken by the modem")
        return True

    def _end(self, delivery: Delivery, state: str, what: str) -> None:
        delivery.state = state
        self._note(delivery, what)
        delivery.changed()

    def _note(self, delivery: Delivery, what: str) -> None:
        delivery.history.append((self.clock.now(), what))

    # ---- from the modem -------------------------------------------------------------------

    def take(self, sim: Sim, pdu: str) -> None:
        """Take what a modem sent (hex, SMSC first), and route it by its destination."""
        decoded = sms.decode(bytes.fromhex(pdu), direction="mo")
        submit = decoded.tpdu
        assert isinstance(submit, sms.Submit)  # noqa: S101 - the modem passes nothing else on
        destination = str(submit.destination).removeprefix("+")
        message = MobileOriginated(sim, destination, submit.user_data, self.clock.now())
        router = next((one for one in self._routers if one.claims(sim, destination)), None)
        self.originated.append(
            {
                "at": message.at,
                "sim": sim.name,
                "to": destination,
                "text": message.text,
                "routed_to": router.name if router is not None else None,
            }
        )
        if router is not None:
            router.received(message)


def _deliver(pdu: str) -> sms.Deliver:
    tpdu = sms.decode(pdu).tpdu
    if not isinstance(tpdu, sms.Deliver):
        raise TypeError("the state file holds a PDU that is no message to a SIM")
    return tpdu
