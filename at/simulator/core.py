"""The simulated modem as a pure machine: bytes and the time in, bytes and due times out."""

from __future__ import annotations

from copy import deepcopy
from datetime import datetime

from at.simulator.commands import ROWS
from at.simulator.commands.network import registration_changed
from at.simulator.device import EPOCH, Device
from at.simulator.impairments import Impairments
from at.simulator.interpreter import Interpreter
from at.simulator.lines import Call
from at.simulator.personalities import personality as named
from at.simulator.personality import Beat, Boot, Personality
from at.simulator.state import Faults, Settings
from at.simulator.storage import Stores
from at.simulator.table import Modem, Row, perform, plain, vendor
from at.simulator.traffic import Sent, Traffic
from at.simulator.values import Outcome, Refused, Reply


class SimulatedModem:
    """One modem.

    personality: a row or its name. seed: of every random fault. epoch: wall time at time 0.
    boot: start with power-up (its lines, its delays) instead of as a modem that has been on.

    The owner calls advance(now_s) before anything else that happens at now_s, and sends what
    drain() returns to the host; due_s says when the next advance() is wanted.
    """

    def __init__(
        self,
        personality: Personality | str = "generic",
        *,
        seed: int = 0,
        epoch: datetime = EPOCH,
        boot: bool = False,
    ) -> None:
        self.personality = named(personality) if isinstance(personality, str) else personality
        self.device = Device(self.personality, seed=seed, epoch=epoch)
        self.traffic = Traffic(self.device)
        self._modem = Modem(self.device, self.traffic)
        self._rows = {
            name: row for name, row in ROWS.items() if name not in self.personality.without
        }
        self._rows |= {
            name: plain(name, default=value) for name, value in self.personality.plains.items()
        }
        self._rows |= {extra.name: vendor(extra) for extra in self.personality.extras}
        if "+CLAC" not in self.personality.without:
            self._rows["+CLAC"] = Row("+CLAC", run=self._all_commands)
        self._impairments = Impairments(self.device.faults, seed)
        self._interpreter = Interpreter(self.device, self._perform)
        self._deaf_until_s = 0.0
        if boot:
            self.restart()
        else:
            for beat in self.personality.beats:
                self._beat(beat)

    @property
    def faults(self) -> Faults:
        """What is wrong with the modem; change its fields at any time."""
        return self.device.faults

    @property
    def stores(self) -> Stores:
        """The message memories."""
        return self.device.stores

    @property
    def sent(self) -> list[Sent]:
        """Messages the network took, oldest first."""
        return self.traffic.sent

    @property
    def due_s(self) -> float | None:
        """When advance() is wanted next; None: never by itself."""
        return self.device.timers.due_s

    def advance(self, now_s: float) -> None:
        """Let time pass: every timer that is due fires at its own time, in order."""
        while (timer := self.device.timers.pop(now_s)) is not None:
            self.device.now_s = max(self.device.now_s, timer.due_s)
            timer.action()
            self._settle()
        self.device.now_s = max(self.device.now_s, now_s)

    def feed(self, data: bytes) -> None:
        """Take bytes from the host, at the time of the last advance()."""
        if self.device.off or self.faults.mute or self.device.now_s < self._deaf_until_s:
            return
        self._interpreter.feed(self._impairments.incoming(data))
        self._settle()

    def drain(self) -> bytes:
        """Return what the modem says to the host since the last call."""
        if self._interpreter.flush_news() and self.personality.deaf_after_urc_s:
            self._deaf_until_s = self.device.now_s + self.personality.deaf_after_urc_s
        blocks = self._interpreter.out[:]
        self._interpreter.out.clear()
        if self.faults.mute:
            return b""
        return b"".join(self._impairments.outgoing(block) for block in blocks)

    def deliver(self, pdu: str, *, announce: bool = True, storage: str | None = None) -> int | None:
        """Bring a message to the modem; see Traffic.deliver."""
        return self.traffic.deliver(pdu, announce=announce, storage=storage)

    def say(self, *lines: str) -> None:
        """Say an unsolicited block of lines."""
        self.device.say(*lines)

    def register(self, stat: int, access: int | None = None) -> None:
        """Change the registration (<stat> and <AcT> of TS 27.007 §7.2), telling who asked."""
        self.device.radio.registration = stat
        if access is not None:
            self.device.radio.access = access
        registration_changed(self._modem)

    def restart(self) -> None:
        """Restart: what is under way is lost, volatile settings fall back, boot lines follow."""
        device, row = self.device, self.personality
        device.restarts += 1
        device.wanted = ""
        for name in ("busy", "boot", "beat"):
            device.timers.cancel(name)
        self.traffic.power_lost()
        self._interpreter.reset()
        device.news.clear()
        stored = device.stored_settings
        device.settings = deepcopy(stored) if stored else Settings.fresh(row)
        device.stores.chosen = row.chosen
        device.radio.functionality = 1
        device.off = False
        device.sim.power_up()
        self._deaf_until_s = device.now_s + row.answers_s
        device.sim.readable_at_s = device.now_s + row.sim_ready_s
        device.sms_from_s = device.now_s + row.sms_ready_s
        for line in row.boot:
            self._boot_later(line)
        for beat in row.beats:
            self._beat(beat)
        device.timers.at(device.sms_from_s, "boot", self.traffic.offer_waiting)

    def _boot_later(self, line: Boot) -> None:
        def speak() -> None:
            if line.needs != "sim" or self.device.sim_ready:
                self.device.say(line.line.format_map(self.device.facts()))

        self.device.timers.at(self.device.now_s + line.after_s, "boot", speak)

    def _beat(self, beat: Beat) -> None:
        def speak() -> None:
            if not beat.unless or self.device.settings.plain.get(beat.unless, 1):
                self.device.say(beat.line)
            self._beat(beat)

        self.device.timers.at(self.device.now_s + beat.every_s, "beat", speak)

    def _settle(self) -> None:
        """Restart or switch off once the command that wanted it has been answered."""
        if not self.device.wanted or not self._interpreter.idle:
            return
        if self.device.wanted == "restart":
            self.restart()
        else:
            self.device.wanted = ""
            self.device.off = True

    def _perform(self, call: Call) -> Outcome:
        own = self.personality.answers.get(call.text)
        if own is not None:
            return own
        row = self._rows.get(call.name)
        if row is None:
            raise Refused
        return perform(row, call, self._modem)

    def _all_commands(self, _: Modem) -> Outcome:
        names = sorted(name for name in self._rows if not name.startswith("S"))
        return Reply(tuple(f"AT{name}" for name in names))
