"""What a simulated platform is, and what it is given."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from agent.simulator.callbacks import Caller
from agent.simulator.centre import Centre, Delivery, MobileOriginated
from agent.simulator.world import Sim
from agent.simulator.world_clock import WorldClock

if TYPE_CHECKING:
    from aiohttp import web

__all__ = ["Platform", "Surroundings"]

BODY_MAX = 256 * 1024  # octets of a request; what the real ones take is far less
READ_WITHIN_S = 30.0  # for a request's body, of the host's time


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every platform is given.

    account: its credentials and settings; sims: those it knows; tokens: client and expiry by token,
    of all platforms, as one client may belong to several; base_url: its own address, without
    a `/` at the end, known once the server listens; changed: to be called when its state changed.
    """

    account: Mapping[str, Any]
    sims: tuple[Sim, ...]
    tokens: dict[str, tuple[str, datetime]]
    clock: WorldClock
    centre: Centre
    caller: Caller
    base_url: Callable[[], str]
    changed: Callable[[], None]


class Platform(ABC):
    """One platform: an HTTP API in front of the message centre."""

    name: ClassVar[str]

    def __init__(self, around: Surroundings) -> None:
        self.around = around

    @abstractmethod
    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """Return the routes below this platform's prefix."""

    def root_routes(self) -> Iterable[web.AbstractRouteDef]:
        """Return the routes that clients find at the root: they changed only the host."""
        return ()

    @abstractmethod
    def error(self, status: int, text: str) -> web.Response:
        """Render an HTTP error (too large, no such path, method, not readable) in its own form."""

    @abstractmethod
    def delivery_changed(self, key: str, delivery: Delivery) -> None:
        """Hear of each change of a delivery that it submitted under `key`."""

    @abstractmethod
    def claims(self, sim: Sim, destination: str) -> bool:
        """Whether an SMS from this SIM to this number reaches this platform."""

    @abstractmethod
    def received(self, message: MobileOriginated) -> None:
        """Take an SMS, or one part of one, from a device."""

    @abstractmethod
    def dump(self) -> dict[str, Any]:
        """Return its state as JSON values, to be kept in a file."""

    @abstractmethod
    def load(self, state: Mapping[str, Any]) -> None:
        """Take the state back that `dump` gave."""

    @abstractmethod
    def messages(self) -> list[dict[str, Any]]:
        """Return its messages for people, newest first: id, sim, direction, text, status, at."""

    def known(self, sim: Sim) -> Mapping[str, Any]:
        """Return what this platform calls a SIM; empty where it does not know it."""
        return sim.known.get(self.name, {})

    def find(self, key: str, value: str) -> Sim | None:
        """Return the SIM that this platform calls so; a leading `+` does not count."""
        wanted = value.removeprefix("+")
        for sim in self.around.sims:
            if str(self.known(sim).get(key, "")).removeprefix("+") == wanted:
                return sim
        return None
