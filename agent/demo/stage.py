"""What the demonstration runs on: simulated modem, embedded broker, the agent as a process."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from at.simulator import PtyModem

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessage

__all__ = ["DEVICE", "Heard", "Stage", "StageError", "agent_process", "open_stage"]

DEVICE = "demo-gateway"
ROOT = f"modem-agent/{DEVICE}"
START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 10.0

_CONFIG = """\
# Written by `modem-agent demo`. Everything stays on this machine.
[device]
id = "{device}"

[modem]
port = "{port}"

[platforms]
enabled = ["programmable-wireless", "super-sim", "connectivitypro"]

[mqtt]
url = "mqtt://127.0.0.1:{broker}"
protocol = "3.1.1"      # what the embedded broker speaks

[report]
route = "both"

[security]
require_signature = "never"     # for the demonstration only: anybody's commands run

[journal]
path = "{journal}"

[command.beacon]
exec = ["/bin/echo", "beacon {{state}}"]
[command.beacon.args.state]
type = "string"
choices = ["on", "off"]
required = true

[command.display]
exec = ["/bin/echo", "{{text}}"]
[command.display.args.text]
type = "string"
required = true

[property.enable]
type = "boolean"
[property.reset]
type = "boolean"
"""


class StageError(Exception):
    """The demonstration cannot be set up; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One publication that the broker handed out. topic: below the device's root."""

    topic: str
    body: dict[str, Any]


@dataclass(slots=True)
class Stage:
    """Everything that is running. heard: what an independent subscriber has received so far."""

    folder: Path
    modem: PtyModem
    broker_port: int
    config: Path
    journal: Path
    heard: list[Heard] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, fact: Any, timeout_s: float = START_TIMEOUT_S) -> bool:
        """Wait until fact() is true; False where it did not come true in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while not fact():
                    self.news.clear()
                    # The modem's side has no bell: look again soon.
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(0.02):
                            await self.news.wait()
                return True
        return False


@contextlib.asynccontextmanager
async def open_stage(folder: Path) -> AsyncIterator[Stage]:
    """Start modem, broker, subscriber and agent; end them all. Raises StageError."""
    async with contextlib.AsyncExitStack() as stack:
        broker_port = await stack.enter_async_context(_broker())
        # A name of its own: the terminal's number may be another program's tomorrow.
        modem = await stack.enter_async_context(PtyModem(link=folder / "modem"))
        config, journal = folder / "demo.toml", folder / "journal.db"
        text = _CONFIG.format(
            device=DEVICE, port=folder / "modem", broker=broker_port, journal=journal
        )
        config.write_text(text, encoding="utf-8")
        stage = Stage(folder, modem, broker_port, config, journal)
        stack.enter_context(_subscriber(stage))
        await stack.enter_async_context(agent_process(folder, config))
        ready = await stage.until(lambda: any(heard.topic == "status" for heard in stage.heard))
        if not ready:
            log = (folder / "agent.log").read_text(encoding="utf-8", errors="replace")
            raise StageError(f"the agent did not come up; it said:\n{log}")
        yield stage


@contextlib.asynccontextmanager
async def _broker() -> AsyncIterator[int]:
    try:
        from amqtt.broker import Broker  # noqa: PLC0415 - an optional dependency
    except ImportError as error:
        raise StageError(
            "the embedded broker is missing: pip install 'modem-agent[demo]' brings it"
        ) from error
    for name in ("amqtt", "transitions"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
            "plugins": {
                "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}
            },
        }
    )
    await broker.start()
    try:
        yield port
    finally:
        await broker.shutdown()


@contextlib.contextmanager
def _subscriber(stage: Stage) -> Any:
    """Listen to everything the device publishes, as any other MQTT client would."""
    from paho.mqtt.client import Client  # noqa: PLC0415 - only here
    from paho.mqtt.enums import CallbackAPIVersion  # noqa: PLC0415

    loop = asyncio.get_running_loop()

    def take(heard: Heard) -> None:
        stage.heard.append(heard)
        stage.news.set()

    def on_message(_client: Client, _userdata: object, message: MQTTMessage) -> None:
        topic = message.topic.removeprefix(f"{ROOT}/")
        try:
            body = json.loads(message.payload)
        except ValueError:
            body = {"text": message.payload.decode("utf-8", "replace")}
        loop.call_soon_threadsafe(take, Heard(topic, body))

    def on_connect(client: Client, *_: object) -> None:
        client.subscribe(f"{ROOT}/#", qos=1)

    client = Client(CallbackAPIVersion.VERSION2)
    client.on_connect = on_connect
    client.on_message = on_message
    client.connect_async("127.0.0.1", stage.broker_port)
    client.loop_start()
    try:
        yield
    finally:
        client.disconnect()
        client.loop_stop()


_PRCTL = ctypes.CDLL(None).prctl
_PR_SET_PDEATHSIG = 1


def _end_with_parent() -> None:
    """Let the kernel end the agent with the demonstration, however that ends (prctl(2))."""
    _PRCTL(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


@contextlib.asynccontextmanager
async def agent_process(folder: Path, config: Path) -> AsyncIterator[None]:
    """Run the agent on a configuration; its log is `agent.log` in the folder."""
    with (folder / "agent.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "agent",
            "run",
            "--config",
            str(config),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "RUNTIME_DIRECTORY": str(folder)},
            start_new_session=True,
            preexec_fn=_end_with_parent,
        )
    try:
        yield
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(STOP_TIMEOUT_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
