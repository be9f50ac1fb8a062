"""Measures what a connected, idle channel costs: `python -m tests.agent.channels.idle_wakeups [S]`.

Prints a JSON object: wake-ups of the event loop a second, context switches a second, CPU seconds
a minute, resident memory in MB; against a mosquitto of its own. No test: time decides nothing here.
"""

from __future__ import annotations

import asyncio
import json
import resource
import selectors
import sys
import tempfile
import time
from pathlib import Path

from agent.channels.mqtt.channel import Inbound, MqttChannel
from agent.config.model import MqttConfig
from tests.support.broker import Mosquitto

PAGE_MB = resource.getpagesize() / 1e6


class CountingSelector(selectors.EpollSelector):
    """Counts how often the loop waited."""

    waits = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.waits += 1
        return super().select(timeout)


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_MB


async def measure(port: int, seconds: float, selector: CountingSelector) -> dict[str, float]:
    async def ignore(_inbound: Inbound) -> None:
        return

    config = MqttConfig("127.0.0.1", port, tls=False, root="modem-agent/idle")
    channel = MqttChannel(config, "idle", on_request=ignore)
    task = asyncio.create_task(channel.run())
    await channel.connected.wait()
    await asyncio.sleep(1)
    before, waits, cpu = (
        resource.getrusage(resource.RUSAGE_SELF),
        selector.waits,
        time.process_time(),
    )
    await asyncio.sleep(seconds)
    after = resource.getrusage(resource.RUSAGE_SELF)
    figures = {
        "seconds": seconds,
        "loop_wakeups_per_s": (selector.waits - waits) / seconds,
        "context_switches_per_s": (after.ru_nvcsw - before.ru_nvcsw) / seconds,
        "cpu_s_per_min": (time.process_time() - cpu) * 60 / seconds,
        "rss_mb": resident_mb(),
    }
    task.cancel()
    await asyncio.wait([task])
    return {name: round(value, 4) for name, value in figures.items()}


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 130.0
    selector = CountingSelector()
    with (
        tempfile.TemporaryDirectory() as folder,
        Mosquitto(Path(folder)) as broker,
        asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner,
    ):
        print(json.dumps(runner.run(measure(broker.port, seconds, selector))))


if __name__ == "__main__":
    main()
