"""Keeps the modem ready: opens it, brings it up, notices trouble, climbs the recovery ladder."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, TypeVar

from agent.config.model import ModemConfig
from agent.journal.journal import Journal
from agent.modem.doorbell import HANDED_OVER, Bell
from agent.modem.firmware_cache import FirmwareFacts
from agent.modem.link_state import LinkState
from agent.modem.liveness import Liveness
from agent.modem.recovery_ladder import LADDER, RESET, Rung, refusal_pauses
from agent.modem.recovery_log import RecoveryHistory
from agent.modem.time_asking import TimeAsking
from agent.modem.unreadable import Unreadable
from agent.system import process
from agent.system.clock import Clock
from agent.system.events import Events
from agent.system.watchdog import Pulse
from at.bringup.bringup import BringUp, Identity, bring_up, in_force
from at.bringup.discovery import AUTO, open_modem
from at.bringup.sim import PinMemory, meaning
from at.bringup.status import Survey, survey
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
from at.modem import Modem
from at.profiles import GENERIC
from at.store.messages import MessageStore
from at.urcs import (
    Garbled,
    MessageDelivered,
    MessageStored,
    Registration,
    ReportDelivered,
    ReportStored,
    Restarted,
    SimState,
    StorageFull,
)

__all__ = ["Link", "LinkDownError"]

log = logging.getLogger(__name__)
R = TypeVar("R")

DELIVERED_MAX: Final = 256  # the network hands over one at a time where it waits for answers
SIM_RETRY_S: Final = 60.0  # how soon to look whether somebody mended the SIM
ABSENT_S: Final = 0.5  # how often to look for a device that is not there
BUSY_S: Final = 5.0  # how often to try a port that another program holds
STABLE_S: Final = 120.0  # ready for this long: the ladder starts at its foot again
POWER_CYCLE_TIMEOUT_S: Final = 60.0
BRING_UP_WITHIN_S: Final = 900.0  # a SIM and its SMS service may take minutes; then a loop hangs
RUNG_WITHIN_S: Final = 900.0
PAUSE_MIN_S: Final = 1.0  # between two questions to a modem that is well
CHECK_S: Final = 900.0  # how often to look whether a modem restarted without a word


class LinkDownError(AtError):
    """There is no modem that is ready."""


class Link(LinkState):
    """One modem, kept ready.

    identity: who the modem and its SIM are, None before the first bring-up. bell: rung when
    there may be messages to read. unreadable: whether they can be. ladder: the rungs of the
    recovery; may be changed before run().
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
        super().__init__(clock, events)
        self.bell = Bell()
        self.delivered: deque[MessageDelivered | ReportDelivered] = deque(maxlen=DELIVERED_MAX)
        self.ladder: Sequence[Rung] = LADDER
        self.identity: Identity | None = None
        self._config = config
        self._facts = FirmwareFacts(journal)
        self._wanted = BringUp(
            sms_mode=config.sms_mode,
            pin=pin,
            profile=config.profile,
            pin_memory=pin_memory or PinMemory(),
            radio_on=config.radio_on,
            facts=self._facts.known,
        )
        self._journal = journal
        self._pulse = pulse
        self._history = RecoveryHistory(journal, clock, can_power_cycle=bool(config.power_cycle))
        self._time = TimeAsking(clock)
        self.liveness = Liveness(clock)
        self._modem: Modem | None = None
        self._path: str | None = None  # of the port that was open last
        self._messages: MessageStore | None = None
        self._ready = asyncio.Event()
        self._trouble = asyncio.Event()
        self._cause = ""
        self._reset_asked = False
        self._refusal_pauses = refusal_pauses()
        self._renewal_asked = False  # and nothing else is the matter
        self._troubled_at: float | None = None  # since when the ladder is climbed
        self.unreadable = Unreadable(clock, tell=self._tell, trouble=self._distrust)
        self._gone: tuple[str, float] | None = None  # why and when the device vanished

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
        """Ask for a bring-up in full: somebody changed settings that the driver relies on.

        Wanted, it is no trouble: no rung is taken for it and none is counted.
        """
        self._renewal_asked = self._renewal_asked or not self._trouble.is_set()
        self._cause = cause
        self._trouble.set()

    def _distrust(self, cause: str) -> None:
        """Begin with the ladder: the modem is in trouble."""
        self._renewal_asked = False
        self._cause = cause
        self._trouble.set()

    def suspect(self, error: AtError) -> None:
        """Hear of an error that somebody met: one of the link, or only of a command?"""
        if isinstance(error, CommandTimeoutError | PortLostError):
            self._distrust(str(error))

    def reset(self, cause: str) -> None:
        """Ask for a reset of the modem, as `modem-reset` does."""
        self._ready.clear()
        self._cause = cause
        self._reset_asked = True
        self._trouble.set()

    # ---- the life of the link -------------------------------------------------------------

    async def run(self) -> None:
        """Keep the modem ready for ever."""
        await self._facts.recall()
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
            log.error("SIM not usable reason=%s", error)
            return await self._back_off(str(error), SIM_RETRY_S) or rung
        except (CommandError, ReplyError) as error:
            # It answers, so no rung can help; a modem that has just started may think again.
            pause_s = next(self._refusal_pauses)
            if not self._reset_asked:
                self._trouble.clear()  # news of the bring-up that has failed
            log.error("modem refuses its bring-up error=%s again_s=%g", error, pause_s)
            reason = f"the modem refuses what the agent needs: {error}"
            return await self._back_off(reason, pause_s) or rung
        except AtError as error:
            return await self._climb(rung, f"bring-up: {error}")
        ready_at = self._clock.boottime()
        await self._watch()
        if self._reset_asked and not self._lost:
            self._reset_asked = False
            return await self._take(self._rung(RESET.name), self._cause)
        if self._renewal_asked and not self._lost:
            log.info("brought up anew cause=%s", self._cause)
            self._move("recover", self._cause)
            self._move("recovered", self._cause)
            return rung
        if self._clock.boottime() - ready_at > STABLE_S:
            rung = None
        return await self._climb(rung, self._cause)

    async def _open(self) -> None:
        """Return with an open port; waits as long as it takes: a missing device is no error."""
        told = ""
        while True:
            self._move("open")
            try:
                self._modem = await open_modem(
                    self._config.port,
                    # After it came back under another name it is found again, and no other one.
                    imei=self.identity.imei if self.identity else None,
                    last=self._path,
                    baudrate=self._config.baudrate,
                    on_urc=self._hear,
                )
            except PortError as error:
                self._move("vanish", str(error))
                if str(error) != told:
                    told = str(error)
                    log.warning("modem not opened reason=%s", told)
                await asyncio.sleep(BUSY_S if isinstance(error, PortBusyError) else ABSENT_S)
            else:
                self._path = self._modem.path
                # What was announced while both sides were out of step has been lost.
                self._modem.on_generation = self.bell.ring
                self._move("opened")
                return

    async def _back_off(self, reason: str, pause_s: float) -> Rung | None:
        """Wait for somebody to act, or for news; returns the rung that was asked for meanwhile."""
        self._move("back_off", reason)
        await self._lost_or_troubled(pause_s)
        if self._reset_asked and not self._lost:
            self._reset_asked = False
            return await self._take(self._rung(RESET.name), self._cause)
        await self._close()
        return None

    async def _bring_up(self) -> None:
        assert self._modem is not None  # noqa: S101 - opened just before
        self._renewal_asked = False
        if not self._reset_asked:
            self._trouble.clear()
        wanted = self._wanted
        if self._journal.unproven:
            # What this SIM has refused may have been known to the file that was lost.
            wanted = replace(wanted, pin=None)
        found = await bring_up(self._modem, wanted)
        await self._facts.remember()
        self.identity = found
        self._messages = MessageStore.of(self._modem, found)
        await self._time.ask(self._modem)  # before the first message is judged
        self._refusal_pauses = refusal_pauses()
        self._move("brought_up", found.radio)
        self._ready.set()
        self.bell.ring()
        log.info("modem ready model=%s", found.model)
        if self._gone is not None:
            (cause, at), self._gone = self._gone, None
            await self._history.waited(cause, self._clock.boottime() - at)

    async def _watch(self) -> None:
        """Return when the modem is lost or somebody suspects it."""
        assert self._modem is not None  # noqa: S101 - brought up just before
        assert self.identity is not None  # noqa: S101 - as above
        check_at = self._clock.boottime() + CHECK_S
        while not await self._lost_or_troubled(
            max(
                PAUSE_MIN_S,
                min(
                    check_at - self._clock.boottime(),
                    self._time.due_in_s(),
                    self.liveness.due_in_s(),
                ),
            )
        ):
            try:
                await self._time.ask(self._modem)
                if self.liveness.due_in_s() == 0 and not self.identity.radio_off:
                    await self._look(self._modem)
                if self._clock.boottime() < check_at:
                    continue
                check_at = self._clock.boottime() + CHECK_S
                if not await in_force(self._modem, self.identity):
                    self._distrust("the modem has lost its settings")
            except AtError as error:
                self.suspect(error)
        self._ready.clear()
        if self._lost:
            self._cause = self._modem.lost_reason or "port lost"

    async def _look(self, modem: Modem) -> None:
        """Look at card and network; tell when it changed, bring up anew where that may help."""
        before = self.liveness.unregistered_since
        cause = await self.liveness.look(modem)
        if (self.liveness.unregistered_since is None) != (before is None):
            detail = cause if before is None else "registered again"
            log.warning("network: %s", detail)
            self._tell(detail)
        if cause:
            self.renew(cause)

    async def _lost_or_troubled(self, within_s: float) -> bool:
        """Wait until the modem is lost or somebody suspects it; False: neither in that time."""
        assert self._modem is not None  # noqa: S101 - only an open one is watched
        waits = [
            asyncio.ensure_future(self._modem.lost.wait()),
            asyncio.ensure_future(self._trouble.wait()),
        ]
        try:
            done, _ = await asyncio.wait(
                waits, timeout=within_s, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            for one in waits:
                one.cancel()
        return bool(done)

    @property
    def _lost(self) -> bool:
        return self._modem is not None and self._modem.lost.is_set()

    # ---- the ladder -----------------------------------------------------------------------

    async def _climb(self, rung: Rung | None, cause: str) -> Rung | None:
        self._ready.clear()
        now_s = self._clock.boottime()
        if self._lost:
            # A device that vanishes is not an error: wait for it, then initialise in full.
            await self._close()
            self._reset_asked = False
            self._climbed_for = ""
            self._move("vanish", cause)
            self._gone = self._gone or (cause, now_s)
            log.info("modem gone cause=%s", cause)
            return None
        if rung is None or self._troubled_at is None:
            self._troubled_at = now_s
        chosen = await self._history.choose(self.ladder, rung, troubled_s=now_s - self._troubled_at)
        return await self._take(chosen, cause)

    async def _take(self, rung: Rung, cause: str) -> Rung:
        log.warning("recovery rung=%s cause=%s", rung.name, cause)
        self._climbed_for = cause
        if self.state != "recovering":
            self._move("recover", cause)
        with self._pulse.during(f"recovery {rung.name}", RUNG_WITHIN_S):
            async with self._history.taking(rung, cause) as step:
                step.outcome = await self._perform(rung)
                await asyncio.sleep(rung.settle_s)
        return rung

    async def _perform(self, rung: Rung) -> str:
        if rung.name == "resynchronise":
            return await self._resynchronise(rung)
        outcome = "done"
        if rung.name == "reset":
            outcome = await self._reset()
        if rung.name == "power-cycle":
            completed = await process.run(self._config.power_cycle, timeout_s=POWER_CYCLE_TIMEOUT_S)
            outcome = f"exit status {completed.status}"
            if completed.status != 0:
                log.error("power cycle failed output=%s", completed.output)
        if rung.name == "back-off":
            self._move("back_off")
        await self._close()
        return outcome

    async def _reset(self) -> str:
        """Tell the modem to restart, also one that has not answered for long."""
        # With "auto" there may be several modems: only the one that is ours is reset.
        port, imei = self._config.port, self.identity.imei if self.identity else None
        if port == AUTO and imei is None:
            if self._modem is None:
                return "not known which modem"
            port = self._modem.path
        if self._modem is not None and not self._modem.in_step:
            # There a command would have to wait for an answer to AT, which may never come.
            await self._close()
        profile = self.identity.profile if self.identity is not None else GENERIC
        try:
            if self._modem is None:
                self._modem = await open_modem(
                    port, imei=imei, last=self._path, baudrate=self._config.baudrate
                )
            await self._modem.send(profile.reset)
        except AtError as error:
            return str(error)
        return "accepted"

    async def _resynchronise(self, rung: Rung) -> str:
        assert self._modem is not None  # noqa: S101 - only an open one is resynchronised
        try:
            await self._modem.resynchronise(rung.patience_s)
        except AtError as error:
            return str(error)
        self._move("recovered")
        return "in step again"

    def _rung(self, name: str) -> Rung:
        return next(rung for rung in self.ladder if rung.name == name)

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
        elif isinstance(urc, MessageDelivered | ReportDelivered):
            self.delivered.append(urc)
            self.bell.ring(HANDED_OVER)
        elif isinstance(urc, Garbled):
            self.bell.ring()
        elif isinstance(urc, Registration):
            self._time.registered(urc.status)
        elif isinstance(urc, StorageFull):
            log.warning("message memory full")
            self._tell("storage full")
            self.bell.ring()
        elif isinstance(urc, Restarted):
            self._distrust(f"the modem restarted: {urc.line}")
        elif isinstance(urc, SimState) and self._is_news(urc):
            self._distrust(f"SIM: {urc.state}")

    def _is_news(self, sim: SimState) -> bool:
        """READY is news to who waits for it, anything else to who thinks it is READY."""
        return (meaning(sim.state) == "READY") == (self.state == "backing-off")
