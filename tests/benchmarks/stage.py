"""Modem, broker and agent for one measurement, each real and in a process or thread of its own."""

from __future__ import annotations

import contextlib
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from at.simulator import RunningModem
from tests.agent.channels.certificates import Authority
from tests.benchmarks.wire import Modem, WireModem
from tests.support.agent import Agent
from tests.support.broker import Mosquitto, free_port

PLATFORM = "2936"  # closed: its commands need no signature
STRANGER = "+447700900123"  # what others send is journalled and never answered
POLL_S = 0.002
WATCHED = (sys.executable, "-m", "tests.benchmarks.watched")
# Budgets are there to bound costs; here they would only bound what can be measured.
GENEROUS = {"sms_per_hour": 100_000, "sms_per_day": 100_000, "commands_per_minute": 100_000}


@dataclass(frozen=True, slots=True)
class Bench:
    """How to measure. folder: where everything lies; quick: fewer rounds, shorter outages."""

    folder: Path
    quick: bool = False

    def pick(self, thorough: int, quick: int) -> int:
        """How often, or how long."""
        return quick if self.quick else thorough


@dataclass(frozen=True, slots=True)
class Notes:
    """What the stop-watches in the agent saw; see tests.benchmarks.watched.

    cpu_s: processor time of the process until its first handler.
    """

    begun: float = 0.0
    ready: list[float] = field(default_factory=list)
    commits: list[tuple[float, float]] = field(default_factory=list)
    journalled: list[tuple[float, str]] = field(default_factory=list)
    handled: list[tuple[float, str]] = field(default_factory=list)
    cpu_s: float = 0.0
    stretches: list[tuple[float, float]] = field(default_factory=list)

    def syncing_s(self, begin: float, end: float) -> float:
        """How much of an interval the journal's thread spent in COMMIT."""
        return sum(max(0.0, min(e, end) - max(b, begin)) for b, e in self.commits)

    def syncs(self, begin: float, end: float) -> int:
        """How many commits ended within an interval."""
        return sum(begin <= ended <= end for _, ended in self.commits)


@dataclass(slots=True)
class Stage:
    """What stands on it."""

    modem: Modem
    agent: Agent
    broker: Mosquitto | None
    notes_path: Path

    def notes(self) -> Notes:
        """End the agent in order and return what its stop-watches saw."""
        self.agent.stop()
        return Notes(**json.loads(self.notes_path.read_text(encoding="utf-8")))

    def wait_link(self, timeout_s: float = 15.0) -> None:
        """Return once the modem is ready and has been swept."""
        self.agent.wait_log("modem ready", timeout_s=timeout_s)
        self.quiet()

    def quiet(self, for_s: float = 0.3, timeout_s: float = 30.0) -> None:
        """Return once nothing has passed on the line for a while."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            last = self.modem.call(lambda shell: shell.wire[-1].at if shell.wire else 0.0)
            left = last + for_s - time.monotonic()
            if left <= 0:
                return
            time.sleep(left)


@contextlib.contextmanager
def stage(
    bench: Bench,
    name: str,
    *,
    watched: bool = True,
    mqtt: bool = False,
    tls: bool = False,
    start: bool = True,
    settings: Mapping[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
    **modem: Any,
) -> Iterator[Stage]:
    """Set up in a folder of its own; agent and modem end with it, whatever happens.

    settings: merged over defaults that report nothing and poll every 600 s. mqtt: with a broker,
    tls: over TLS. start: the agent too,
    up to a modem that is ready. modem: as PtyModem takes it.
    """
    folder = bench.folder / name
    folder.mkdir()
    notes = folder / "notes.json"
    merged: dict[str, Any] = {
        "modem": {"port": str(folder / "modem"), "poll_s": 600},
        "report": {"route": "none"},
        "budget": GENEROUS,
        **(settings or {}),
    }
    with contextlib.ExitStack() as stack:
        broker = stack.enter_context(_broker(folder / "broker", merged, tls=tls)) if mqtt else None
        sim = stack.enter_context(RunningModem(lambda: WireModem(link=folder / "modem", **modem)))
        agent = Agent(
            folder,
            port=folder / "modem",
            broker=broker.port if broker else None,
            settings=merged,
            env={**({"WATCH": str(notes)} if watched else {}), **(env or {})},
            program=WATCHED if watched else (sys.executable, "-m", "agent"),
            verbose=False,
        )
        stack.callback(agent.kill)
        setup = Stage(sim, agent, broker, notes)
        if start:
            agent.start()
            setup.wait_link()
        yield setup


def _broker(folder: Path, settings: dict[str, Any], *, tls: bool) -> Mosquitto:
    """A broker that can be started; tls: with a certificate that the settings will trust."""
    if not tls:
        return Mosquitto(folder)
    authority = Authority.make(folder)
    port = free_port()
    settings["mqtt"] = {
        "url": f"mqtts://127.0.0.1:{port}",
        "ca": str(authority.certificate),
    }
    return Mosquitto(folder, tls=authority.issue("broker"), port=port)


def until(probe: Callable[[], bool], timeout_s: float, what: str) -> float:
    """Return when probe() came true, looked at every POLL_S. Raises TimeoutError."""
    deadline = time.monotonic() + timeout_s
    while not probe():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not in {timeout_s:g} s: {what}")
        time.sleep(POLL_S)
    return time.monotonic()


def median(values: Sequence[float]) -> float:
    """The median, which a busy machine moves least."""
    return statistics.median(values)
