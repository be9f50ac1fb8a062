"""Every point at which the world may see what the agent did: counted, named, and deadly.

The agent has three choke points: the journal's commit, the modem's exchange, and what goes over
MQTT. `install` wraps them in the process it is called in; nothing else of the agent changes. Run
as a program it is `modem-agent` with these points:

    POINTS='{"trace": PATH, "kill_at": 17}' python -m tests.e2e.points run --config FILE
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import at.modem
from agent.channels.mqtt.channel import MqttChannel
from agent.channels.mqtt.connection import Connection
from agent.journal.journal import Journal
from agent.modem.link import Link
from at.modem import Modem


class Points:
    """Counts the points a process passes.

    trace: a file that gets a line "n name" for each, written before the point may kill. kill_at:
    the point at which the process ends itself with SIGKILL, 0: never. bring_up: whether the
    exchanges of bringing up the modem count too.
    """

    def __init__(self, trace: str, kill_at: int, *, bring_up: bool) -> None:
        self._trace = os.open(trace, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._kill_at = kill_at
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._bring_up = bring_up
        self._up = False

    def bringing_up(self, yes: bool) -> None:
        """The modem is being brought up, or is up now."""
        self._up = not yes

    def exchange(self, name: str) -> None:
        """Pass a point of an AT exchange."""
        if self._up or self._bring_up:
            self.reach(name)

    def reach(self, name: str) -> None:
        """Pass a point; the process may not survive it."""
        with self._lock:
            number = next(self._numbers)
            os.write(self._trace, f"{number} {name}\n".encode())
            if number == self._kill_at:
                os.kill(os.getpid(), signal.SIGKILL)


def install(
    trace: str,
    *,
    kill_at: int = 0,
    bring_up: bool = False,
    mqtt_hold: bool = False,
    copies: str | None = None,
) -> None:
    """Wrap the choke points of this process.

    mqtt_hold: no PUBACK ever leaves, as on a connection that is too slow to take it. copies: a
    folder that gets a copy of the journal's files as of each sync, "001" after the first.
    """
    points = Points(trace, kill_at, bring_up=bring_up)
    _wrap_journal(points, Path(copies) if copies is not None else None)
    _wrap_modem(points)
    _wrap_bring_up(points)
    _wrap_mqtt(points, hold=mqtt_hold)


def _wrap_journal(points: Points, copies: Path | None) -> None:
    sync = Journal._sync
    numbers = itertools.count(1)

    def wrapped(self: Journal, db: sqlite3.Connection) -> None:
        points.reach("commit, before")
        sync(self, db)
        if copies is not None:  # the journal's thread is here: nothing else writes meanwhile
            folder = copies / f"{next(numbers):03d}"
            folder.mkdir()
            for suffix in ("", "-wal"):
                file = self.path.with_name(self.path.name + suffix)
                shutil.copyfile(file, folder / file.name)
        points.reach("commit, after")

    Journal._sync = wrapped  # type: ignore[method-assign]  # this is what the module is for


def _wrap_modem(points: Points) -> None:
    write, exchange = Modem._write, Modem._exchange

    def wrapped_write(self: Modem, port: Any, data: bytes) -> None:
        name = _printable(data)
        points.exchange(f"{name}, before it is written")
        write(self, port, data)
        points.exchange(f"{name}, written")

    async def wrapped_exchange(self: Modem, command: Any, *, escape: bytes = b"") -> Any:
        reply = await exchange(self, command, escape=escape)
        points.exchange(f"AT{command.line}, answered")
        return reply

    at.modem.Modem._write = wrapped_write  # type: ignore[method-assign]  # as above
    at.modem.Modem._exchange = wrapped_exchange  # type: ignore[method-assign]  # as above


def _wrap_bring_up(points: Points) -> None:
    bring_up = Link._bring_up

    async def wrapped(self: Link) -> None:
        points.bringing_up(True)
        await bring_up(self)
        points.bringing_up(False)

    Link._bring_up = wrapped  # type: ignore[method-assign]  # as above


def _wrap_mqtt(points: Points, *, hold: bool) -> None:
    publish, take = Connection.publish, MqttChannel._take

    async def wrapped_publish(self: Connection, topic: str, *rest: Any, **how: Any) -> None:
        name = f"PUBLISH {topic.split('/', 2)[-1]}"
        points.reach(f"{name}, before")
        await publish(self, topic, *rest, **how)
        points.reach(f"{name}, acknowledged")

    def wrapped_take(
        self: MqttChannel, connection: Any, lane: Any, message: Any, acknowledge: Callable[[], None]
    ) -> None:
        def acknowledged() -> None:
            points.reach("PUBACK, before")
            if not hold:
                acknowledge()
            points.reach("PUBACK, sent")

        take(self, connection, lane, message, acknowledged)

    Connection.publish = wrapped_publish  # type: ignore[method-assign]  # as above
    MqttChannel._take = wrapped_take  # type: ignore[method-assign]  # as above


def _printable(data: bytes) -> str:
    text = data.decode("latin-1").rstrip()
    if text == "\x1b":
        return "ESC"
    return "the message's body" if text.endswith("\x1a") else text


if __name__ == "__main__":
    from agent.cli.main import main

    install(**json.loads(os.environ.pop("POINTS")))
    sys.exit(main())
