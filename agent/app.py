"""The composition root: builds every part, runs them all, and ends them in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sqlite3
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from agent.channels.mqtt.device_state import Presence
from agent.channels.sms import SmsChannel
from agent.commands.catalogue import build
from agent.commands.executor import Executor
from agent.commands.scheduler import Scheduler
from agent.config.model import Config, control_path
from agent.control.server import Control
from agent.inbound.inbox import Inbox
from agent.inbound.intake import Intake
from agent.inbound.judge import Judge
from agent.journal.journal import Journal, JournalError
from agent.journal.retention import Housekeeping
from agent.journal.rows import CommandRow
from agent.modem.link import Link
from agent.modem.pin_store import pin_memory
from agent.reports.delivery import Reporter
from agent.reports.planner import Planner
from agent.sms.queue import SendQueue
from agent.sms.sender import Sending
from agent.system import sd_notify
from agent.system.clock import Clock, from_iso
from agent.system.events import Event, Events
from agent.system.lasting import Lasting
from agent.system.lazy_import import lazily
from agent.system.ntp import Ntp
from agent.system.watchdog import Pulse

if TYPE_CHECKING:
    from agent.channels.mqtt.channel import MqttChannel

__all__ = ["App"]

log = logging.getLogger(__name__)

MQTT_AFTER_S: Final = 1.0
FAILURES_MAX: Final = 5  # of one loop within FAILURES_WITHIN_S: then the process starts anew
FAILURES_WITHIN_S: Final = 600.0
FAILURE_PAUSE_S: Final = 1.0
RECALLED_MAX: Final = 500  # messages whose time stamps are remembered over a restart
PULSE_S: Final = 20.0  # deadline of a journal read; after it the watchdog is not fed


class App:
    """One agent. It is also what handlers may use of it (agent.commands.registry.Services)."""

    def __init__(
        self, config: Config, journal: Journal, keys: Mapping[str, bytes], clock: Clock
    ) -> None:
        self.config = config
        self.journal = journal
        self.clock = clock
        self.events = Events()
        self.registry = build(config)
        self.pulse = Pulse()
        self.link = Link(
            config.modem,
            journal,
            self.clock,
            self.events,
            pulse=self.pulse,
            pin=_secret(config.modem.pin_file),
            pin_memory=pin_memory(journal.path.with_name("refused-pins.json")),
        )
        self._began = time.monotonic()
        self.restart_requested = False
        self._stop = asyncio.Event()
        self._group: asyncio.TaskGroup | None = None
        self._recovered = False
        self._running: set[asyncio.Task[None]] = set()
        self.planner = Planner(config.report, has_mqtt=config.mqtt is not None)
        self.judge = Judge(config, self.registry, self.clock, keys)
        self.intake = Intake(
            journal,
            self.judge,
            self.planner,
            self.clock,
            self.events,
            wake=self._wake_scheduler,
            wake_others=self.wake,
        )
        self.sending = Sending(
            journal,
            self.link,
            self.clock,
            config.budget,
            pulse=self.pulse,
        )
        self.send_queue = SendQueue(
            journal,
            self.link,
            self.clock,
            self.events,
            self.planner,
            self.sending,
            wake_others=self.wake,
        )
        self.scheduler = Scheduler(
            journal,
            self.clock,
            self.registry,
            self.planner,
            self.events,
            per_minute=config.budget.commands_per_minute,
            start=self._start,
            wake_others=self.wake,
        )
        self.executor = Executor(
            journal,
            self.planner,
            self.events,
            services=self,
            is_late=self.scheduler.is_late,
            ended=self.scheduler.done,
        )
        self.inbox = Inbox(
            journal,
            self.link,
            self.intake,
            self.planner,
            self.clock,
            poll_s=config.modem.poll_s,
            pulse=self.pulse,
        )
        rows = {platform.name: platform for platform in config.platforms}
        self.reporters = [
            Reporter(journal, self.clock, self.events, SmsChannel(self.sending, self.link, rows))
        ]
        self.mqtt: MqttChannel | None = None
        self.control = Control(self, config.control.socket or control_path())
        self.presence: Presence | None = None
        if config.mqtt is not None:
            # It hears of events from the start; the connection comes after the modem.
            self.presence = Presence(config, self.registry, self.link)
            self.events.watch(self.presence.watch)

    async def _run_mqtt(self) -> None:
        """Keep the connection, tell what the device is, bring reports there."""
        # The modem first: what lies in it does not wait for the import of a library.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(MQTT_AFTER_S):
                await self.inbox.drained.wait()
        if self.mqtt is None:
            self._build_mqtt()
        assert self.mqtt is not None  # noqa: S101 - built just above
        async with asyncio.TaskGroup() as group:
            group.create_task(self.mqtt.run())
            if self.presence is not None:
                group.create_task(self.presence.run())
            group.create_task(self.reporters[-1].run())

    def _build_mqtt(self) -> None:
        lazily("urllib.request")  # paho's way through proxies, with PySocks only: 2 MB, http, email
        from agent.channels.mqtt.channel import (  # noqa: PLC0415 - 4 MB that only a broker needs
            MqttChannel,
        )
        from agent.channels.mqtt.reports import MqttReports  # noqa: PLC0415
        from agent.channels.mqtt.requests import MqttRequests  # noqa: PLC0415

        assert self.config.mqtt is not None and self.presence is not None  # noqa: S101, PT018
        requests = MqttRequests(
            self.intake,
            self.journal,
            self.planner,
            self.clock,
            self.events,
            self.config.commands["sms"],
            signatures=self.config.security.require_signature == "always",
            wake=self.wake,
        )
        self.mqtt = MqttChannel(
            self.config.mqtt,
            self.config.device.id,
            on_request=requests.take,
            birth=self.presence.birth,
            on_refusal=self._tell_refusal,
        )
        self.presence.mqtt = self.mqtt
        self.reporters.append(
            Reporter(self.journal, self.clock, self.events, MqttReports(self.mqtt))
        )

    def _tell_refusal(self, state: str, detail: str) -> None:
        self.events.tell(Event(self.clock.wall(), "mqtt", state=state, detail=detail))

    # ---- what handlers may use ------------------------------------------------------------

    def now(self) -> datetime:
        """Return the wall clock's time: for records."""
        return self.clock.wall()

    def uptime_s(self) -> float:
        """Return seconds since the agent started."""
        return time.monotonic() - self._began

    def request_restart(self) -> None:
        """End in an orderly way; `restart_requested` tells the caller of run to start again."""
        self.restart_requested = True
        self._stop.set()

    def _end(self) -> None:
        """End in an orderly way, and for good: also where a restart has just been asked for."""
        self.restart_requested = False
        self._stop.set()

    def wake(self) -> None:
        """Let the scheduler, the senders and the reporter look at the journal again."""
        self.scheduler.wake()
        self.send_queue.wake()
        for reporter in self.reporters:
            reporter.wake()

    def _wake_scheduler(self) -> None:
        self.scheduler.wake()

    # ---- the life of the process ----------------------------------------------------------

    async def run(self) -> None:
        """Run until SIGTERM, SIGINT, SIGHUP or a restart is asked for.

        Raises JournalError where the journal was found damaged: start anew, it is set aside then.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup: it outlives the terminal
            loop.add_signal_handler(signal.SIGHUP, self._end)
        await self.journal.read(self._recall)
        self.control.listen()
        async with asyncio.TaskGroup() as group:
            self._group = group
            loops: dict[str, Callable[[], Awaitable[None]]] = {
                "link": self.link.run,
                "inbox": self.inbox.run,
                "commands": self._run_commands,
                "sending": self.send_queue.run,
                "control": self.control.run,
                "ntp": Ntp(self.clock).run,
                "housekeeping": Housekeeping(self.journal, self.clock).run,
            }
            for reporter in self.reporters:
                loops[f"reporter {reporter.name}"] = reporter.run
            if self.presence is not None:
                loops["mqtt"] = self._run_mqtt
            tasks = [
                group.create_task(self._supervise(name, run), name=name)
                for name, run in loops.items()
            ]
            tasks.append(group.create_task(self._feed_watchdog(), name="watchdog"))
            sd_notify.ready(self._status_line())
            self.events.watch(self._tell_manager)
            log.info("agent ready device=%s", self.config.device.id)
            self._tell_loss()
            await self._wait_for_end()
            sd_notify.stopping()
            for task in tasks:
                task.cancel()
            for task in self._running:
                task.cancel()
        if self.journal.failed.done():
            raise self.journal.failed.result()

    def _tell_loss(self) -> None:
        """Say that what an earlier journal knew is lost, as long as nobody has confirmed that."""
        if self.journal.unproven:
            detail = "an earlier journal is lost: what is unproven is refused until confirmed"
            log.critical("journal unproven: %s", detail)
            self.events.tell(Event(self.now(), "journal", state="unproven", detail=detail))

    def _tell_manager(self, event: Event) -> None:
        if event.kind == "link":
            sd_notify.status(self._status_line())

    def _status_line(self) -> str:
        """Say in one line how the box is: what `systemctl status` shows."""
        identity = self.link.identity
        name = f" {identity.manufacturer} {identity.model}".rstrip() if identity else ""
        reason = f": {self.link.reason}" if self.link.reason else ""
        return f"modem{name} {self.link.state}{reason}"

    async def _wait_for_end(self) -> None:
        """Return when the process shall end: asked to, or the journal was found damaged."""
        stopped: asyncio.Future[Any] = asyncio.ensure_future(self._stop.wait())
        ends: list[asyncio.Future[Any]] = [stopped, self.journal.failed]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()

    async def _run_commands(self) -> None:
        """Settle what an earlier process left behind, then run what is due, for ever."""
        if not self._recovered:
            await self.executor.recover()
            await self.scheduler.adopt()
            self._recovered = True
        async with asyncio.TaskGroup() as group:
            group.create_task(self.executor.decide())
            group.create_task(self.scheduler.run())

    def _recall(self, db: sqlite3.Connection) -> None:
        """Tell the clock the newest time stamps of senders that may command."""
        known = {platform.name: platform for platform in self.config.platforms}
        newest = db.execute(
            "SELECT platform, sent_at, elapsed() - m.elapsed_s,"
            " (SELECT key FROM commands c WHERE c.n = m.command)"
            " FROM (SELECT * FROM messages ORDER BY n DESC LIMIT ?) m"
            " WHERE channel = 'sms' AND sent_at <> '' ORDER BY n DESC",
            (RECALLED_MAX,),
        ).fetchall()
        for name, sent_at, age_s, key in reversed(newest):
            platform = known.get(name)
            if platform is not None and self.judge.is_proven(platform, signed=key is not None):
                self.clock.tell_lower_bound(from_iso(sent_at), age_s=age_s)

    def _start(self, row: CommandRow) -> None:
        assert self._group is not None  # noqa: S101 - the scheduler runs inside the group
        task = self._group.create_task(
            self._supervise(f"command {row.id}", lambda: self.executor.execute(row), once=True)
        )
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _supervise(
        self, name: str, run: Callable[[], Awaitable[None]], *, once: bool = False
    ) -> None:
        """Run a loop and start it again should it fail; too many failures end the process."""
        failures: list[float] = []
        while True:
            try:
                await run()
            except Exception:
                log.exception("failed part=%s", name)
                now = time.monotonic()
                failures = [at for at in failures if now - at < FAILURES_WITHIN_S] + [now]
                if len(failures) >= FAILURES_MAX:
                    raise
            if once:
                return
            await asyncio.sleep(FAILURE_PAUSE_S * len(failures))

    async def _feed_watchdog(self) -> None:
        period_s = sd_notify.watchdog_period_s()
        if period_s is None:
            return
        lasting = Lasting()
        while True:
            trouble = await self._trouble()
            if not trouble:
                sd_notify.watchdog()
                if lasting.end():
                    log.warning("watchdog fed again")
            elif lasting.is_news(trouble):
                log.error("%s", trouble)
            await asyncio.sleep(period_s / 2)

    async def _trouble(self) -> str:
        """Say what stands still, or "". A disk that hangs ends nothing by itself."""
        try:
            async with asyncio.timeout(PULSE_S):
                await self.journal.read(lambda db: db.execute("SELECT 1").fetchone())
        except TimeoutError:
            return f"no watchdog: the journal does not answer within {PULSE_S:g} s"
        except (JournalError, sqlite3.Error) as error:
            return f"no watchdog: {error}"
        late = self.pulse.late()
        return f"no watchdog: these loops hang parts={', '.join(late)}" if late else ""


def _secret(path: Path | None) -> str | None:
    """Return what a secret's file holds, line ends and a byte order mark dropped."""
    return None if path is None else path.read_text(encoding="utf-8-sig").rstrip("\r\n")
