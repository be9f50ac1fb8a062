"""`modem-agent simulate` as a process."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from tests.at.simulator.host import SUBMIT

PROGRAM = """
import argparse, sys
from agent.cli import simulate
parser = argparse.ArgumentParser()
simulate.add_parser(parser.add_subparsers(required=True))
options = parser.parse_args()
sys.exit(options.func(options))
"""
ROOT = Path(__file__).parents[3]


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-W", "error", "-c", PROGRAM, "simulate", *arguments]


@contextlib.contextmanager
def _running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        _command(*arguments),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_its_path_first_and_ends_cleanly(number: signal.Signals, tmp_path: Path) -> None:
    link = tmp_path / "modem"
    with _running("--link", str(link), "--deliver", "2936", "hello") as process:
        path = _first_line(process)
        assert str(link.readlink()) == path
        with serial.Serial(str(link), timeout=5.0) as port:
            port.write(b"AT+CPMS?\r")
            assert b'"SM",1,30' in port.read_until(b"OK\r\n")
        process.send_signal(number)
        assert process.wait(10.0) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert not link.is_symlink()


def test_tcp_json_and_control(tmp_path: Path) -> None:
    control = tmp_path / "control"
    with _running("--tcp", "127.0.0.1:0", "--json", "--control", str(control)) as process:
        told = json.loads(_first_line(process))
        assert told["path"].startswith("socket://127.0.0.1:")
        assert told["control"] == str(control)
        with serial.serial_for_url(told["path"], timeout=5.0) as port:
            port.write(b"AT\r")
            assert port.read_until(b"OK\r\n").endswith(b"OK\r\n")
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5.0)
            client.connect(str(control))
            client.sendall(b'{"op": "status"}\n')
            assert json.loads(client.recv(65536))["bytes_in"] == 3
        process.terminate()
        assert process.wait(10.0) == 0
    assert not control.exists()


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["--personality", "nokia-3310"], 2, "--personality is one of"),
        (["--tcp", "nowhere"], 2, "HOST:PORT"),
        (["--tcp", "127.0.0.1:0", "--link", "x"], 2, "--link is for a terminal"),
        (["--baud", "7"], 2, "--baud"),
        (["--deliver", "", "text"], 2, "--deliver"),
        (["--fault", "noise"], 2, "noise takes float"),
        (["--fault", "thirst=1"], 2, "no such field: thirst"),
        (["--control", "/nonexistent/control"], 1, "cannot start"),
        (["--tcp", "192.0.2.1:1"], 1, "cannot start"),
    ],
)
def test_what_it_cannot_do_is_told_without_a_traceback(
    arguments: list[str], status: int, told: str
) -> None:
    ended = subprocess.run(
        _command(*arguments), cwd=ROOT, capture_output=True, text=True, timeout=20.0, check=False
    )
    assert ended.returncode == status
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr


def test_faults_and_a_locked_card_from_the_start() -> None:
    with _running("--fault", "send_codes=[38]", "--pin", "4321") as process:
        with serial.Serial(_first_line(process), timeout=5.0) as port:
            port.write(b"ATE0+CMEE=1\rAT+CPIN?\r")
            assert b"+CPIN: SIM PIN" in port.read_until(b"PIN\r\n\r\nOK\r\n")
            port.write(b'AT+CPIN="4321"\rAT+CMGS=18\r')
            port.read_until(b"> ")
            port.write(SUBMIT.encode() + b"\x1a")
            assert port.read_until(b"38\r\n").endswith(b"+CMS ERROR: 38\r\n")
        process.terminate()
        assert process.wait(10.0) == 0


def test_list_names_the_personalities() -> None:
    ended = subprocess.run(
        _command("--list", "--json"), cwd=ROOT, capture_output=True, timeout=20.0, check=True
    )
    assert "generic" in json.loads(ended.stdout)
