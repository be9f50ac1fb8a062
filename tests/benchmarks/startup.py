"""From the start of the process, and from the modem's power-up, to being at work."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

from tests.benchmarks.stage import PLATFORM, Bench, median, stage, until
from tests.benchmarks.table import Row
from tests.benchmarks.wire import wire
from tests.support.agent import REPOSITORY

# What `modem-agent run` loads, in its order.
_DAEMON = "import agent.cli.run, agent.config.loader, agent.app, agent.journal.journal"
_FLOOR = "import asyncio, sqlite3, paho.mqtt.client"
_BROKER = f"{_DAEMON}, agent.channels.mqtt.channel, agent.channels.mqtt.requests"


def rows(bench: Bench) -> Iterator[Row]:
    """Imports, start to first message, power-up to ready."""
    bare, floor, daemon, broker = _best_s(bench, ("pass", _FLOOR, _DAEMON, _BROKER))
    note = f"the bare interpreter's {bare * 1e3:.0f} ms taken off; best of several processes"
    yield Row(
        "import of asyncio, sqlite3 and paho-mqtt alone", (floor - bare) * 1e3, "ms", note=note
    )
    yield Row("import of the daemon's modules", (daemon - bare) * 1e3, "ms", note=note)
    yield Row("import of the daemon's modules with MQTT", (broker - bare) * 1e3, "ms", note=note)
    yield from _first_message(bench, mqtt=False)
    yield from _first_message(bench, mqtt=True)
    yield from _power_up(bench)


def _best_s(bench: Bench, programs: Sequence[str]) -> list[float]:
    """The shortest time of each program, one after the other in rounds: they share the noise."""
    best = [float("inf")] * len(programs)
    # As the agent is started: byte code of earlier rounds may be kept, whatever the caller thinks.
    environment = {"PATH": os.environ.get("PATH", os.defpath)}
    for _ in range(bench.pick(15, 5)):
        for place, program in enumerate(programs):
            begun = time.perf_counter()
            subprocess.run(
                [sys.executable, "-c", program], cwd=REPOSITORY, env=environment, check=True
            )
            best[place] = min(best[place], time.perf_counter() - begun)
    return best


def _first_message(bench: Bench, *, mqtt: bool) -> Iterator[Row]:
    """A stored command runs, counted from the fork of the process."""
    begins, handlers, deletes, readies, cpu = [], [], [], [], []
    with stage(bench, f"start-{mqtt}", mqtt=mqtt, start=False) as on:
        for number in range(bench.pick(15, 4)):
            on.modem.deliver_text(PLATFORM, f"ping id=start{number}")
            since = time.monotonic()
            on.agent.start(wait_ready=False)
            until(
                lambda since=since: any(b"AT+CMGD" in m.data for m in wire(on.modem, since)),  # type: ignore[misc]  # mypy cannot infer a lambda with a default
                20.0,
                "a deletion",
            )
            on.quiet()
            deletes.append(
                next(m.at for m in wire(on.modem, since) if b"AT+CMGD" in m.data) - since
            )
            notes = on.notes()
            begins.append(notes.begun - since)
            readies.append(notes.ready[0] - since)
            cpu.append(notes.cpu_s)
            handlers.append(notes.handled[0][0] - since)
    with_ = "with MQTT" if mqtt else "without MQTT"
    yield Row(
        f"start to first stored message handled, {with_}",
        min(handlers),
        "s",
        0.35,
        note=f"best of {len(handlers)} (median {median(handlers):.3f}), of processor time"
        f" {min(cpu):.3f}; interpreter up {min(begins):.3f}, READY=1 {min(readies):.3f},"
        f" delete sent {min(deletes):.3f}",
    )


def _power_up(bench: Bench) -> Iterator[Row]:
    """The agent runs; the modem is switched on anew."""
    for personality in ("generic", "quectel-ec25"):
        with stage(bench, f"power-{personality}", personality=personality) as on:
            times = []
            for number in range(bench.pick(3, 1)):
                own = on.modem.call(lambda shell: shell.core.personality)
                since = time.monotonic()
                on.modem.call(lambda shell: shell.vanish(0.0, power_lost=True))
                on.agent.wait_log("modem ready", count=number + 2, timeout_s=60.0)
                times.append(time.monotonic() - since)
                on.quiet()
        yield Row(
            f"modem power-up to READY, {personality}",
            median(times),
            "s",
            note=f"the modem answers after {own.answers_s:g} s, its SIM after"
            f" {own.sim_ready_s:g} s, its SMS service after {own.sms_ready_s:g} s",
        )
