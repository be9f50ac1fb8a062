"""ModemManager, as Debian ships it, works with the simulated modem.

It gets the modem as its own tests give it theirs: a port that is an abstract Unix socket, on a
message bus of the test's own.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from at.simulator import RunningModem, TcpModem
from tests.at.simulator.peers import PATH, needs, text_of, until

pytestmark = [
    pytest.mark.peers,
    needs("ModemManager", "modemmanager"),
    needs("dbus-daemon", "dbus"),
    needs("gdbus", "libglib2.0-bin"),
]

MANAGER = ("--dest", "org.freedesktop.ModemManager1", "--object-path")
ROOT = "/org/freedesktop/ModemManager1"


class Bridge:
    """Joins an abstract Unix socket to the simulated modem's TCP port."""

    def __init__(self, name: str, host: str, port: int) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(f"\0abstract:{name}")
        self._listener.listen(1)
        self._to = (host, port)
        self._end_read, self._end_write = os.pipe()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        os.write(self._end_write, b"x")
        self._thread.join()
        self._listener.close()
        os.close(self._end_read)
        os.close(self._end_write)

    def _run(self) -> None:
        while True:
            watched: list[socket.socket | int] = [self._listener, self._end_read]
            readable, _, _ = select.select(watched, [], [])
            if self._end_read in readable:
                return
            host, _ = self._listener.accept()
            with host, socket.create_connection(self._to) as modem:
                if not self._join(host, modem):
                    return

    def _join(self, host: socket.socket, modem: socket.socket) -> bool:
        """Pass octets both ways until one side ends; False where the test has ended."""
        other = {host: modem, modem: host}
        while True:
            watched: list[socket.socket | int] = [host, modem, self._end_read]
            readable, _, _ = select.select(watched, [], [])
            if self._end_read in readable:
                return False
            for one in (host, modem):
                if one in readable:
                    data = one.recv(4096)
                    if not data:
                        return True
                    other[one].sendall(data)


class Bus:
    """A message bus with ModemManager on it."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "modemmanager"
        self._folder = folder
        self._address = f"unix:path={folder}/bus"
        self._environment = {
            "PATH": PATH,
            "LC_ALL": "C.UTF-8",
            "HOME": "/nonexistent",
            "DBUS_SESSION_BUS_ADDRESS": self._address,
        }

    def call(self, path: str, method: str, *arguments: str) -> str:
        """Call a method; returns what gdbus prints."""
        ended = subprocess.run(
            ("gdbus", "call", "--session", *MANAGER, path, "--method", method, *arguments),
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return ended.stdout if ended.returncode == 0 else ""

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        bus = ("dbus-daemon", "--session", "--nofork", f"--address={self._address}")
        manager = ("ModemManager", "--test-session", "--test-enable", "--test-no-udev", "--debug")
        with contextlib.ExitStack() as stack:
            log = stack.enter_context(self.log.open("wb"))
            for command in (bus, manager):
                process = subprocess.Popen(
                    command,
                    env=self._environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
                stack.callback(_end, process)
                until((self._folder / "bus").exists, self.log)
            until(lambda: bool(self.call(ROOT, "org.freedesktop.DBus.Peer.Ping")), self.log)
            yield


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(10.0)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def test_modemmanager_finds_reads_sends_and_deletes(tmp_path: Path) -> None:
    name = f"modem-{os.getpid()}-{tmp_path.name}"
    bus = Bus(tmp_path)
    with RunningModem(TcpModem) as modem:
        host, _, port = modem.path.removeprefix("socket://").rpartition(":")
        modem.deliver_text("2936", "Hello {world} €")
        with Bridge(name, host, int(port)), bus.running():
            test = "org.freedesktop.ModemManager1.Test.SetProfile"
            bus.call(ROOT, test, "simulated", "generic", f"['abstract:{name}']")
            objects = "org.freedesktop.DBus.ObjectManager.GetManagedObjects"
            pattern = re.compile(rf"{ROOT}/Modem/\d+")
            until(lambda: bool(pattern.search(bus.call(ROOT, objects))), bus.log)
            found = pattern.search(bus.call(ROOT, objects))
            assert found is not None
            path = found[0]
            assert "490154203237518" in bus.call(ROOT, objects)
            messaging = "org.freedesktop.ModemManager1.Modem.Messaging"
            bus.call(path, "org.freedesktop.ModemManager1.Modem.Enable", "true")
            stored = re.compile(rf"{ROOT}/SMS/\d+")
            until(lambda: bool(stored.search(bus.call(path, f"{messaging}.List"))), bus.log)
            received = stored.search(bus.call(path, f"{messaging}.List"))
            assert received is not None
            told = bus.call(
                received[0],
                "org.freedesktop.DBus.Properties.GetAll",
                "org.freedesktop.ModemManager1.Sms",
            )
            assert "Hello {world} €" in told
            assert "2936" in told
            created = bus.call(
                path,
                f"{messaging}.Create",
                "{'number': <'+447700900123'>, 'text': <'From ModemManager'>}",
            )
            mine = stored.search(created)
            assert mine is not None
            bus.call(mine[0], "org.freedesktop.ModemManager1.Sms.Send")
            until(lambda: len(modem.sent) == 1, bus.log)
            assert text_of(modem.sent[0].pdu) == "From ModemManager"
            bus.call(path, f"{messaging}.Delete", received[0])
            until(lambda: not modem.messages("SM"), bus.log)
