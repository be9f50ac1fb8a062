"""When the modem is asked for the network's time: registered, daily, and while none counts."""

from __future__ import annotations

import contextlib
from typing import Final

from agent.system.clock import Clock
from at import commands
from at.errors import CommandError, ReplyError
from at.modem import Modem

__all__ = ["TimeAsking"]

DAILY_S: Final = 86_400.0
UNTRUSTED_S: Final = 30.0  # how soon to ask again while no clock is trusted
REGISTERED: Final = (1, 5)  # at home, roaming (TS 27.007 §7.2)


class TimeAsking:
    """Tells the clock what the modem says, as often as it is worth a command."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._asked_s: float | None = None

    def registered(self, stat: int) -> None:
        """Hear of a registration: the network may have told the time with it."""
        if stat in REGISTERED:
            self._asked_s = None

    def due_in_s(self) -> float:
        """Return in how many seconds to ask."""
        if self._asked_s is None:
            return 0.0
        period_s = DAILY_S if self._clock.trusted() is not None else UNTRUSTED_S
        return max(0.0, self._asked_s + period_s - self._clock.boottime())

    async def ask(self, modem: Modem) -> None:
        """Ask if it is due, unless NTP knows better. Raises AtError where nothing answers."""
        if self.due_in_s() > 0:
            return
        self._asked_s = self._clock.boottime()
        if self._clock.synchronised() is None:
            with contextlib.suppress(CommandError, ReplyError):
                self._clock.tell_network_time(await modem.send(commands.CLOCK))
