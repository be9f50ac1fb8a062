"""How soon a modem in trouble works again, and what was not done to it meanwhile."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from pathlib import Path

from agent.modem.recovery_ladder import LADDER
from tests.faults.site import QUICK_LADDER, Site

MESSAGES = 50
GAP_S = 0.05
GONE_S = 5.0
MUTE_S = 30.0


@dataclass(frozen=True, slots=True)
class Recovery:
    """What was seen. handled_s: from the end of the fault to the message that waited for it.

    once, twice: how many messages had their effect so often. rungs: the ladder's history.
    restarts: of the modem.
    """

    handled_s: float = 0.0
    once: int = 0
    twice: int = 0
    rungs: tuple[str, ...] = ()
    restarts: int = 0


async def _seen(site: Site, handled_s: float = 0.0) -> Recovery:
    await asyncio.sleep(0.5)
    times = site.effects().values()
    return Recovery(
        handled_s,
        sum(n == 1 for n in times),
        sum(n > 1 for n in times),
        tuple(taken.rung for taken in site.history()),
        site.modem.core.device.restarts,
    )


async def gone(folder: Path) -> Recovery:
    """The port is gone for 5 s; a message comes with it."""
    async with Site(folder, ladder=None, settings={"modem": _far(folder)}) as site:
        await site.start()
        await site.quiet()
        site.modem.vanish(power_lost=False)
        await asyncio.sleep(GONE_S)
        site.modem.appear(power_lost=False)
        back = time.monotonic()
        site.command("back")
        handled = await site.until(lambda: site.effects()["back"], "the message")
        return await _seen(site, handled - back)


async def mute(folder: Path) -> Recovery:
    """Mute for 30 s, from within an answer; a message is stored meanwhile, unheard."""
    async with Site(folder, ladder=None, settings={"modem": _far(folder)}) as site:
        await site.start()
        await site.quiet()
        site.command("before")
        site.modem.faults.mute = True
        await asyncio.sleep(MUTE_S / 2)
        site.command("meanwhile")
        await asyncio.sleep(MUTE_S / 2)
        site.modem.faults.mute = False
        spoke = time.monotonic()
        handled = await site.until(lambda: site.effects()["meanwhile"], "the message")
        await site.until(lambda: site.effects()["before"], "the message before")
        return await _seen(site, handled - spoke)


async def deaf(folder: Path) -> Recovery:
    """OK to AT and nothing else for 30 s, while the agent starts."""
    async with Site(folder, ladder=None, settings={"modem": _far(folder)}) as site:
        site.modem.faults.deaf = True
        await site.start()
        await asyncio.sleep(MUTE_S)
        site.modem.faults.deaf = False
        heard = time.monotonic()
        site.command("back")
        handled = await site.until(lambda: site.effects()["back"], "the message")
        return await _seen(site, handled - heard)


async def noise(folder: Path, kind: str, probability: float) -> Recovery:
    """Rubbish between the lines while 50 messages come."""
    async with Site(folder, ladder=None, settings={"report": {"route": "none"}}) as site:
        await site.start()
        await site.quiet()
        site.modem.faults.noise_kind, site.modem.faults.noise = kind, probability
        for number in range(MESSAGES):
            site.command(f"n{number}")
            await asyncio.sleep(GAP_S)
        await site.until(
            lambda: len(site.effects()) >= MESSAGES and not site.stored(), "all messages"
        )
        return await _seen(site)


async def unannounced(folder: Path) -> Recovery:
    """One +CMTI is never said: the slow timer finds the message."""
    async with Site(
        folder, settings={"modem": {"port": str(folder / "modem"), "poll_s": 4}}
    ) as site:
        await site.start()
        await site.quiet()
        site.modem.faults.lose_announcements = 1
        site.command("unheard")
        stored = time.monotonic()
        handled = await site.until(lambda: site.effects()["unheard"], "the message")
        return await _seen(site, handled - stored)


async def unopened(folder: Path) -> Recovery:
    """The port is there and cannot be opened: a folder, then a file, in its place."""
    wrong = folder / "wrong"
    wrong.mkdir(parents=True)
    # A ladder without any patience: whatever it may do, it would do it now.
    eager = tuple(replace(rung, patience_s=0.2, settle_s=0.0, after_s=0.0) for rung in LADDER)
    settings = {"modem": {"port": str(wrong), "poll_s": 3}}
    async with Site(folder, ladder=eager, settings=settings) as site:
        await site.start()
        await asyncio.sleep(1.5)
        wrong.rmdir()
        wrong.write_text("no port")
        await asyncio.sleep(1.5)
        wrong.unlink()
        wrong.symlink_to(site.modem.path)
        there = time.monotonic()
        site.command("opened")
        handled = await site.until(lambda: site.effects()["opened"], "the message")
        return await _seen(site, handled - there)


async def budgets(folder: Path) -> Recovery:
    """A modem that stays deaf, and an agent that is started anew again and again."""
    async with Site(folder, ladder=_FRANTIC) as site:
        site.modem.faults.deaf = True
        for _ in range(4):
            await site.start()
            begun = len(site.history())
            await site.until(lambda n=begun: _climbed(site, n), "the end of the ladder")  # type: ignore[misc]  # mypy cannot infer a lambda with a default
            await site.stop()
        return await _seen(site)


# The agent's own budgets; nothing waits.
_FRANTIC = tuple(replace(rung, patience_s=0.2, settle_s=0.2, after_s=0.0) for rung in QUICK_LADDER)


def _climbed(site: Site, begun: int) -> bool:
    """Ended over a reset, like a service that hangs; else at the end of the ladder."""
    rungs = [taken.rung for taken in site.history()[begun:]]
    return "reset" in rungs or "back-off" in rungs


def _far(folder: Path) -> dict[str, object]:
    """The slow timer out of reach."""
    return {"port": str(folder / "modem"), "poll_s": 600}
