"""The agent as users run it: `python -m agent run` as a child process with everything in a folder.

    with simulated(tmp_path) as modem, Agent(tmp_path, port=modem.path) as agent:
        modem.deliver_text("000", "ping id=a")
        agent.wait_command("a")
        agent.kill(); agent.start()

Synchronous, so that it can be mixed with the brokers and modems of this folder: every call returns
within its own timeout. Only processes that were started here are ever signalled, by their id.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import unittest.mock
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from agent.cli.main import main
from at.simulator import PtyModem
from at.simulator.running import RunningModem

# Patience for a busy machine; what is waited for is seen within POLL_S of its coming.
READY_S = 40.0
STOP_S = 30.0
CLI_S = 60.0
WAIT_S = 40.0
POLL_S = 0.01
REPOSITORY = Path(__file__).resolve().parents[2]
FINAL = ("rejected", "succeeded", "failed", "timed-out", "interrupted", "expired", "cancelled")
T = TypeVar("T")
Settings = Mapping[str, Any]


class AgentError(Exception):
    """The agent did not do what was waited for; the end of its log is in the text."""


def simulated(folder: Path, personality: str = "generic", **how: Any) -> RunningModem[PtyModem]:
    """A simulated modem on a pty in a thread of its own; `folder/modem` is a link to it.

    The link is stable over vanish() and appear(). how: as PtyModem takes it.
    """
    return RunningModem(lambda: PtyModem(personality, link=folder / "modem", **how))


def toml(settings: Settings) -> str:
    """Write a configuration: scalars, lists of scalars, nested tables; None leaves a key out."""
    return "\n".join(_tables(settings, ())) + "\n"


def _tables(table: Settings, path: tuple[str, ...]) -> Iterator[str]:
    if path:
        yield f"[{'.'.join(json.dumps(name) for name in path)}]"
    for key, value in table.items():
        if value is not None and not isinstance(value, Mapping):
            yield f"{json.dumps(key)} = {_value(value)}"
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _tables(value, (*path, key))


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(one) for one in value)}]"
    return json.dumps(str(value) if isinstance(value, Path) else value)


def _merged(base: Settings, more: Settings) -> dict[str, Any]:
    merged = dict(base)
    for key, value in more.items():
        known = merged.get(key)
        both = isinstance(known, Mapping) and isinstance(value, Mapping)
        merged[key] = _merged(known, value) if both else value  # type: ignore[arg-type]  # both are tables
    return merged


class Agent:
    """One agent: configuration, journal, control socket and log lie in `folder`.

    port: of the modem, None: one that is not there. settings: merged over the defaults, tables
    within tables too (None removes a key). env: added to the child's environment, which holds
    nothing of the test's own but PATH. program: what runs in place of `python -m agent`.
    manager: whether there is a service manager's socket; without one, its log says it is ready.
    `port`, `settings`, `env` and `program` may be changed between two starts.

    Defaults: device "gw"; super-sim and programmable-wireless (both closed, so nothing need be
    signed); reports by SMS; no broker; poll_s 1; no clock that can be trusted but the host's own.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: str | Path | None = None,
        broker: int | None = None,
        settings: Settings | None = None,
        env: Mapping[str, str] | None = None,
        program: Sequence[str] = (sys.executable, "-m", "agent"),
        verbose: bool = True,
        manager: bool = True,
    ) -> None:
        self.folder = folder
        self.port = port
        self.broker = broker
        self.settings: Settings = settings or {}
        self.env = dict(env or {})
        self.program = list(program)
        self.verbose = verbose
        self.manager = manager
        self._logged_before = 0
        self.config_path = folder / "agent.toml"
        self.journal_path = folder / "state" / "journal.db"
        self.control_path = folder / "run" / "control.sock"
        self.log_path = folder / "agent.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._notified: socket.socket | None = None
        for name in ("state", "run", "home"):
            (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        self.write_configuration()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    # ---- the process ----------------------------------------------------------------------

    @property
    def pid(self) -> int:
        """The running process's id."""
        if self._process is None:
            raise AgentError("the agent is not running")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    def start(self, *, wait_ready: bool = True) -> None:
        """Start it anew with the settings as they are now; returns at READY=1."""
        if self.running:
            raise AgentError("the agent is running already")
        self.write_configuration()
        self._close_notify()
        self._notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notify = self.folder / "run" / "notify"
        notify.unlink(missing_ok=True)
        self._notified.bind(str(notify))
        self._notified.setblocking(False)
        self._logged_before = len(self.log)
        command = [*self.program, "run", "--config", str(self.config_path)]
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *(["-v"] if self.verbose else [])],
                env={
                    **self.environment(),
                    **({"NOTIFY_SOCKET": str(notify)} if self.manager else {}),
                },
                cwd=REPOSITORY,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        if wait_ready:
            self.wait_ready()

    def wait_ready(self, timeout_s: float = READY_S) -> None:
        """Return once it has said READY=1 to the service manager's socket."""
        if not self.manager:
            ready = "agent ready"
            self.wait(lambda: ready in self.log[self._logged_before :], ready, timeout_s=timeout_s)
            return
        self.wait(self._told_ready, "READY=1", timeout_s=timeout_s)

    def stop(self) -> int:
        """End it with SIGTERM, as systemd does; returns its exit status."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it with SIGKILL, wherever it is; nothing happens where it has ended."""
        if self._process is not None:
            self._end(signal.SIGKILL)
        self._close_notify()

    def wait_end(self, timeout_s: float = STOP_S) -> int:
        """Wait until it has ended by itself; returns its exit status (negative: the signal)."""
        process = self._process
        if process is None:
            raise AgentError("the agent is not running")
        try:
            status = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AgentError(f"still running after {timeout_s:g} s\n{self._log_end()}") from None
        self._process = None
        self._close_notify()
        return status

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal (SIGSTOP, SIGCONT …)."""
        os.kill(self.pid, number)

    def _end(self, number: signal.Signals) -> int:
        process = self._process
        if process is None:
            raise AgentError("the agent is not running")
        if process.poll() is None:
            process.send_signal(number)
            process.send_signal(signal.SIGCONT)  # a paused process would not see the other one
        try:
            return self.wait_end()
        except AgentError:
            process.kill()
            process.wait()
            self._process = None
            raise

    def _told_ready(self) -> bool | None:
        assert self._notified is not None
        with contextlib.suppress(BlockingIOError):
            while datagram := self._notified.recv(4096):
                if b"READY=1" in datagram.split(b"\n"):
                    return True
        return None

    def _close_notify(self) -> None:
        if self._notified is not None:
            self._notified.close()
            self._notified = None

    # ---- its configuration and environment ------------------------------------------------

    def write_configuration(self) -> None:
        """Write the configuration file from `settings`; `start` does it too."""
        self.config_path.write_text(toml(_merged(self._defaults(), self.settings)))

    def _defaults(self) -> dict[str, Any]:
        mqtt = {"url": f"mqtt://127.0.0.1:{self.broker}"} if self.broker is not None else None
        return {
            "device": {"id": "gw"},
            "modem": {"port": self.port or self.folder / "modem", "poll_s": 1},
            "platforms": {"enabled": ["super-sim", "programmable-wireless"]},
            "mqtt": mqtt,
            "report": {"route": "sms" if mqtt is None else "mqtt-then-sms"},
            "journal": {"path": self.journal_path},
        }

    def environment(self) -> dict[str, str]:
        """What the agent and the command line see of the world."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.folder / "home"),
            "TMPDIR": str(self.folder),
            "RUNTIME_DIRECTORY": str(self.folder / "run"),
            "STATE_DIRECTORY": str(self.folder / "state"),
            "PYTHONUNBUFFERED": "1",
            "LC_ALL": "C.UTF-8",
            **self.env,
        }

    def cli(
        self,
        *words: str,
        stdin: str | None = None,
        timeout_s: float = CLI_S,
        config: bool = True,
        env: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run `modem-agent [--config FILE] words…` to its end, as a user of the same machine."""
        options = ["--config", str(self.config_path)] if config else []
        return subprocess.run(
            [sys.executable, "-m", "agent", *options, *words],
            env={**self.environment(), **(env or {})},
            cwd=REPOSITORY,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def main(self, *words: str) -> subprocess.CompletedProcess[str]:
        """As `cli`, in this process: quick, but nothing of the process itself is tried."""
        out, err = io.StringIO(), io.StringIO()
        with (
            unittest.mock.patch.dict(os.environ, self.environment(), clear=True),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            try:
                status = main(["--config", str(self.config_path), *words])
            except SystemExit as end:
                status = int(end.code or 0)
        return subprocess.CompletedProcess(words, status, out.getvalue(), err.getvalue())

    # ---- what it says and keeps -----------------------------------------------------------

    @property
    def log(self) -> str:
        """Everything it has logged, over all its starts."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def query(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        """Ask the journal, running or not, without ever writing to it; [] where there is none."""
        if not self.journal_path.exists():
            return []
        uri = f"{self.journal_path.as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as db:
            db.row_factory = sqlite3.Row
            return [dict(row) for row in db.execute(sql, values)]

    def rows(self, table: str) -> list[dict[str, Any]]:
        """A table of the journal, oldest row first (messages, commands, reports, sends …)."""
        return self.query(f"SELECT * FROM {table}")

    def wait(
        self, probe: Callable[[], T | None], what: str = "condition", *, timeout_s: float = WAIT_S
    ) -> T:
        """Return what probe() gives once that is neither None nor false.

        Raises AgentError, at once where the process has ended meanwhile.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            ended = self._process is not None and self._process.poll() is not None
            with contextlib.suppress(sqlite3.OperationalError):  # being created or migrated
                if found := probe():
                    return found
            if ended:
                assert self._process is not None
                status = self._process.returncode
                raise AgentError(f"ended with {status}: no {what}\n{self._log_end()}")
            if time.monotonic() > deadline:
                raise AgentError(f"no {what} in {timeout_s:g} s\n{self._log_end()}")
            time.sleep(POLL_S)

    def wait_rows(
        self, sql: str, *values: Any, count: int = 1, timeout_s: float = WAIT_S
    ) -> list[dict[str, Any]]:
        """Return the rows of a query once there are at least `count`."""

        def probe() -> list[dict[str, Any]] | None:
            return found if len(found := self.query(sql, *values)) >= count else None

        return self.wait(probe, f"{count} x {sql} {values}", timeout_s=timeout_s)

    def wait_command(self, id_: str, *states: str, timeout_s: float = WAIT_S) -> dict[str, Any]:
        """Return the row of the command with this id once it is in one of `states` (final ones)."""
        wanted = states or FINAL
        marks = ", ".join("?" for _ in wanted)
        sql = f"SELECT * FROM commands WHERE id = ? AND state IN ({marks}) ORDER BY n DESC"
        return self.wait_rows(sql, id_, *wanted, timeout_s=timeout_s)[0]

    def wait_log(self, pattern: str, *, count: int = 1, timeout_s: float = WAIT_S) -> str:
        """Return the count-th line of the log that the pattern is found in."""

        def probe() -> str | None:
            lines = [line for line in self.log.splitlines() if re.search(pattern, line)]
            return lines[count - 1] if len(lines) >= count else None

        return self.wait(probe, f"{count} x {pattern!r} in the log", timeout_s=timeout_s)

    def _log_end(self) -> str:
        return "\n".join(self.log.splitlines()[-25:])
