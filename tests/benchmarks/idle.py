"""What an agent costs that has nothing to do: wake-ups, processor time, memory."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.stage import Bench, stage
from tests.benchmarks.table import Row

SETTLE_S = 8.0  # lazy commits, the first survey


@dataclass(frozen=True, slots=True)
class _Spent:
    at: float
    switches: dict[str, int]
    cpu_s: float
    written: int


def rows(bench: Bench) -> Iterator[Row]:
    """With a broker connected, and the slow timer at its default of 60 s."""
    seconds = bench.pick(125, 65)
    settings = {"modem": {"poll_s": 60}, "report": {"route": "mqtt-then-sms"}}
    with stage(bench, "idle", watched=False, mqtt=True, settings=settings) as on:
        time.sleep(SETTLE_S)
        before = _spent(on.agent.pid)
        time.sleep(seconds)
        after = _spent(on.agent.pid)
        memory = _memory_mb(on.agent.pid)
    with stage(bench, "idle-tls", watched=False, mqtt=True, tls=True, settings=settings) as on:
        time.sleep(SETTLE_S)
        with_tls = _memory_mb(on.agent.pid)
    span = after.at - before.at
    threads = {
        name: (count - before.switches.get(name, 0)) / span
        for name, count in after.switches.items()
    }
    told = ", ".join(f"{name} {rate:.2f}" for name, rate in sorted(threads.items()) if rate)
    yield Row(
        "idle: wake-ups per second, MQTT connected",
        sum(threads.values()),
        "1/s",
        0.15,
        note=f"voluntary context switches of all threads over {span:.0f} s: {told}",
    )
    yield Row(
        "idle: CPU seconds per minute, MQTT connected",
        (after.cpu_s - before.cpu_s) * 60 / span,
        "s/min",
        0.004,
        note="from the scheduler's own count in nanoseconds",
    )
    yield Row("idle: written to disk per hour", (after.written - before.written) * 3.6 / span, "kB")
    yield Row("idle: RSS", memory["Rss"], "MB", 33)
    yield Row("idle: PSS", memory["Pss"], "MB", 29)
    yield Row("idle: RSS, broker over TLS", with_tls["Rss"], "MB", 36)


def _spent(pid: int) -> _Spent:
    switches: dict[str, int] = {}
    cpu_ns = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        status = dict(
            line.split(":", 1) for line in (task / "status").read_text("ascii").splitlines()
        )
        name = f"{(task / 'comm').read_text('utf-8').strip()}/{task.name}"
        switches[name] = int(status["voluntary_ctxt_switches"])
        cpu_ns += int((task / "schedstat").read_text("ascii").split()[0])
    io = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text("ascii").splitlines())
    return _Spent(time.monotonic(), switches, cpu_ns / 1e9, int(io["write_bytes"]))


def _memory_mb(pid: int) -> dict[str, float]:
    """MB of 1,000,000 octets; the kernel tells kB of 1,024."""
    found = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()[1:]:
        name, value = line.split(":")
        found[name] = int(value.split()[0]) * 1024 / 1e6
    return found
