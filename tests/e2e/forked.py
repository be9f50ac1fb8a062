"""Agents that start in milliseconds: children of a fork server, otherwise as tests.support.agent.

with ForkServer() as server, ForkedAgent(server, tmp_path, port=modem.path) as agent:
    ...
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.agent import REPOSITORY, Agent, AgentError

POLL_S = 0.002


class ForkServer:
    """The server process; usable by one thread at a time."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.forkserver"],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._answer()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.communicate()  # closes its input, which ends it

    def fork(self, **request: Any) -> int:
        """Fork an agent; returns its process id."""
        pid: int = self._ask(op="fork", **request)["pid"]
        return pid

    def poll(self, pid: int) -> int | None:
        """Return a child's exit status, negative for a signal; None while it runs."""
        status: int | None = self._ask(op="poll", pid=pid)["status"]
        return status

    def _ask(self, **request: Any) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise AgentError("the fork server has ended")
        answer: dict[str, Any] = json.loads(line)
        return answer


class Forked:
    """A child of the fork server, to be used as subprocess.Popen is."""

    def __init__(self, server: ForkServer, pid: int) -> None:
        self._server = server
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = self._server.poll(self.pid)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        deadline = None if timeout is None else time.monotonic() + timeout
        while (status := self.poll()) is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
            time.sleep(POLL_S)
        return status

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:  # only the server reaps: until then the id is this child's
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class ForkedAgent(Agent):
    """As Agent. points: what tests.e2e.points is to do in the next process, None: nothing."""

    def __init__(self, server: ForkServer, folder: Path, **how: Any) -> None:
        super().__init__(folder, **how)
        self._server = server
        self.points: dict[str, Any] | None = None

    def start(self, *, wait_ready: bool = True) -> None:
        if self.running:
            raise AgentError("the agent is running already")
        self.write_configuration()
        self._close_notify()
        self._notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notify = self.folder / "run" / "notify"
        notify.unlink(missing_ok=True)
        self._notified.bind(str(notify))
        self._notified.setblocking(False)
        pid = self._server.fork(
            argv=["run", "--config", str(self.config_path), *(["-v"] if self.verbose else [])],
            env={**self.environment(), "NOTIFY_SOCKET": str(notify)},
            log=str(self.log_path),
            points=self.points,
        )
        self._process = Forked(self._server, pid)  # type: ignore[assignment]  # what is used of Popen
        if wait_ready:
            self.wait_ready()
