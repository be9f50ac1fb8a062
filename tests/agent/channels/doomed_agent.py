"""A process that keeps a channel connected until it is killed: `doomed_agent.py PORT`."""

from __future__ import annotations

import asyncio
import sys

from agent.channels.mqtt.channel import Inbound, MqttChannel
from agent.config.model import MqttConfig


async def hold(_inbound: Inbound) -> None:
    """Never done: whatever arrives stays unacknowledged."""
    await asyncio.Event().wait()


def main() -> None:
    config = MqttConfig("127.0.0.1", int(sys.argv[1]), tls=False, root="modem-agent/gw")
    asyncio.run(MqttChannel(config, "gw", on_request=hold).run())


if __name__ == "__main__":
    main()
