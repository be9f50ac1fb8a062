"""A simulated modem that remembers when which bytes passed."""

from __future__ import annotations

import bisect
import itertools
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from at.simulator import PtyModem, RunningModem
from at.simulator.texts import pdus_of

BITS_A_BYTE = 10


@dataclass(frozen=True, slots=True)
class Moved:
    """Bytes that passed at a time of the monotonic clock, which all processes share.

    way: "<" from the modem (written to the port), ">" from the host (read from the port).
    """

    at: float
    way: str
    data: bytes


class WireModem(PtyModem):
    """Keeps a log of its line in `wire`."""

    def __init__(self, *options: Any, **more: Any) -> None:
        super().__init__(*options, **more)
        self.wire: list[Moved] = []

    def _write(self, data: bytes) -> None:
        self.wire.append(Moved(time.monotonic(), "<", data))
        super()._write(data)

    def _received(self, data: bytes) -> None:
        self.wire.append(Moved(time.monotonic(), ">", data))
        super()._received(data)


Modem = RunningModem[WireModem]


def wire(modem: Modem, since: float = 0.0) -> list[Moved]:
    """Everything that passed since a time, oldest first."""
    return modem.call(lambda shell: [moved for moved in shell.wire if moved.at >= since])


def times(moved: list[Moved], way: str, pattern: bytes) -> list[float]:
    """When a pattern was whole on the line, each time; also where it came octet by octet."""
    one_way = [one for one in moved if one.way == way]
    ends = list(itertools.accumulate(len(one.data) for one in one_way))
    stream = b"".join(one.data for one in one_way)
    found = re.finditer(pattern, stream)
    return [one_way[bisect.bisect_left(ends, match.end())].at for match in found]


def octets(moved: list[Moved]) -> int:
    """How many bytes passed, both ways together."""
    return sum(len(one.data) for one in moved)


def line_time_s(count: int, baud: int) -> float:
    """How long a line of that speed is busy with so many bytes."""
    return count * BITS_A_BYTE / baud


def announced(modem: Modem, sender: str, text: str) -> float:
    """Bring a message that fits into one part, and return when the modem had it."""
    (pdu,) = pdus_of(sender, text, datetime.now(UTC))

    def act(shell: WireModem) -> float:
        now = time.monotonic()
        shell.deliver(pdu)
        return now

    return modem.call(act)
