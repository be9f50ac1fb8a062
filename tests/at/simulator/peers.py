"""What the tests with other programs share."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from at.sms import Submit, decode

PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
PATIENCE_S = 30.0


def needs(program: str, package: str) -> pytest.MarkDecorator:
    """Skip where a program is missing, saying how to get it."""
    return pytest.mark.skipif(
        shutil.which(program, path=PATH) is None,
        reason=f"no {program}: sudo apt-get install -y --no-install-recommends {package}",
    )


def run(*command: str) -> str:
    """Run a program to its end and return what it printed."""
    ended = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=60.0,
        check=False,
        env={"PATH": PATH, "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"},
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@contextlib.contextmanager
def running(command: Sequence[str], output: Path) -> Iterator[None]:
    """Keep a daemon running, its output in a file."""
    environment = {"PATH": PATH, "LC_ALL": "C.UTF-8"}
    with (
        output.open("wb") as log,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment
        ) as process,
    ):
        try:
            yield
            assert process.poll() is None, output.read_text()
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10.0)
            except subprocess.TimeoutExpired:
                process.kill()


def until(condition: Callable[[], bool], log: Path) -> None:
    """Wait for a condition; the daemon's log says why it did not come true."""
    ends_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < ends_s, log.read_text(errors="replace")[-4000:]
        time.sleep(0.05)


def text_of(pdu: str) -> str | None:
    """Return the text of a submitted PDU."""
    submit = decode(pdu, direction="mo").tpdu
    assert isinstance(submit, Submit)
    return submit.user_data.text


def destination_of(pdu: str) -> str:
    """Return the number a submitted PDU goes to."""
    submit = decode(pdu, direction="mo").tpdu
    assert isinstance(submit, Submit)
    return str(submit.destination)
