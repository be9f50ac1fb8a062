"""Keeps the modem ready: opens it, brings it up, notices trouble, climbs the recovery ladder."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final, TypeVar

from agent import child
from agent.bell import Bell
from agent.clock import Clock
from agent.config import ModemConfig
from agent.events import Event, Events
from agent.journal import Journal
from agent.ladder import LADDER, RESET, Rung
from agent.machines import LINK
from agent.pulse import Pulse
from agent.recovery import RecoveryHistory
from at import commands
from at.bringup import BringUp, Identity, bring_up
from at.command import Command
from at.errors import (
    AtError,
    CommandError,
    CommandTimeoutError,
    PortBusyError,
    PortError,
    PortLostError,
    ReplyError,
    SimError,
)
from at.messages import MessageStore
from at.modem import Modem
from at.sim import PinMemory
from at.survey import Survey, survey
from at.urcs import Garbled, MessageStored, ReportStored, Restarted, StorageFull

__all__ = ["Link", "LinkDownError"]

log = logging.getLogger(__name__)
R = TypeVar("R")

SIM_RETRY_S: Final = 60.0  # how soon to look whether somebody mended the SIM
ABSENT_S: Final = 0.5  # how often to look for a device that is not there
BUSY_S: Final = 5.0  # how often to try a port that another program holds
STABLE: Final = timedelta(minutes=2)  # ready for this long: the ladder starts at its foot again
POWER_CYCLE_TIMEOUT_S: Final = 60.0
BRING_UP_WITHIN_S: Final = 900.0  # a SIM and its SMS service may take minutes; then a loop hangs
RUNG_WITHIN_S: Final = 900.0


class LinkDownError(AtError):
    """There is no modem that is ready."""


class Link:
    """One modem, kept ready. state: of machines.LINK; since: of the last change.

    identity: who the modem and its SIM are, None before the first bring-up. bell: rung when
    there may be messages to read. ladder: the rungs of the recovery; may be changed before run().
    """

    def __init__(
        self,
        config: ModemConfig,
        journal: Journal,
        clock: Clock,
        events: Events,
        *,
        pulse: Pulse,
        pin: str | None = None,
        pin_memory: PinMemory | None = None,
    ) -> None:
        self.bell = Bell()
        self.ladder: Sequence[Rung] = LADDER
        self.identity: Identity | None = None
        self.state = "absent"
        self.reason = "not opened yet"
        self.since = clock.wall()
        self._config = config
        self._wanted = BringUp(
            sms_mode=config.sms_mode,
            pin=pin,
            profile=config.profile,
            pin_memory=pin_memory or PinMemory(),
        )
        self._journal = journal
        self._clock = clock
        self._events = events
        self._pulse = pulse
        self._history = RecoveryHistory(journal, clock, can_power_cycle=bool(config.power_cycle))
        self._modem: Modem | None = None
        self._messages: MessageStore | None = None
        self._ready = asyncio.Event()
        self._trouble = asyncio.Event()
        self._cause = ""
        self._reset_asked = False

    # ---- what the others use --------------------------------------------------------------

    async def wait_ready(self) -> None:
        """Return once the modem is ready."""
        await self._ready.wait()

    async def messages(self) -> MessageStore:
        """Return the message memories of the modem that is ready; LinkDownError without one."""
        if self._messages is None or not self._ready.is_set():
            raise LinkDownError(f"modem {self.state}: {self.reason}")
        return self._messages

    async def survey(self) -> Survey | None:
        """Ask the modem how it is; None where it is not ready or does not answer."""
        if self._modem is None or not self._ready.is_set():
            return None
        try:
            return await survey(self._modem)
        except AtError as error:
            self.suspect(error)
            return None

    async def send(self, command: Command[R]) -> R:
        """Send one command of somebody's own to the modem that is ready; LinkDownError without."""
        if self._modem is None or not self._ready.is_set():
            raise LinkDownError(f"modem {self.state}: {self.reason}")
        return await self._modem.send(command)

    def renew(self, cause: str) -> None:
        """Ask for a bring-up in full: somebody changed settings that the driver relies on."""
        self._cause = cause
        self._trouble.set()

    def suspect(self, error: AtError) -> None:
        """Hear of an error that somebody met: one of the link, or only of a command?"""
        if isinstance(error, CommandTimeoutError | PortLostError):
            self._cause = str(error)
            self._trouble.set()

    def reset(self, cause: str) -> None:
        """Ask for a reset of the modem, as `modem-reset` does."""
        self._ready.clear()
        self._cause = cause
        self._reset_asked = True
        self._trouble.set()

    # ---- the life of the link -------------------------------------------------------------

    async def run(self) -> None:
        """Keep the modem ready for ever."""
        rung: Rung | None = None
        try:
            while True:
                rung = await self._live(rung)
        finally:
            await self._close()

    async def _live(self, rung: Rung | None) -> Rung | None:
        """One attempt: open, bring up, watch. Returns the rung taken last, None: at the foot."""
        if self._modem is None:
            await self._open()
        try:
            with self._pulse.during("bring-up", BRING_UP_WITHIN_S):
                await self._bring_up()
        except SimError as error:
            # Nothing that a reset mends, and a SIM that may be locked for good: wait for somebody.
            await self._wait_for_sim(str(error))
            return rung
        except AtError as error:
            return await self._climb(rung, f"bring-up: {error}")
        ready_at = self._clock.wall()
        await self._watch()
        if self._reset_asked:
            self._reset_asked = False
            return await self._take(RESET, self._cause)
        if self._clock.wall() - ready_at > STABLE:
            rung = None
        return await self._climb(rung, self._cause)

    async def _open(self) -> None:
        """Return with an open port; waits as long as it takes: a missing device is no error."""
        told = ""
        while True:
            self._move("open")
            try:
                self._modem = await Modem.open(
                    self._config.port, baudrate=self._config.baudrate, on_urc=self._hear
                )
            except PortError as error:
                self._move("vanish", str(error))
                if str(error) != told:
                    told = str(error)
                    log.warning("modem not opened reason=%s", told)
                await asyncio.sleep(BUSY_S if isinstance(error, PortBusyError) else ABSENT_S)
            else:
                # What was announced while both sides were out of step has been lost.
                self._modem.on_generation = self.bell.ring
                self._move("opened")
                return

    async def _wait_for_sim(self, reason: str) -> None:
        log.error("SIM not usable reason=%s", reason)
        self._move("back_off", reason)
        assert self._modem is not None  # noqa: S101 - opened before the bring-up
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SIM_RETRY_S):
                await self._modem.lost.wait()
        await self._close()

    async def _bring_up(self) -> None:
        assert self._modem is not None  # noqa: S101 - opened just before
        self._trouble.clear()
        wanted = self._wanted
        if self._journal.unproven:
            # What this SIM has refused may have been known to the file that was lost.
            wanted = replace(wanted, pin=None)
        found = await bring_up(self._modem, wanted)
        self.identity = found
        self._messages = MessageStore.of(self._modem, found)
        self._move("brought_up")
        self._ready.set()
        self.bell.ring()
        log.info("modem ready model=%s", found.model)
        await self._ask_time()

    async def _ask_time(self) -> None:
        """Take the network's time where nothing better is known: `when` and `exp` need one."""
        assert self._modem is not None  # noqa: S101 - brought up just before
        if self._clock.trusted() is None:
            with contextlib.suppress(CommandError, ReplyError):
                self._clock.tell_network_time(await self._modem.send(commands.CLOCK))

    async def _watch(self) -> None:
        """Return when the modem is lost or somebody suspects it."""
        assert self._modem is not None  # noqa: S101 - brought up just before
        waits = [
            asyncio.ensure_future(self._modem.lost.wait()),
            asyncio.ensure_future(self._trouble.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()
        self._ready.clear()
        if self._modem.lost.is_set():
            self._cause = self._modem.lost_reason or "port lost"

    # ---- the ladder -----------------------------------------------------------------------

    async def _climb(self, rung: Rung | None, cause: str) -> Rung | None:
        self._ready.clear()
        if self._modem is not None and self._modem.lost.is_set():
            # A device that vanishes is not an error: wait for it, then initialise in full.
            await self._close()
            self._move("vanish", cause)
            log.info("modem gone cause=%s", cause)
            return None
        return await self._take(await self._history.choose(self.ladder, rung), cause)

    async def _take(self, rung: Rung, cause: str) -> Rung:
        log.warning("recovery rung=%s cause=%s", rung.name, cause)
        if self.state != "recovering":
            self._move("recover", cause)
        with self._pulse.during(f"recovery {rung.name}", RUNG_WITHIN_S):
            outcome = await self._perform(rung)
        await self._history.note(rung, cause, outcome)
        return rung

    async def _perform(self, rung: Rung) -> str:
        if rung.name == "resynchronise":
            return await self._resynchronise(rung)
        if rung.name == "reset" and self._modem is not None:
            with contextlib.suppress(AtError):
                await self._modem.send(commands.RESTART)
        if rung.name == "power-cycle":
            completed = await child.run(self._config.power_cycle, timeout_s=POWER_CYCLE_TIMEOUT_S)
            if completed.status != 0:
                log.error("power cycle failed output=%s", completed.output)
        if rung.name == "back-off":
            self._move("back_off", self._cause)
        await self._close()
        await asyncio.sleep(rung.settle_s)
        return "done"

    async def _resynchronise(self, rung: Rung) -> str:
        assert self._modem is not None  # noqa: S101 - only an open one is resynchronised
        try:
            await self._modem.resynchronise(rung.patience_s)
        except AtError as error:
            return str(error)
        self._move("recovered")
        return "in step again"

    async def _close(self) -> None:
        self._ready.clear()
        self._messages = None
        modem, self._modem = self._modem, None
        if modem is not None:
            await modem.close()

    # ---- news from the modem ---------------------------------------------------------------

    def _hear(self, urc: object) -> None:
        if isinstance(urc, MessageStored | ReportStored):
            self.bell.ring((urc.storage, urc.index))
        elif isinstance(urc, Garbled):
            self.bell.ring()
        elif isinstance(urc, StorageFull):
            log.warning("message memory full")
            self._events.tell(
                Event(self._clock.wall(), "link", state=self.state, detail="storage full")
            )
            self.bell.ring()
        elif isinstance(urc, Restarted):
            self._cause = "the modem restarted"
            self._trouble.set()

    def _move(self, trigger: str, reason: str = "") -> None:
        before = self.state
        self.state = LINK.move(self.state, trigger)
        self.reason = reason
        if self.state != before:
            self.since = self._clock.wall()
            self._events.tell(Event(self.since, "link", state=self.state, detail=reason))
