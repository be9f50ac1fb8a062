"""A real mosquitto on a free loopback port, configured and controlled by the test.

    with Mosquitto(tmp_path) as broker:
        ...  # broker.port
        broker.kill(); broker.start()

Synchronous, so that tests of child processes can use it as well as asyncio tests: every call
returns within about a second.
"""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

START_S = 20.0
STOP_S = 20.0
ATTEMPTS = 3  # another process may take the free port before mosquitto does


def mosquitto_path() -> str | None:
    """The program, also where /usr/sbin is not in the path; None where it is not installed."""
    return shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def free_port() -> int:
    """A loopback TCP port nobody listens on at the moment."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


class Mosquitto:
    """One broker, restartable on the same port.

    folder: for its configuration, log and store. users: names with passwords; none: anonymous.
    acl: the lines of an ACL file. tls: (certificate, key) files, ca: clients must show a
    certificate signed by it. settings: further configuration lines.
    """

    def __init__(
        self,
        folder: Path,
        *,
        persistent: bool = True,
        users: Mapping[str, str] | None = None,
        acl: Sequence[str] | None = None,
        tls: tuple[Path, Path] | None = None,
        ca: Path | None = None,
        settings: Sequence[str] = (),
        port: int | None = None,
    ) -> None:
        self.folder = folder
        self.host = "127.0.0.1"
        self.port = port or free_port()
        self.persistent = persistent
        self.users = dict(users or {})
        self.acl = acl
        self.tls = tls
        self.ca = ca
        self.settings = list(settings)
        self.log_path = folder / "mosquitto.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._fixed_port = port is not None
        folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        for left in reversed(range(1 if self._fixed_port else ATTEMPTS)):
            try:
                self.start()
            except BrokerError:
                if not left:
                    raise
                self.port = free_port()
            else:
                break
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    @property
    def running(self) -> bool:
        """Whether the broker's process is alive (paused counts)."""
        return self._process is not None and self._process.poll() is None

    def start(self, *, forget: bool = False) -> None:
        """Start and wait until it listens. forget: without what an earlier run stored."""
        if self.running:
            raise BrokerError("mosquitto is running already")
        program = mosquitto_path()
        if program is None:
            raise BrokerError("mosquitto is not installed: apt-get install mosquitto")
        if forget:
            (self.folder / "mosquitto.db").unlink(missing_ok=True)
        configuration = self._write_configuration()
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [program, "-c", str(configuration)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            with socket.socket() as sock:
                if sock.connect_ex((self.host, self.port)) == 0:
                    return
            time.sleep(0.01)
        self.kill()
        raise BrokerError(f"mosquitto did not start:\n{self.log()}")

    def stop(self) -> None:
        """End it as its service manager would; a persistent broker saves its store."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a crash would (SIGKILL); the store is as it was last saved."""
        self._end(signal.SIGKILL)

    def restart(self, *, forget: bool = False) -> None:
        """Stop and start; forget: without sessions, retained and queued messages."""
        self.stop()
        self.start(forget=forget)

    def pause(self) -> None:
        """Freeze it: the kernel still accepts connections, nobody answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen broker go on."""
        self._signal(signal.SIGCONT)

    def log(self) -> str:
        """What it wrote to its log so far."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None or self._process.poll() is not None:
            raise BrokerError("mosquitto is not running")
        self._process.send_signal(number)

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(number)
            process.send_signal(signal.SIGCONT)  # a paused process would not see the other one
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _write_configuration(self) -> Path:
        lines = [
            f"listener {self.port} {self.host}",
            f"user {getpass.getuser()}",  # or root's mosquitto could not read the test's folder
            "log_type all",
            f"persistence {str(self.persistent).lower()}",
            f"persistence_location {self.folder}/",
            f"allow_anonymous {str(not self.users).lower()}",
        ]
        if self.users:
            lines.append(f"password_file {self._write_passwords()}")
        if self.acl is not None:
            lines.append(f"acl_file {self._write('acl', self.acl)}")
        if self.tls is not None:
            lines += [f"certfile {self.tls[0]}", f"keyfile {self.tls[1]}"]
        if self.ca is not None:
            lines += [f"cafile {self.ca}", "require_certificate true"]
        return self._write("mosquitto.conf", lines + self.settings)

    def _write_passwords(self) -> Path:
        path = self._write("passwords", [f"{name}:{word}" for name, word in self.users.items()])
        program = shutil.which("mosquitto_passwd")
        if program is None:
            raise BrokerError("mosquitto_passwd is not installed: apt-get install mosquitto")
        subprocess.run([program, "-U", str(path)], check=True, capture_output=True)
        return path

    def _write(self, name: str, lines: Sequence[str]) -> Path:
        path = self.folder / name
        path.write_text("".join(f"{line}\n" for line in lines))
        path.chmod(0o600)
        return path


class BrokerError(Exception):
    """The broker could not be started, or is not there to be told something."""
