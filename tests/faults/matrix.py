"""The fault matrix: each fault begun in each phase of the link's work, and what became of it."""

from __future__ import annotations

import asyncio
import collections
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.faults.catalogue import FAULTS, Fault
from tests.faults.modems import ArmedPty, ArmedTcp
from tests.faults.site import Site, StuckError, Taken

DONE_WITHIN_S = 90.0
NONE = "\N{EN DASH}"
STATED = frozenset({"before", "during", "after"})


@dataclass(frozen=True, slots=True)
class Phase:
    """What the link does when the fault begins. sign: of the command, b"": nothing at all."""

    name: str
    sign: bytes


PHASES = (
    Phase("bring-up", b"AT+CMGF="),
    Phase("idle", b""),
    Phase("listing", b"AT+CMGL="),
    Phase("deleting", b"AT+CMGD="),
    Phase("sending: prompt", b"AT+CMGS="),
    Phase("sending: body", b"\x1a"),
)


@dataclass(frozen=True, slots=True)
class Cell:
    """What became of one fault in one phase.

    problem: what was wrong at the end, "" where all was well. ready_s: from the end of the fault
    to a link that is ready; done_s: to the last message executed, answered and deleted.
    """

    fault: str
    phase: str
    problem: str
    history: tuple[Taken, ...] = ()
    ready_s: float = 0.0
    done_s: float = 0.0


def in_short(rungs: Iterable[str]) -> str:
    """The ladder's history in short."""
    counts = collections.Counter(rungs)
    return ", ".join(name if n == 1 else f"{n} x {name}" for name, n in counts.items()) or NONE


async def run_cell(fault: Fault, phase: Phase, folder: Path) -> Cell:
    """Play one cell; never raises for what the agent did."""
    site = Site(folder, fault.personality, tcp=fault.tcp)
    async with site:
        try:
            ready_s, done_s = await _play(site, fault, phase)
        except StuckError as error:
            return Cell(fault.name, phase.name, str(error), tuple(site.history()))
        problem = _problem(site)
        return Cell(fault.name, phase.name, problem, tuple(site.history()), ready_s, done_s)


async def _play(site: Site, fault: Fault, phase: Phase) -> tuple[float, float]:
    begun = asyncio.Event()
    assert isinstance(site.modem, ArmedPty | ArmedTcp)

    def begin() -> bool:
        fault.begin(site.modem)
        begun.set()
        return fault.loses

    if phase.name == "bring-up":
        site.modem.arm(phase.sign, begin)
        site.command("before", announce=False)
        await site.start()
    else:
        await site.start()
        await site.quiet()
        if phase.sign:
            site.modem.arm(phase.sign, begin)
            site.command("before", announce=phase.name != "listing")
        else:
            site.command("before")
            await site.until(site.idle, "end of the message before", timeout_s=20.0)
            begin()
    await site.until(begun.is_set, f"phase {phase.name}", timeout_s=20.0)
    await asyncio.sleep(0.3)
    site.command("during")
    await asyncio.sleep(fault.lasts_s - 0.3)
    fault.end(site.modem)
    ended = time.monotonic()
    site.command("after")
    link = site.app.link
    ready = await site.until(lambda: link.state == "ready", "ready link", timeout_s=DONE_WITHIN_S)

    def done() -> bool:
        return link.state == "ready" and set(site.effects()) >= STATED and site.idle()

    finished = await site.until(done, "end of all messages", timeout_s=DONE_WITHIN_S)
    await asyncio.sleep(0.5)
    await site.until(lambda: link.state == "ready", "ready link", timeout_s=DONE_WITHIN_S)
    return max(0.0, ready - ended), max(0.0, finished - ended)


def _problem(site: Site) -> str:
    effects = site.effects()
    if effects != collections.Counter(STATED):
        return f"executed: {dict(effects)}"
    if site.stored():
        return f"left in the modem: {site.stored()}"
    states = dict(site.rows("SELECT id, state FROM commands"))
    if states != dict.fromkeys(STATED, "succeeded"):
        return f"commands: {states}"
    ends = {state for (state,) in site.rows("SELECT state FROM reports")}
    return "" if ends == {"reported"} else f"reports: {ends}"


def every_cell() -> list[tuple[Fault, Phase]]:
    """The whole matrix, row by row."""
    return [(fault, phase) for fault in FAULTS for phase in PHASES]
