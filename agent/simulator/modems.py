"""The simulated modems of a world, each behind a pseudo terminal, with the SIMs in them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from agent.simulator.centre import Centre
from agent.simulator.world import Sim, World
from at.simulator import PtyModem, Sent

__all__ = ["Modems", "modems"]


class Modems:
    """by_sim: the modem of each SIM, by the SIM's name."""

    def __init__(self) -> None:
        self.by_sim: dict[str, PtyModem] = {}

    def sim_of(self, path: str) -> str | None:
        """Return the name of the SIM behind a terminal."""
        return next((name for name, modem in self.by_sim.items() if modem.path == path), None)


class _Slot:
    """What the centre sees of a modem."""

    def __init__(self, modem: PtyModem) -> None:
        self._modem = modem

    def offer(self, pdu: str) -> bool:
        return self._modem.do(lambda: self._modem.core.traffic.offer(pdu))


@contextlib.asynccontextmanager
async def modems(
    world: World, centre: Centre, *, personality: str = "generic"
) -> AsyncIterator[Modems]:
    """Run the world's modems; a SIM is where its world file says, one in each modem."""
    running = Modems()
    async with contextlib.AsyncExitStack() as stack:
        for link, sims in world.modems().items():
            modem = await stack.enter_async_context(PtyModem(personality, link=link))
            # Delivery reports come at once: the recipient is always there.
            modem.faults.report_delay_s = 0.0
            _insert(centre, running, modem, sims[0])
        yield running


def _insert(centre: Centre, running: Modems, modem: PtyModem, sim: Sim) -> None:
    running.by_sim[sim.name] = modem
    loop = asyncio.get_running_loop()

    def sent(message: Sent) -> None:
        # Not inside the modem's own step: what a platform answers may come back to this modem.
        loop.call_soon(centre.take, sim, message.pdu)

    modem.core.traffic.on_sent = sent
    centre.attach(sim, _Slot(modem))
