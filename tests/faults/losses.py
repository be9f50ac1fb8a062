"""Many messages over a line that loses bytes: what was executed, and where the rest is."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from at.simulator.texts import pdus_of
from tests.faults.modems import DamagingPty, LossyPty
from tests.faults.site import SENDER, Site, StuckError

WAITING_MAX = 12  # messages in the modem at once; more would only wait in the network
GAP_S = 0.004
NEWS = ("+CREG: 1", "^RSSI: 17", '+CUSD: 0,"hello",15', "RING", "+CIEV: 2,4", "%NWTIMEINFO: 1")
_DELETION = re.compile(rb"AT\+CMGD=\d+\r")  # of another message, where its command is damaged
STAMP = datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Losses:
    """What became of `count` messages.

    once, twice: how many had their effect so often. changed: effects that nobody asked for.
    gone: messages that never were in the journal and are not in the modem any more, each with the
    damaged deletion that took it, "" where there is none. damaged: command lines that reached the
    modem with octets missing. resynchronised: how often both sides were brought back in step.
    """

    one_in: int
    way: str
    count: int
    once: int
    twice: int
    changed: tuple[str, ...]
    gone: dict[str, str]
    damaged: int
    resynchronised: int
    taken_s: float
    rungs: tuple[str, ...]


async def lossy(folder: Path, count: int, *, one_in: int, both: bool) -> Losses:
    """Bring `count` messages while 1 byte in `one_in` is lost; both: also to the modem."""
    modem = LossyPty("generic", link=folder / "modem", seed=5)
    async with Site(folder, modem=modem, settings={"report": {"route": "none"}}) as site:
        await site.start()
        await site.quiet()
        faults = modem.faults
        faults.drop_out, faults.interleave, faults.chatter = 1 / one_in, True, 0.1
        faults.drop_in = 1 / one_in if both else 0.0
        begun = time.monotonic()
        await _bring(site, count)
        wanted = {f"n{number}" for number in range(count)}
        with contextlib.suppress(StuckError):
            await site.until(lambda: not site.stored() and _settled(site), "the end of it all")
        taken_s = time.monotonic() - begun
        await asyncio.sleep(0.5)
        effects = site.effects()
        kept = {id_ for (id_,) in site.rows("SELECT id FROM commands")}
        deletions = [
            f"{sent!r} -> {came!r}" for sent, came in modem.damaged if _DELETION.search(came)
        ]
        gone = sorted(wanted - kept)
        return Losses(
            one_in=one_in,
            way="both ways" if both else "from the modem",
            count=count,
            once=sum(effects[id_] == 1 for id_ in wanted),
            twice=sum(times > 1 for times in effects.values()),
            changed=tuple(id_ for id_ in effects if id_ not in wanted),
            gone={id_: "; ".join(deletions) for id_ in gone},
            damaged=len(modem.damaged),
            resynchronised=site.resynchronised(),
            taken_s=taken_s,
            rungs=tuple(taken.rung for taken in site.history()),
        )


def _settled(site: Site) -> bool:
    return bool(site.rows("SELECT count(*) = 0 FROM commands WHERE state <> 'succeeded'")[0][0])


async def _bring(site: Site, count: int) -> None:
    dice = random.Random(1)
    for number in range(count):
        await site.until(lambda: site.stored() < WAITING_MAX, "room in the modem")
        site.command(f"n{number}")
        if dice.random() < 0.5:
            site.modem.say(dice.choice(NEWS))
        await asyncio.sleep(dice.random() * 2 * GAP_S)


@dataclass(frozen=True, slots=True)
class Cut:
    """What became of messages whose first reading lost an octet each.

    executed: id -> note, as they ran; kept: the PDUs in the journal; cut: the ones damaged.
    """

    wanted: dict[str, str]
    executed: dict[str, str]
    times: int
    brought: frozenset[str]
    kept: frozenset[str]
    cut: int


async def octets_cut(folder: Path) -> Cut:
    """Cut every octet out of the first reading of a message, one octet a message."""
    modem = DamagingPty("generic", link=folder / "modem", seed=1)
    log = folder / "noted"
    command = {
        "mark": {
            "exec": ["/bin/sh", "-c", f'echo "$MODEM_AGENT_COMMAND_ID $0" >>{log}', "{note}"],
            "args": {"note": {"type": "string", "pattern": "[0-9a-z]+"}},
        }
    }
    settings: dict[str, dict[str, Any]] = {"command": command, "report": {"route": "none"}}
    async with Site(folder, modem=modem, settings=settings) as site:
        await site.start()
        await site.quiet()
        wanted, brought = {}, set()
        (probe,) = pdus_of(SENDER, "mark id=c00 note=0123456789abcdef", STAMP)
        for octet in range(len(probe) // 2):
            note = f"{octet:02d}23456789abcdef"
            (pdu,) = pdus_of(SENDER, f"mark id=c{octet:02d} note={note}", STAMP)
            wanted[f"c{octet:02d}"] = note
            brought.add(pdu.upper())
            modem.pending[pdu.upper()] = octet
        for pdu in sorted(brought):
            await site.until(lambda: site.stored() < WAITING_MAX, "room in the modem")
            modem.deliver(pdu)
            await asyncio.sleep(GAP_S)
        await site.until(lambda: not site.stored(), "an empty modem")
        await site.until(lambda: len(_lines(log)) >= len(wanted), "all commands")
        await asyncio.sleep(0.5)
        ran = [line.split() for line in _lines(log)]
        return Cut(
            wanted=wanted,
            executed={line[0]: line[1] for line in ran},
            times=len(ran),
            brought=frozenset(brought),
            kept=frozenset(raw for (raw,) in site.rows("SELECT raw FROM segments")),
            cut=len(modem.cut),
        )


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []
