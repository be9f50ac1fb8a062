"""Whether NTP keeps the wall clock, as those say that set it: timedated, chrony, ntpsec."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from agent.system import process
from agent.system.clock import Clock

__all__ = ["AGAIN_S", "Ntp"]

AGAIN_S: Final = 600.0  # while nobody vouches for the clock; and half of what a yes is good for
NONE_S: Final = 86_400.0  # where there is nobody to ask
TIMEOUT_S: Final = 10.0


class _Witness(NamedTuple):
    """A program to ask; yes: what it says of a clock that is synchronised."""

    argv: Sequence[str]
    yes: re.Pattern[str]


# timedated asks the kernel, whoever disciplines it. Where it is not installed: the daemons.
WITNESSES: Final = (
    _Witness(
        ("timedatectl", "show", "--property=NTPSynchronized", "--value"),
        re.compile(r"(?m)^yes\s*$"),
    ),
    _Witness(
        ("chronyc", "-n", "-c", "tracking"),
        re.compile(r"(?m),(?:Normal|Insert second|Delete second)\s*$"),
    ),
    _Witness(("ntpq", "-n", "-c", "rv 0 leap"), re.compile(r"\bleap(?:_|=0*)(?:none|0|1|2)\b")),
)


class Ntp:
    """Asks one light program after the other, rarely; timesyncd's marker spares all of them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def run(self) -> None:
        """Keep the clock told, for ever."""
        while True:
            pause_s = await self.ask()
            await asyncio.sleep(pause_s)

    async def ask(self) -> float:
        """Ask once; return after how many seconds to ask again."""
        if self._clock.has_marker():
            return AGAIN_S
        is_there = False
        for argv, yes in WITNESSES:
            completed = await process.run(argv, timeout_s=TIMEOUT_S)
            is_there = is_there or completed.status is not None
            if completed.status == 0 and yes.search(completed.output):
                self._clock.tell_synchronised(2 * AGAIN_S)
                return AGAIN_S
        self._clock.tell_synchronised(0.0)
        return AGAIN_S if is_there else NONE_S
