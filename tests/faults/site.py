"""One simulated modem and one whole agent in this process, in a folder of their own.

Everything is the agent's own: App, journal on disk, serial port on a pty, programs as children.
Only waiting is shortened, and only here: see `shortened`.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import os
import sqlite3
import time
import unittest.mock
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from agent.app import App
from agent.config.loader import parse
from agent.journal.journal import Journal
from agent.modem.recovery_ladder import LADDER, Rung
from agent.system.clock import Clock
from at.simulator.personality import Personality
from at.simulator.shell import Shell
from tests.faults.modems import ArmedPty, ArmedTcp
from tests.support.agent import toml

SENDER = "000"  # super-sim: closed, so its commands need no signature
POLL_S = 0.02
UNDER_WAY = "SELECT count(*) FROM commands WHERE state IN ('accepted', 'scheduled', 'running')"

# The ladder's own order and budgets, with less patience.
_SETTLE = {"reopen": 0.3, "reset": 1.5, "power-cycle": 1.5, "back-off": 3.0}
QUICK_LADDER = tuple(
    replace(
        rung,
        patience_s=min(rung.patience_s, 6.0),
        settle_s=_SETTLE.get(rung.name, 0.0),
        after_s=rung.after_s / 10,
    )
    for rung in LADDER
)
# Constants of the agent and the driver that a test need not wait for in full.
_SHORTER: Mapping[str, Any] = {
    "agent.modem.link.SIM_RETRY_S": 3.0,
    "agent.sms.queue.BACK_OFF_S": (1.0,),
    "agent.reports.delivery.BACK_OFF_S": (1.0, 2.0, 3.0),
    "at.commands.SEND_TIMEOUT_S": 8.0,
}


@contextlib.contextmanager
def shortened() -> Iterator[None]:
    """Shorten what agents in this process wait for; every other limit is as in the field."""
    with contextlib.ExitStack() as stack:
        for name, value in _SHORTER.items():
            stack.enter_context(unittest.mock.patch(name, value))
        yield


class StuckError(AssertionError):
    """Something that was waited for did not come."""


@dataclass(frozen=True, slots=True)
class Taken:
    """One row of the ladder's history."""

    rung: str
    cause: str
    outcome: str


class Site:
    """A modem and an agent. Use as an async context manager; `start` starts the agent.

    personality, options: as PtyModem takes them. tcp: behind socket:// instead of on a pty.
    ladder: the rungs, None: the agent's own. settings: merged over the defaults, table by table.
    modem: in place of all that, one whose link is folder/modem.
    """

    def __init__(
        self,
        folder: Path,
        personality: Personality | str = "generic",
        *,
        tcp: bool = False,
        ladder: tuple[Rung, ...] | None = QUICK_LADDER,
        settings: Mapping[str, Mapping[str, Any]] | None = None,
        modem: Shell | None = None,
        **options: Any,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.ladder = ladder
        options.setdefault("seed", 3)
        if modem is None and not tcp:
            options["link"] = folder / "modem"
        self.modem = modem or (ArmedTcp if tcp else ArmedPty)(personality, **options)
        self._settings = settings or {}
        self._tcp = tcp
        self._app: App | None = None
        self._journal: Journal | None = None
        self._running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self.modem.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()
        await self.modem.__aexit__(None, None, None)

    @property
    def app(self) -> App:
        """The agent that runs."""
        assert self._app is not None
        return self._app

    async def start(self) -> None:
        """Start the agent on what an earlier one left behind."""
        config = parse(toml(self._configuration()))
        clock = Clock()
        self._journal = await Journal.open(config.journal.path, clock)
        with unittest.mock.patch.dict(os.environ, {"RUNTIME_DIRECTORY": str(self.folder)}):
            self._app = App(config, self._journal, {}, clock)
        if self.ladder is not None:
            self._app.link.ladder = self.ladder
        self._running = asyncio.create_task(self._app.run())

    async def stop(self) -> None:
        """End the agent in order."""
        if self._running is not None:
            self.app.request_restart()
            await asyncio.wait_for(self._running, 20.0)
            self._running = None
        if self._journal is not None:
            await self._journal.close()
            self._journal = None

    def _configuration(self) -> dict[str, Any]:
        base: dict[str, Any] = {
            "device": {"id": "gw"},
            "modem": {
                "port": self.modem.path if self._tcp else self.folder / "modem",
                "poll_s": 3,
            },
            "platforms": {"enabled": ["super-sim", "programmable-wireless"]},
            "report": {"route": "sms"},
            "budget": {"sms_per_hour": 9999, "sms_per_day": 9999, "commands_per_minute": 9999},
            "journal": {"path": self.folder / "journal.db"},
            "command": {
                "mark": {
                    "exec": [
                        "/bin/sh",
                        "-c",
                        f"echo $MODEM_AGENT_COMMAND_ID >>{self.folder}/effects",
                    ]
                }
            },
        }
        for name, table in self._settings.items():
            base[name] = {**base.get(name, {}), **table}
        return base

    # ---- waiting ----------------------------------------------------------------------------

    async def until(self, probe: Callable[[], Any], what: str, *, timeout_s: float = 60.0) -> float:
        """Return the monotonic time at which probe() became true. Raises StuckError."""
        deadline = time.monotonic() + timeout_s
        while not probe():
            if self._running is not None and self._running.done():
                self._running.result()
                raise StuckError(f"the agent has ended: no {what}")
            if time.monotonic() > deadline:
                raise StuckError(f"no {what} in {timeout_s:g} s; {self.told()}")
            await asyncio.sleep(POLL_S)
        return time.monotonic()

    async def quiet(self, for_s: float = 0.4) -> None:
        """Return once the link is ready and nothing has passed on the line for a while."""
        await self.until(lambda: self.app.link.state == "ready", "ready link")
        seen, since = -1, time.monotonic()
        while time.monotonic() - since < for_s:
            count = self.modem.bytes_in + self.modem.bytes_out
            if count != seen:
                seen, since = count, time.monotonic()
            await asyncio.sleep(POLL_S)

    # ---- what there is ----------------------------------------------------------------------

    def command(self, id_: str, *, announce: bool = True) -> None:
        """Bring the message that has the agent leave one mark."""
        self.modem.deliver_text(SENDER, f"mark id={id_}", announce=announce)

    def effects(self) -> collections.Counter[str]:
        """How often each command had its effect."""
        path = self.folder / "effects"
        return collections.Counter(path.read_text().split() if path.exists() else [])

    def stored(self) -> int:
        """Messages that lie in the modem or wait in the network."""
        used = sum(memory.used for memory in self.modem.store.memories.values())
        return used + len(self.modem.core.traffic.waiting)

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask the journal's file, beside the agent."""
        path = self.folder / "journal.db"
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
            return db.execute(sql, values).fetchall()

    def history(self) -> list[Taken]:
        """What the ladder's history says, oldest first."""
        found = self.rows("SELECT rung, cause, outcome FROM recovery ORDER BY n")
        return [Taken(*row) for row in found]

    def verdicts(self) -> dict[str, int]:
        """How many messages got which verdict."""
        return dict(self.rows("SELECT verdict, count(*) FROM messages GROUP BY verdict"))

    def resynchronised(self) -> int:
        """How often the driver began anew on the port that is open now."""
        modem = self.app.link._modem
        return modem.generation if modem is not None else 0

    def idle(self) -> bool:
        """Whether nothing is left to do: no message to take, none to run, none to tell."""
        return (
            not self.stored()
            and self.rows(UNDER_WAY)[0][0] == 0
            and self.rows("SELECT count(*) FROM reports WHERE state = 'pending'")[0][0] == 0
        )

    def told(self) -> str:
        """Where things stand, for a failure's text."""
        link = self._app.link if self._app else None
        return (
            f"link={link and link.state} reason={link and link.reason!r} stored={self.stored()}"
            f" effects={dict(self.effects())} history={self.history()}"
            f" commands={self.rows('SELECT id, state FROM commands')}"
            f" reports={self.rows('SELECT state, attempts, error FROM reports')}"
        )

    def now(self) -> datetime:
        """The agent's wall clock."""
        return self.app.clock.wall()
