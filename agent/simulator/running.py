"""One process with everything: modems, message centre, the five platforms, the control API."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from agent.simulator import page
from agent.simulator.centre import Centre
from agent.simulator.control import Control
from agent.simulator.modems import Modems, modems
from agent.simulator.platforms.connectivitypro import ConnectivityPro
from agent.simulator.platforms.emnify import Emnify
from agent.simulator.platforms.m2m_portal import M2mPortal
from agent.simulator.platforms.programmable_wireless import ProgrammableWireless
from agent.simulator.platforms.super_sim import SuperSim
from agent.simulator.server import Server
from agent.simulator.world import World
from agent.simulator.world_clock import WorldClock

__all__ = ["KINDS", "Running", "simulated"]

# The order in which an SMS from a device is offered: emnify takes any number of up to 7 digits.
KINDS = {
    kind.name: kind for kind in (ProgrammableWireless, SuperSim, ConnectivityPro, M2mPortal, Emnify)
}


@dataclass(frozen=True, slots=True)
class Running:
    """What runs: the world, the HTTP server, the modems, the control API."""

    world: World
    server: Server
    modems: Modems
    control: Control


@contextlib.asynccontextmanager
async def simulated(
    world: World,
    host: str,
    port: int,
    *,
    speed: float = 1.0,
    state: Path | None = None,
    personality: str = "generic",
    seed: int = 0,
) -> AsyncIterator[Running]:
    """Run a world; it listens when this is entered."""
    clock = WorldClock(speed)
    centre = Centre(clock, seed=seed)
    server = Server(world, clock, centre, KINDS, state=state)
    async with modems(world, centre, personality=personality) as inserted:
        control = Control(server, inserted)
        await server.start(host, port, *control.routes(), *page.routes())
        try:
            yield Running(world, server, inserted, control)
        finally:
            await server.close()
            await centre.close()
