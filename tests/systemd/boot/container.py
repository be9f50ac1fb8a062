"""A booted system in a container: its start, its end, and programs run inside it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.systemd.boot.image import CannotShow
from tests.systemd.boot.waiting import until

__all__ = ["REBOOTED", "Container"]

REBOOTED: Final = 133  # systemd-nspawn(1): the container asked for a reboot
BOOT_TIMEOUT_S: Final = 90.0
STOP_TIMEOUT_S: Final = 60.0
INSIDE_TIMEOUT_S: Final = 60.0


class Container:
    """One boot of a system; a context manager that leaves nothing running."""

    def __init__(self, root: Path, log: Path) -> None:
        self.root = root
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._leader = 0

    def __enter__(self) -> Self:
        argv = [
            "systemd-nspawn",
            f"--directory={self.root}",
            f"--machine=modem-agent-boot-{os.getpid()}",
            "--boot",
            "--register=no",
            "--private-network",
            "--console=pipe",
        ]
        if not Path("/run/systemd/system").is_dir():
            argv.append("--keep-unit")  # no manager that could make a scope for it
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        try:
            until(self._is_up, BOOT_TIMEOUT_S, "the container is booted")
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def _is_up(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            said = self.log.read_text(errors="replace")[-2000:]
            raise CannotShow(f"systemd-nspawn cannot boot here: {said}")
        self._leader = _child_of(self._process.pid)
        if self._leader == 0:
            return False
        state = self.run("systemctl", "is-system-running", check=False).strip()
        return state in ("running", "degraded")

    def wait(self, timeout_s: float) -> int:
        """Wait for the container's end and return nspawn's exit status."""
        assert self._process is not None
        return self._process.wait(timeout_s)

    def _stop(self) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        for number, patience_s in ((signal.SIGTERM, STOP_TIMEOUT_S), (signal.SIGKILL, 10.0)):
            self._process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(patience_s)
                return

    # ---- inside ---------------------------------------------------------------------------

    def run(self, *argv: str, check: bool = True) -> str:
        """Run a program inside as root and return what it printed."""
        enter = ["nsenter", f"--target={self._leader}", "-m", "-u", "-i", "-n", "-p", "--"]
        done = subprocess.run(
            [*enter, "/usr/bin/env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", *argv],
            capture_output=True,
            text=True,
            timeout=INSIDE_TIMEOUT_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if check and done.returncode != 0:
            told = (done.stdout + done.stderr).strip()
            raise AssertionError(f"{' '.join(argv)}: exit {done.returncode}: {told}")
        return done.stdout

    def properties(self, *names: str) -> dict[str, str]:
        """Return properties of the agent's unit."""
        out = self.run("systemctl", "show", "modem-agent", f"--property={','.join(names)}")
        return dict(line.split("=", 1) for line in out.splitlines() if "=" in line)

    def journal(self, *more: str) -> str:
        """Return what the agent and systemd said of the unit in this boot."""
        return self.run("journalctl", "--unit=modem-agent", "--boot", "--output=cat", *more)

    def path(self, place: str) -> Path:
        """Return a path of the running system (its /run too) as seen from outside."""
        return Path(f"/proc/{self._leader}/root") / place.lstrip("/")

    def read(self, place: str) -> str:
        """Return what a file inside holds, as the inside sees it."""
        return self.run("cat", place)


def _child_of(pid: int) -> int:
    """Return nspawn's child that became the container's first process, 0 before that."""
    with contextlib.suppress(OSError):
        for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            status = Path(f"/proc/{word}/status").read_text()
            if any(
                line.split()[1:][-1:] == ["1"]
                for line in status.splitlines()
                if line.startswith("NSpid:")
            ):
                return int(word)
    return 0
