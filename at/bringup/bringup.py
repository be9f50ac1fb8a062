"""From an open port to a modem that receives and sends: a table of steps, run in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal, TypeVar

from transitions import Machine

from at import commands, profiles
from at.bringup import negotiation, sim, storing
from at.bringup.negotiation import Memories
from at.bringup.sim import PinMemory
from at.command import Command
from at.errors import CommandError, CommandTimeoutError, ReplyError, SimError

if TYPE_CHECKING:
    from at.modem import Modem
    from at.profiles.profile import Profile

log = logging.getLogger(__name__)
R = TypeVar("R")

Mode = Literal["pdu", "text"]
SMS_READY_TIMEOUT_S: Final = 40.0  # a SIM's phone book is read first: SIM800 takes 20 s
POLL_S: Final = 0.5
SIM_SEEN_S: Final = 10.0  # +CFUN=0 takes the card's power away, +CFUN=1 gives it back
RADIO_OFF: Final = frozenset({0, 4})
REGISTRATIONS: Final = ("+CREG", "+CGREG", "+CEREG")
# CME and CMS: busy, initialising; 302 is Quectel's word for it.
_NOT_YET: Final = frozenset({14, 301, 302, 314, 512, 515, 532, 533})

STATES: Final = (
    "silent",
    "answering",
    "identified",
    "unlocked",
    "messaging",
    "storing",
    "announcing",
    "ready",
    "blocked",
)
TRANSITIONS: Final = (
    # trigger, source, destination: what has been done when the trigger fires
    ("answered", "silent", "answering"),  # echo off, errors by number
    ("identified", "answering", "identified"),  # who it is, and so its profile
    ("unlocked", "identified", "unlocked"),  # the SIM is READY
    ("blocked", "identified", "blocked"),  # somebody must act on the SIM
    ("formatted", "unlocked", "messaging"),  # PDU or text mode chosen
    ("stored", "messaging", "storing"),  # one memory in all three roles
    ("announced", "storing", "announcing"),  # new messages ring
    ("finished", "announcing", "ready"),  # registration news asked for
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What trying has shown of one firmware: the command for the ICCID, the +CNMI setting."""

    iccid: str = ""
    indications: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class BringUp:
    """What the caller wants. sms_mode "auto": PDU mode where the modem has it.

    profile: a name, or "auto" for what +CGMI and +CGMM say. pin: digits, or None.
    radio_on: switch a radio on that another program has switched off.
    facts: by (manufacturer, model, firmware); bring-up tries these first and adds to them.
    """

    sms_mode: Literal["pdu", "text", "auto"] = "pdu"
    pin: str | None = None
    profile: str = "auto"
    radio_on: bool = True
    pin_memory: PinMemory = field(default_factory=PinMemory)
    facts: dict[tuple[str, str, str], Facts] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Identity:
    """A modem that is ready. Strings are "" and numbers None where the modem does not tell.

    charset: the TE character set in force, for text mode. indications: the +CNMI setting in
    force; () where the modem announces nothing. acknowledging: a message that is handed over
    directly waits for +CNMA.
    """

    manufacturer: str
    model: str
    firmware: str
    imei: str
    iccid: str | None
    imsi: str | None
    sms_mode: Mode
    charset: str
    memories: Memories
    indications: tuple[int, ...]
    acknowledging: bool
    profile: Profile
    told: tuple[int | None, ...] | None = None  # by +CNMI? about `indications`
    radio: str = ""  # what became of a radio that was off, "" where it was on
    radio_off: bool = False  # and has been left so

    @property
    def direct(self) -> bool:
        """Messages are handed over (+CMT) instead of stored."""
        return len(self.indications) > 1 and self.indications[1] in {2, 3}


async def attempt(modem: Modem, command: Command[R]) -> R | None:
    """Send what a modem need not know; None where it does not."""
    try:
        return await modem.send(command)
    except (CommandError, ReplyError) as error:
        log.debug("not offered: %s", error)
        return None


async def accepted(modem: Modem, command: Command[None]) -> bool:
    """Send a setting; whether the modem took it."""
    try:
        await modem.send(command)
    except (CommandError, ReplyError) as error:
        log.debug("not taken: %s", error)
        return False
    return True


async def bring_up(
    modem: Modem, wanted: BringUp, *, on_state: Callable[[str], None] | None = None
) -> Identity:
    """Take the modem through the table; returns when it is ready.

    on_state: hears of every state entered. Raises SimError where somebody must act,
    CommandTimeoutError, CommandError, ReplyError, PortLostError; it can simply be called again.
    """
    return await _Run(modem, wanted, on_state).run()


async def in_force(modem: Modem, identity: Identity) -> bool:
    """Whether the modem still has the settings of its bring-up: some restart without a word.

    What it does not tell counts as kept. Raises CommandTimeoutError, PortLostError.
    """
    told = await attempt(modem, commands.INDICATIONS)
    if told is not None and identity.indications and told != identity.told:
        return False
    if not identity.radio_off and await attempt(modem, commands.FUNCTIONALITY) in RADIO_OFF:
        return False
    text_mode = await attempt(modem, commands.MESSAGE_FORMAT)
    return text_mode is None or text_mode == (identity.sms_mode == "text")


class _Run:
    """One bring-up: the machine's model, with what has been found out so far."""

    state: str

    def __init__(
        self, modem: Modem, wanted: BringUp, on_state: Callable[[str], None] | None
    ) -> None:
        self.modem = modem
        self.wanted = wanted
        self.on_state = on_state
        self.profile = profiles.GENERIC
        self.manufacturer = self.model = self.firmware = self.imei = ""
        self.iccid: str | None = None
        self.imsi: str | None = None
        self.mode: Mode = "pdu"
        self.charset = "IRA"
        self.memories = Memories("")
        self.indications: tuple[int, ...] = ()
        self.acknowledging = False
        self.taken = False  # the last +CNMI setting that was tried
        self.told: tuple[int | None, ...] | None = None  # by +CNMI? after it
        self.facts = Facts()
        self.radio = ""
        self.radio_off = False
        self.machine = Machine(
            self,
            states=list(STATES),
            transitions=[list(row) for row in TRANSITIONS],
            initial="silent",
            auto_transitions=False,
            after_state_change="tell",
        )
        self.steps: dict[str, Callable[[], Awaitable[str]]] = {
            "silent": self.answer,
            "answering": self.identify,
            "identified": self.unlock,
            "unlocked": self.format,
            "messaging": self.store,
            "storing": self.announce,
            "announcing": self.finish,
        }

    def tell(self) -> None:
        log.debug("bring-up state=%s", self.state)
        if self.on_state is not None:
            self.on_state(self.state)

    async def run(self) -> Identity:
        while self.state in self.steps:
            self.machine.dispatch(await self.steps[self.state]())
        return Identity(
            manufacturer=self.manufacturer,
            model=self.model,
            firmware=self.firmware,
            imei=self.imei,
            iccid=self.iccid,
            imsi=self.imsi,
            sms_mode=self.mode,
            charset=self.charset,
            memories=self.memories,
            indications=self.indications,
            acknowledging=self.acknowledging,
            told=self.told,
            profile=self.profile,
            radio=self.radio,
            radio_off=self.radio_off,
        )

    # -- the steps, one per state; each returns its trigger --------------------------------------

    async def answer(self) -> str:
        self.modem.expect_echo(True)
        try:
            await self.modem.send(commands.ECHO_OFF)
        except (CommandError, CommandTimeoutError):
            # Another program may have left it at a prompt, or in the middle of a line.
            await self.modem.resynchronise()
            await self.modem.send(commands.ECHO_OFF)
        self.modem.expect_echo(False)
        await accepted(self.modem, commands.VERBOSE)
        if not await accepted(self.modem, commands.ERRORS_BY_NUMBER):
            await accepted(self.modem, commands.ERRORS_BY_TEXT)
        return "answered"

    async def identify(self) -> str:
        self.manufacturer = await attempt(self.modem, commands.MANUFACTURER) or ""
        self.model = await attempt(self.modem, commands.MODEL) or ""
        self.firmware = await attempt(self.modem, commands.FIRMWARE) or ""
        self.imei = await attempt(self.modem, commands.IMEI) or ""
        named = profiles.named(self.wanted.profile)
        if named is None and self.wanted.profile != "auto":
            log.warning("no such profile name=%s; chosen by +CGMI", self.wanted.profile)
        self.profile = named or profiles.choose(self.manufacturer, self.model)
        self.modem.adopt(self.profile)
        self.facts = self.wanted.facts.get((self.manufacturer, self.model, self.firmware), Facts())
        for setup in self.profile.setup:
            told = await attempt(self.modem, commands.raw(setup.ask)) if setup.ask else None
            if told is None or not any(setup.shows in line for line in told):
                await accepted(self.modem, commands.do(setup.line))
        await self._radio()
        return "identified"

    async def _radio(self) -> None:
        """Switch a radio on that is off (TS 27.007 §8.2): with it off, no message ever comes."""
        level = await attempt(self.modem, commands.FUNCTIONALITY)
        if level not in RADIO_OFF:
            return
        if self.wanted.radio_on and await accepted(self.modem, commands.RADIO_ON):
            self.radio = f"the radio was off (+CFUN: {level}), and has been switched on"
        else:
            self.radio_off = True
            why = f"AT{commands.RADIO_ON.line} is refused"
            why = why if self.wanted.radio_on else "a setting forbids switching it on"
            self.radio = f"the radio is off (+CFUN: {level}), and {why}"
        log.warning("%s", self.radio)

    async def unlock(self) -> str:
        try:
            await sim.unlock(
                self.modem,
                self.profile,
                self.wanted.pin,
                self.wanted.pin_memory,
                seen_within_s=SIM_SEEN_S if self.radio and not self.radio_off else 0.0,
            )
        except SimError:
            self.machine.dispatch("blocked")
            raise
        self.iccid, line = await sim.iccid(self.modem, self.profile, self.facts.iccid)
        self.facts = replace(self.facts, iccid=line)
        self.imsi = await attempt(self.modem, commands.IMSI)
        return "unlocked"

    async def format(self) -> str:
        self.mode = await self._mode()
        await self._patiently(commands.message_format(self.mode == "text"))
        if self.mode == "text":
            await accepted(self.modem, commands.SHOW_HEADERS)
            self.charset = await self._charset()
            from at.store.text_mode import (  # noqa: PLC0415 - few modems need it, and its codec
                TextMode,
            )

            self.modem.adopt(self.profile, TextMode(self.charset).urcs)
        return "formatted"

    async def store(self) -> str:
        try:
            offered = await self._patiently(commands.MEMORIES_OFFERED)
        except (CommandError, ReplyError):
            offered = []
        # Some offer memories while the SIM is still read, and then take no setting.
        with contextlib.suppress(CommandError, ReplyError):
            await self._patiently(commands.MEMORIES)
        self.memories = await storing.choose(self.modem, offered, self.profile.storages)
        return "stored"

    async def announce(self) -> str:
        known = self.facts.indications
        if not (known and await self._announce(known)):
            await self._announce_best(await attempt(self.modem, commands.INDICATIONS_OFFERED))
        self.facts = replace(self.facts, indications=self.indications)
        return "announced"

    async def _announce_best(self, offered: Sequence[frozenset[str]] | None) -> None:
        """Try the settings in their order until +CNMI? repeats one.

        A query that never changes proves nothing: then the best that was accepted is set last.
        """
        before = await attempt(self.modem, commands.INDICATIONS)
        best: tuple[int, ...] = ()
        for setting in negotiation.indications(offered):
            # A worse way of delivery is not tried for the sake of a query that proves nothing.
            if best and setting[1:2] != best[1:2] and self.told == before:
                break
            if await self._announce(setting):
                return
            if self.taken and not best:
                best = setting
        if best and len(best) > 1 and best[1]:
            log.info("+CNMI? repeats no setting; the best one stays set=%s", best)
            await self._announce(best, unproven=True)
        else:
            log.warning("the modem announces no messages; they are found by polling")

    async def _announce(self, setting: tuple[int, ...], *, unproven: bool = False) -> bool:
        """Try one +CNMI setting; whether it is in force. unproven: believe the modem's OK."""
        direct = len(setting) > 1 and setting[1] in {2, 3}
        # Phase 2+ waits for +CNMA after what is handed over: wanted there, and nowhere else.
        phase = await attempt(self.modem, commands.MESSAGE_SERVICE)
        wanted = int(direct)
        if (
            phase != wanted
            and (phase is not None or direct)
            and await accepted(self.modem, commands.message_service(wanted))
        ):
            phase = wanted
        self.taken = await accepted(self.modem, commands.indications(setting))
        if not self.taken:
            return False
        self.told = await attempt(self.modem, commands.INDICATIONS)
        if not (unproven or self.told is None or negotiation.agrees(setting, self.told)):
            log.info("+CNMI not taken as set set=%s told=%s", setting, self.told)
            return False
        self.indications = setting
        # Without +CSMS nobody can tell whether +CNMA is wanted: then it is sent as well.
        self.acknowledging = phase == 1 or (direct and phase is None)
        return True

    async def finish(self) -> str:
        for name in REGISTRATIONS:
            await accepted(self.modem, commands.announce_registration(name))
        self.wanted.facts[self.manufacturer, self.model, self.firmware] = self.facts
        return "finished"

    async def _mode(self) -> Mode:
        if self.wanted.sms_mode != "auto":
            return self.wanted.sms_mode
        formats = await attempt(self.modem, commands.MESSAGE_FORMATS)
        return "text" if formats is not None and "0" not in formats else "pdu"

    async def _charset(self) -> str:
        """Choose the TE character set: the profile's first that is offered and taken."""
        offered = await attempt(self.modem, commands.CHARSETS_OFFERED)
        for name in self.profile.charsets:
            if offered is None or name in offered:
                try:
                    await self.modem.send(commands.character_set(name))
                except CommandError:
                    continue
                return name
        return "IRA" if offered is None or "IRA" in offered else "GSM"

    async def _patiently(self, command: Command[R]) -> R:
        """Send until the SMS service has started after the modem's own start."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + SMS_READY_TIMEOUT_S
        while True:
            try:
                return await self.modem.send(command)
            except CommandError as error:
                if error.code not in _NOT_YET or loop.time() >= deadline:
                    raise
            await asyncio.sleep(POLL_S)
