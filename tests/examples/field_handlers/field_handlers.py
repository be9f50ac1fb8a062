"""Two commands for modem-agent: `disk` only reads, `led` changes something."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

from agent.commands.registry import Call, Handler, Outcome
from agent.config.model import CommandConfig
from agent.payload.arguments import ArgSpec

LEDS = Path(os.environ.get("LEDS", "/sys/class/leds"))


async def _disk(call: Call) -> Outcome:
    # A disk may hang: never on the event loop, which serves the modem and the watchdog.
    path = str(call.args["path"])
    try:
        usage = await asyncio.to_thread(shutil.disk_usage, path)
    except OSError as error:
        return Outcome.error(f"{path}: {error.strerror}")
    return Outcome.ok(free_mb=usage.free // 2**20, used_percent=usage.used * 100 // usage.total)


# An entry point may be a Handler ...
DISK = Handler(
    name="disk",
    summary="tells the free space of a file system",
    run=_disk,
    arguments={"path": ArgSpec("string", pattern="/[A-Za-z0-9/._-]*", default="/")},
    read_only=True,  # changes nothing: runs unsigned also where a signature is asked for
    timeout_s=20.0,
)


async def _led(call: Call) -> Outcome:
    file = LEDS / str(call.args["name"]) / "brightness"
    value = "1" if call.args["on"] else "0"
    try:
        await asyncio.to_thread(file.write_text, value, encoding="ascii")
    except OSError as error:
        return Outcome.error(f"{file}: {error.strerror}", reason="error")
    return Outcome.ok(name=str(call.args["name"]), on=bool(call.args["on"]))


# ... or a function that makes one of the configuration's [command.led] table.
def led(config: CommandConfig) -> Handler:
    """Return the command `led`."""
    return Handler(
        name=config.name,
        summary="switches a LED",
        run=_led,
        arguments={
            "name": ArgSpec("string", pattern=r"[a-z0-9_:-]{1,32}", required=True),
            "on": ArgSpec("boolean", required=True),
        },
        idempotent=True,  # twice on is on: after a crash it simply runs again
        resource="leds",  # never two at the same time
        timeout_s=10.0,
    )
