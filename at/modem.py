"""Modem: one owner of one port, one command in flight, always in step with the modem."""

from __future__ import annotations

import asyncio
import itertools
import logging
import re
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from at.command import Command, UrcSpec, masked
from at.errors import CommandTimeoutError, PortLostError, ReplyError, StaleError
from at.port.transport import Port
from at.profiles.profile import NEVER, Profile
from at.protocol import CTRL_Z, ESC, AtProtocol, Event, Prompt, Reply, Stray, Unsolicited
from at.result_codes import command_error
from at.urcs import URCS, Restarted, SimState

log = logging.getLogger(__name__)
R = TypeVar("R")

RESYNC_TIMEOUT_S: Final = 10.0  # then the recovery ladder's next rung is due
PROBE_TIMEOUT_S: Final = 0.7  # a modem that wakes up must be noticed at once
CHATTER_S: Final = 3.0  # a modem that never pauses (a debug port, noise) is not waited for
QUIET_S: Final = 0.12  # a line that pauses longer than this has nothing more to say
PROMPT_TIMEOUT_S: Final = 15.0  # it needs no network; a modem that is busy may take its time
LONGEST_S: Final = 120.0  # 255 messages at 9600 baud are 45 s
RESTARTED_S: Final = 2.0  # what was in flight when the modem started anew is not answered
UNHEARD_S: Final = 2.0  # news after such a silence: the modem was away and did not hear us
SPEAKING_S: Final = 1.0  # a modem that speaks again answers at once, or not at all
SUSPECT_S: Final = 60.0  # a line that damages one answer may damage the next unseen
LAPSE_S: Final = 0.6  # of silence behind what looks like the end of a text that should go on
UNFOLLOWED_S: Final = 2.0  # of silence behind the header of a message that seems to be empty
WRECK_S: Final = 0.4  # after what looks like a final result code that lost an octet
# Some modems keep ESC in the line that AT then ends: it gets a line of its own, or is left out.
ESCAPES: Final = (ESC, ESC + b"\r", b"")
MAX_UNSENT: Final = 64  # octets; the body of a message follows a command that has been taken


def _hidden(data: bytes) -> str:
    """Octets for the log: bodies are for DEBUG, PINs for nobody."""
    text = data.decode("latin-1").rstrip()
    return text if data.endswith(CTRL_Z) else masked(text)


def _nothing(lines: tuple[str, ...]) -> None:
    """The probe's answer carries no information."""
    if lines:
        raise ReplyError("", lines)


# An unknown vendor's news: its own sign and name. Names of message commands are never news.
_FOREIGN = re.compile(r"[+^*#%&!$](?!C[MDNP]..?:)[A-Z0-9_ ]+:|RING$|NO CARRIER$")

# OK, ERROR, +CME ERROR: and +CMS ERROR: with an octet lost, doubled or put in.
_WRECK = re.compile(
    r"[OK]{1,3}|.?O.?K.?|E?.?R.?R?.?O.?R?|.{0,2}C.?[ME].{0,4}R.?[RO].{1,3}: ?.{0,40}"
)

PROBE: Final = Command("", _nothing, timeout_s=PROBE_TIMEOUT_S)


class Modem:
    """An open modem. Made by open(); every AT exchange goes through send().

    lost: set when the port went away; lost_reason says how. generation: rises whenever an index
    read before may mean another message now: at a resynchronisation, a restart of the modem;
    on_generation hears of it.
    bytes_in, bytes_out: octets on the line since open(). damage: lines so far that came amid an
    answer and may have been a part of it. tap: hears of all octets, True: to the modem.
    """

    def __init__(
        self,
        path: str,
        *,
        on_urc: Callable[[object], None] | None = None,
        on_stray: Callable[[str], None] | None = None,
        urcs: Sequence[UrcSpec[Any]] = URCS,
    ) -> None:
        self.path = path
        self.lost = asyncio.Event()
        self.lost_reason: str | None = None
        self.generation = 0
        self.bytes_in = 0
        self.bytes_out = 0
        self.damage = 0
        self.on_urc = on_urc
        self.on_stray = on_stray
        self.on_generation: Callable[[], None] | None = None
        self.tap: Callable[[bool, bytes], None] | None = None
        self._urcs = tuple(urcs)
        self._gap_s = 0.0
        self._chatter = NEVER
        self._echo = True
        self._news_at = 0.0
        self._boot_line = ""
        self._protocol = AtProtocol(urcs)
        self._lapse: asyncio.TimerHandle | None = None
        self._port: Port | None = None
        self._lock = asyncio.Lock()
        self._answer: asyncio.Future[Reply] | None = None
        self._body: bytes | None = None
        self._limit: asyncio.Timeout | None = None
        self._timeout_s = 0.0
        self._latest = 0.0
        self._long = False
        self._unended_s = 0.0
        self._patient = True
        self._sent_at = 0.0
        self._out_of_step = False
        self._heard_at = 0.0
        self._suspect_until = 0.0
        self._loop = asyncio.get_running_loop()

    @classmethod
    async def open(
        cls,
        port: str,
        *,
        baudrate: int = 115200,
        on_urc: Callable[[object], None] | None = None,
        on_stray: Callable[[str], None] | None = None,
        urcs: Sequence[UrcSpec[Any]] = URCS,
    ) -> Modem:
        """Open the port: a device path or socket://host:port. Nothing is sent yet.

        on_urc: called on the loop with each unsolicited code's value; must be quick.
        Raises PortBusyError, PortError.
        """
        modem = cls(port, on_urc=on_urc, on_stray=on_stray, urcs=urcs)
        modem._port = await Port.open(port, baudrate=baudrate, receiver=modem)
        return modem

    @property
    def heard_at(self) -> float:
        """Loop time at which the last octet came; 0.0 before the first."""
        return self._heard_at

    @property
    def line_suspect(self) -> bool:
        """Whether octets were lost or put in during the last SUSPECT_S seconds."""
        return self._loop.time() < self._suspect_until

    @property
    def in_step(self) -> bool:
        """False from a timeout or a cancelled send until the next resynchronisation."""
        return not self._out_of_step

    def distrust(self) -> None:
        """Take the line for one that loses octets, for SUSPECT_S seconds."""
        self._suspect_until = self._loop.time() + SUSPECT_S

    async def send(self, command: Command[R], *, generation: int | None = None) -> R:
        """Send one command, wait its turn and its answer; returns what its `parse` makes of it.

        generation: send only while this is the modem's generation. Raises CommandError (another
        final result code than OK), CommandTimeoutError, ReplyError, PortLostError, StaleError.
        After a timeout or a cancellation the next send resynchronises first.
        """
        async with self._lock:
            if self._out_of_step:
                await self._resynchronise(RESYNC_TIMEOUT_S)
            if generation is not None and generation != self.generation:
                raise StaleError(command.shown, generation)
            damage = self.damage
            reply = await self._exchange(command)
            if reply.final != "OK":
                if reply.lines:
                    await self._doubt(command, damaged=self.damage > damage)
                raise command_error(command.shown, reply.final)
            try:
                return command.parse(reply.lines)
            except ReplyError:
                await self._doubt(command, damaged=self.damage > damage)
                raise

    async def resynchronise(self, timeout_s: float = RESYNC_TIMEOUT_S) -> None:
        """Bring both sides back in step: ESC, drain, AT until exactly one OK comes per AT.

        Raises CommandTimeoutError when the modem does not answer in time, PortLostError.
        """
        async with self._lock:
            await self._resynchronise(timeout_s)

    async def close(self) -> None:
        """Close the port; what is in flight ends with PortLostError. Safe to call twice."""
        self._end("closed")
        port, self._port = self._port, None
        if port is not None:
            await port.close()

    def adopt(self, profile: Profile, urcs: Sequence[UrcSpec[Any]] = ()) -> None:
        """Take on a vendor's habits, once it is known whose modem this is.

        urcs: codes that go before the profile's and the usual ones.
        """
        self._gap_s = profile.gap_s
        self._chatter = profile.chatter
        self._protocol.urcs = (*urcs, *profile.urcs, *self._urcs)

    def expect_echo(self, expected: bool) -> None:
        """Say whether the modem's echo is on; where it should be off, one tells of a restart."""
        self._echo = expected

    def check(self) -> None:
        """Notice a device that vanished without a word: `lost` is set if so."""
        if self._port is not None and self._port.gone():
            self.lost_now("the device is gone")

    def lost_now(self, reason: str) -> None:
        """Declare the port lost; whoever waits for an answer gets PortLostError."""
        self._end(reason)

    # -- the exchange ----------------------------------------------------------------------------

    async def _exchange(self, command: Command[Any], *, escape: bytes = b"") -> Reply:
        """Write one command, wait for its final result code: the choke point of all AT traffic.

        escape: written first, to leave a prompt that the modem may stand at. The caller holds
        the lock.
        """
        port = self._port
        if port is None or self.lost.is_set():
            raise PortLostError(self.path, self.lost_reason or "closed")
        if self._gap_s and self._loop.time() < self._news_at + self._gap_s:
            await asyncio.sleep(self._news_at + self._gap_s - self._loop.time())
        if escape:
            self._write(port, escape)
            await self._quiet()
        if self.lost.is_set():
            raise PortLostError(self.path, self.lost_reason or "closed")
        answer: asyncio.Future[Reply] = self._loop.create_future()
        line = self._protocol.start(command)
        self._answer = answer
        self._body = command.body
        self._write(port, line)
        first_s = command.timeout_s
        if command.body is not None:
            first_s = min(first_s, PROMPT_TIMEOUT_S)
        self._timeout_s = command.timeout_s
        self._sent_at = self._loop.time()
        self._latest = self._sent_at + LONGEST_S
        self._long = command.follow is not None or command.length is not None
        self._unended_s = command.unended_s
        self._patient = command.patient or command.body is not None
        try:
            async with asyncio.timeout(first_s) as self._limit:
                return await answer
        except TimeoutError:
            stage = self._stage()
            self._out_of_step = True
            self.check()
            if command.unended_s and self._protocol.lines:
                return Reply(self._protocol.lines, "OK")
            raise CommandTimeoutError(command.shown, command.timeout_s, stage) from None
        except asyncio.CancelledError:
            self._out_of_step = True
            raise
        finally:
            self._answer = None
            self._body = None
            self._limit = None
            self._events(self._protocol.abandon())

    async def _resynchronise(self, timeout_s: float) -> None:
        self._renew()
        log.info("resynchronising path=%s generation=%d", self.path, self.generation)
        deadline = self._loop.time() + timeout_s
        self._out_of_step = True
        answered = False
        escapes = itertools.cycle(ESCAPES)
        while self._loop.time() < deadline:
            self._out_of_step = False
            try:
                reply = await self._exchange(PROBE, escape=b"" if answered else next(escapes))
            except CommandTimeoutError:
                answered = False
                continue
            answered = True
            # A further final result code in the silence after the answer: it was not ours.
            await self._quiet()
            if reply.final == "OK" and self.in_step:
                return
        self._out_of_step = True
        raise CommandTimeoutError("", timeout_s, "result")

    async def _doubt(self, command: Command[Any], *, damaged: bool) -> None:
        """After an odd answer: out of step, unless it was complete and nothing follows it."""
        if damaged or command.follow is not None or command.length or command.body is not None:
            self._out_of_step = True  # what can be taken for another message is not trusted
            return
        try:
            await self._quiet()
        except asyncio.CancelledError:
            self._out_of_step = True
            raise

    async def _quiet(self) -> None:
        """Wait until the line has been silent for QUIET_S, but no longer than CHATTER_S."""
        now = self._loop.time()
        begun, end = now, now + CHATTER_S
        while not self.lost.is_set():
            left = min(max(begun, self._heard_at) + QUIET_S, end) - self._loop.time()
            if left <= 0:
                return
            await asyncio.sleep(left)

    def _end_within(self, left_s: float) -> None:
        """Move the deadline of the command in flight."""
        if self._limit is not None and not self._limit.expired():
            self._limit.reschedule(self._loop.time() + left_s)

    def _end_sooner(self, left_s: float) -> None:
        """Move the deadline of the command in flight, but never away."""
        if self._limit is not None:
            left = (self._limit.when() or 0.0) - self._loop.time()
            self._end_within(min(left, left_s))

    def _stage(self) -> str:
        """How far the command in flight has come; before its prompt no body has been written."""
        if self._protocol.awaiting_prompt:
            return "prompt"
        return "write" if self._body is None and self._port and self._port.unsent else "result"

    def _write(self, port: Port, data: bytes) -> None:
        if port.unsent > MAX_UNSENT:
            return  # a stuck port takes nothing; the timeout will tell, the buffer stays small
        self.bytes_out += len(data)
        if self.tap is not None:
            self.tap(True, data)
        port.write(data)
        if log.isEnabledFor(logging.DEBUG):
            log.debug("> %s", _hidden(data))

    # -- the port's Receiver ---------------------------------------------------------------------

    def received(self, data: bytes) -> None:
        """Octets came from the port."""
        self.bytes_in += len(data)
        if self.tap is not None:
            self.tap(False, data)
        self._heard_at = self._loop.time()
        before = self._protocol.taken
        events = self._protocol.feed(data)
        if self._long and self._protocol.taken > before and self._heard_at < self._latest:
            self._end_within(self._timeout_s)
        if self._unended_s and self._protocol.taken > before:
            self._end_sooner(self._unended_s)
        self._events(events)
        self._watch_text()

    def _watch_text(self) -> None:
        """A text whose length lies is bounded by its lines, once the line is silent behind it."""
        if self._lapse is not None:
            self._lapse.cancel()
            self._lapse = None
        if self._protocol.overdue:
            self._lapse = self._loop.call_later(LAPSE_S, self._give_up_text)
        elif self._protocol.unfollowed:
            self._lapse = self._loop.call_later(UNFOLLOWED_S, self._give_up_text)

    def _give_up_text(self) -> None:
        self._lapse = None
        while self._protocol.overdue or self._protocol.unfollowed:
            log.info("text shorter than its header says")
            self._events(self._protocol.lapse())

    def port_lost(self, reason: str) -> None:
        """The port went away."""
        self._end(reason)

    def _events(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Reply):
                self._settle(event)
            elif isinstance(event, Unsolicited):
                self._unsolicited(event.urc)
            elif isinstance(event, Prompt):
                if self._port is not None and self._body is not None:
                    self._write(self._port, self._body + CTRL_Z)
                    self._end_within(self._timeout_s)
            else:
                self._stray(event)

    def _settle(self, reply: Reply) -> None:
        if log.isEnabledFor(logging.DEBUG):
            for line in (*reply.lines, reply.final):
                log.debug("< %s", line)
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(reply)
        if reply.echoed and not self._echo:
            self._echo = True
            self._unsolicited(Restarted("the echo is on again"))

    def _unsolicited(self, urc: object) -> None:
        log.debug("< (urc) %r", urc)
        self._news_at = self._loop.time()
        if isinstance(urc, Restarted):
            if urc.line.startswith("^BOOT") and urc.line == self._boot_line:
                return  # Huawei sticks repeat it every minute, with the same number until restarted
            self._boot_line = urc.line
            self._restarted()
        elif isinstance(urc, SimState):
            self._renew()  # another card may be in
        self._speaking()
        if self.on_urc is not None:
            self.on_urc(urc)

    def _renew(self) -> None:
        """Begin a new generation, and say so: news may have been lost on the way to it."""
        self.generation += 1
        if self.on_generation is not None:
            self.on_generation()

    def _restarted(self) -> None:
        self._renew()
        self._long = False
        self._end_sooner(RESTARTED_S)

    def _speaking(self) -> None:
        """News came: nothing may be left to wait for, where no line of the answer has come."""
        silent = not self._patient and not self._protocol.taken
        if silent and self._loop.time() > self._sent_at + UNHEARD_S:
            self._patient = True  # once for each command
            self._end_sooner(SPEAKING_S)

    def _stray(self, stray: Stray) -> None:
        log.debug("< (stray) %r", stray.line)
        self._news_at = self._loop.time()
        foreign = _FOREIGN.match(stray.line) or self._chatter.fullmatch(stray.line)
        if self._answer is not None and not foreign:
            self.damage += 1
            self.distrust()
            if _WRECK.fullmatch(stray.line):
                self._end_within(WRECK_S)
        if stray.final:
            self._out_of_step = True
        if self.on_stray is not None:
            self.on_stray(stray.line)

    def _end(self, reason: str) -> None:
        if self.lost.is_set():
            return
        self.lost_reason = reason
        self.lost.set()
        if self._lapse is not None:
            self._lapse.cancel()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(PortLostError(self.path, reason, self._stage()))
