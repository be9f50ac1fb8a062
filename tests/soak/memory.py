"""Thousands of messages through one process, and what its memory does meanwhile."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.forked import ForkServer
from tests.e2e.road import Road, parts_of

SETTLED = 5000  # messages; what is kept and cached has found its size by then
GROWTH_KIB = 2048
AT_ONCE = 15  # messages in the SIM


@dataclass
class MemoryReport:
    """KiB of resident memory; executed: commands; rate: messages a second."""

    wanted: int
    messages: int = 0
    executed: int = 0
    once: bool = True
    early_kib: int = 0
    settled_kib: int = 0
    last_kib: int = 0
    rate: float = 0.0

    @property
    def measured(self) -> bool:
        return self.messages > SETTLED

    @property
    def growth_kib(self) -> int:
        return self.last_kib - self.settled_kib

    @property
    def sizes(self) -> str:
        known = (self.early_kib, self.settled_kib if self.measured else 0, self.last_kib)
        return " / ".join(f"{kib} KiB" if kib else "-" for kib in known)

    @property
    def good(self) -> bool:
        return self.once and (not self.measured or self.growth_kib <= GROWTH_KIB)


def thousands_of_messages(
    folder: Path, wanted: int, deadline: float, progress: Callable[[str, int, int], None]
) -> MemoryReport:
    """Deliver as fast as they are taken; every one a command of its own that changes something."""
    report = MemoryReport(wanted)
    budget = {"commands_per_minute": 1_000_000, "sms_per_hour": 1_000_000, "sms_per_day": 1_000_000}
    told = {"route": "sms", "policy": "errors"}
    with ForkServer() as server, Road(server, folder, budget=budget, report=told) as road:
        road.agent.verbose = False
        road.start()
        begun = time.monotonic()
        for n in range(wanted):
            if time.monotonic() > deadline:
                break
            road.modem.deliver(parts_of(f"mark id=m{n} note=x")[0])
            report.messages += 1
            if n % AT_ONCE == 0:
                road.wait(lambda: road.stored() < AT_ONCE, "room in the SIM")
            if n % 100 == 0:
                progress("messages", n, wanted)
            if n in (1000, SETTLED):
                _catch_up(road, n + 1)
                size = rss_kib(road.agent.pid)
                report.early_kib = report.early_kib or size
                report.settled_kib = size
        _catch_up(road, report.messages)
        report.rate = report.messages / (time.monotonic() - begun)
        report.last_kib = rss_kib(road.agent.pid)
        effects = Counter(road.effects())
        report.executed = len(effects)
        report.once = effects == {f"m{n}": 1 for n in range(report.messages)}
    return report


def _catch_up(road: Road, count: int) -> None:
    road.agent.wait(
        lambda: len(road.effects()) >= count or None, f"{count} commands", timeout_s=120
    )


def rss_kib(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise ValueError("no VmRSS")
