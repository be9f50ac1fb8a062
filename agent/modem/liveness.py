"""Looks whether a modem that answers is of use: its card is in, its network has it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from agent.system.clock import Clock
from at import commands
from at.bringup.bringup import REGISTRATIONS, attempt
from at.bringup.sim import ABSENT, BUSY, meaning, told_by
from at.bringup.status import REGISTERED, STATUS
from at.errors import CommandError, ReplyError
from at.modem import Modem

__all__ = ["Liveness"]

LOOK_S: Final = 300.0
UNREGISTERED_S: Final = 900.0  # networks and coverage come and go; this is neither
RENEWED_MAX_S: Final = 86_400.0  # the longest pause between two bring-ups for want of a network


class Liveness:
    """What regular looks have shown.

    unregistered_since: when the network was last seen, once that is long ago; None: it is well.
    """

    def __init__(self, clock: Clock) -> None:
        self.unregistered_since: datetime | None = None
        self._clock = clock
        self._looked_s = clock.boottime()
        self._missed: tuple[datetime, float] | None = None  # the first look without a network
        self._renewed_s = 0.0
        self._pause_s = UNREGISTERED_S

    def due_in_s(self) -> float:
        """Return in how many seconds to look."""
        return max(0.0, self._looked_s + LOOK_S - self._clock.boottime())

    async def look(self, modem: Modem) -> str:
        """Look at the card and the registration; returns why to bring it up anew, "" for well.

        Raises CommandTimeoutError, PortLostError.
        """
        self._looked_s = self._clock.boottime()
        card = await _card(modem)
        if card not in {"READY", BUSY, ""}:
            return f"SIM: {card}"
        return self._registered(await _registration(modem))

    def _registered(self, found: str) -> str:
        now_s = self._clock.boottime()
        if found in REGISTERED or not found:
            self._missed, self.unregistered_since = None, None
            self._pause_s = UNREGISTERED_S
            return ""
        if self._missed is None:
            self._missed = self._clock.wall(), now_s
        since, since_s = self._missed
        if now_s - since_s < UNREGISTERED_S:
            return ""
        if self.unregistered_since is not None and now_s - self._renewed_s < self._pause_s:
            return ""
        self.unregistered_since = since
        self._renewed_s = now_s
        self._pause_s = min(2 * self._pause_s, RENEWED_MAX_S)
        return f"not registered for long: {found}"


async def _card(modem: Modem) -> str:
    """What +CPIN? means, as in at.bringup.sim; "" where the modem does not say."""
    try:
        return meaning(await modem.send(commands.SIM_STATE))
    except CommandError as error:
        return ABSENT if told_by(error) == ABSENT else ""
    except ReplyError:
        return ""


async def _registration(modem: Modem) -> str:
    """The best of the domains, as a word of at.bringup.status; "" where the modem tells none."""
    found = []
    for name in REGISTRATIONS:
        answer = await attempt(modem, commands.registration(name))
        if answer is not None:
            found.append(STATUS.get(answer.status, "unknown"))
    return next((word for word in found if word in REGISTERED), found[0] if found else "")
