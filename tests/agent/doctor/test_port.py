"""doctor and the port: there or not, allowed or not, held by whom, and with no modem behind it."""

from __future__ import annotations

import grp
import os
import select
import subprocess
import sys
import threading
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.doctor import dialogue, port
from at.bringup import discovery
from at.errors import PortBusyError
from tests.agent.doctoring import Simulated, doctor, examine
from tests.support.agent import Agent, simulated


@pytest.fixture
def modem(tmp_path: Path) -> Iterator[Simulated]:
    with simulated(tmp_path) as running:
        yield running


@pytest.fixture
def silence(tmp_path: Path) -> Iterator[tuple[str, int]]:
    """A serial line with nobody at its other end: its path, and that end."""
    master, slave = os.openpty()
    tty.setraw(slave)
    yield os.ttyname(slave), master
    os.close(slave)
    os.close(master)


def test_missing_port_is_no_modem(tmp_path: Path) -> None:
    report = examine(tmp_path)
    assert report.status == 69
    assert report.errors == ["port: name"]
    assert "no such file" in report["port: name"]["seen"]
    assert report["SIM: state"]["seen"] == "because of: port: name"


def test_file_that_is_no_device_is_no_modem(tmp_path: Path) -> None:
    report = examine(tmp_path, port=str(tmp_path / "agent.toml"))
    assert (report.status, report.errors) == (69, ["port: name"])


def test_holder_of_the_port_is_named(modem: Simulated, tmp_path: Path) -> None:
    program = tmp_path / "logger.py"
    program.write_text(
        "import serial, sys\n"
        "port = serial.Serial(sys.argv[1], exclusive=True)\n"
        "print('held', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, program, modem.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        report = examine(tmp_path, port=modem.path)
        assert holder.stdin is not None
        holder.stdin.close()
    assert report.status == 69
    assert report.errors == ["port: holder"]
    assert f"logger.py (pid {holder.pid})" in report["port: holder"]["seen"]
    assert report["port: holder"]["remedy"] == "stop it first"


def test_port_without_a_modem_is_told_from_one_at_another_speed(
    silence: tuple[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialogue, "PATIENCE_S", 0.8)
    path, other_end = silence
    report = examine(tmp_path, port=path)
    assert (report.status, report.errors) == (69, ["dialogue: answers AT"])
    assert "not one octet" in report["dialogue: answers AT"]["seen"]

    done = threading.Event()

    def babble() -> None:
        while not done.is_set():
            if select.select([other_end], [], [], 0.05)[0]:
                os.read(other_end, 100)
                os.write(other_end, b"\xf0\x0f\xaa")

    talker = threading.Thread(target=babble)
    talker.start()
    report = examine(tmp_path, port=path)
    done.set()
    talker.join()
    assert report.status == 69
    assert "modem.baudrate" in report["dialogue: answers AT"]["remedy"]


def test_group_of_the_port_is_named_to_who_may_not_open_it(
    modem: Simulated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = modem.path
    Path(path).chmod(0o660)
    os.chown(path, 0, 20)
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda one, mode: one != path and allowed(one, mode))
    report = examine(tmp_path, port=path)
    assert (report.status, report.errors) == (69, ["port: permissions"])
    assert "usermod -aG dialout" in report["port: permissions"]["remedy"]


def test_user_of_the_service_is_thought_of_when_root_asks(
    modem: Simulated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = modem.path
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(port, "SERVICE_USER", "nobody")
    Path(path).chmod(0o600)
    report = examine(tmp_path, port=path)
    assert report["port: permissions"]["verdict"] == "warning"
    assert "the service's nobody may not" in report["port: permissions"]["seen"]
    os.chown(path, 0, grp.getgrnam("dialout").gr_gid)
    Path(path).chmod(0o660)
    assert examine(tmp_path, port=path)["port: permissions"]["verdict"] == "ok"


def test_holder_of_a_port_that_was_to_be_found_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reason = "/dev/ttyUSB2: held by minicom (pid 7); quit minicom; /dev/ttyUSB3: no AT port"

    async def refuse(_port: str, **_how: object) -> None:
        raise PortBusyError("auto", reason, "minicom (pid 7)")

    one = discovery.Candidate("/dev/null", "/dev/null", "1-1", "2c7c", "0125", 2, "option", "", 0)
    monkeypatch.setattr(port, "candidates", lambda: [one])
    monkeypatch.setattr(port, "open_modem", refuse)
    report = examine(tmp_path, port="auto")
    assert (report.status, report.errors) == (69, ["port: holder"])
    assert report["port: holder"]["seen"] == reason
    assert "--port" in report["port: holder"]["remedy"]


def test_name_that_stays_is_proposed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = tmp_path / "by-id" / "usb-Maker_Modem-if02-port0"
    link.parent.mkdir()
    link.symlink_to("/dev/ttyUSB2")
    monkeypatch.setattr(port, "SERIAL", tmp_path)
    assert port._stable_name("/dev/ttyUSB2") == str(link)
    assert port._stable_name("/dev/ttyUSB3") is None
    assert port._stable_name(str(link)) is None


def test_at_lines_reach_a_modem_that_is_found_by_itself(
    modem: Simulated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = modem.path
    one = discovery.Candidate(path, path, "1-1", "2c7c", "0125", 2, "option", "Maker Modem", 0)
    monkeypatch.setattr(discovery, "candidates", lambda *_: [one])
    monkeypatch.setattr(port, "candidates", lambda *_: [one])
    agent = Agent(tmp_path, settings={"modem": {"port": "auto"}})
    assert agent.main("at", "+CSQ").stdout.splitlines() == ["+CSQ: 17,99", "OK"]
    report = doctor(agent)
    assert report.status == 0
    assert report["port: name"]["seen"] == f"auto: {path} (Maker Modem)"
    assert report["port: opens"]["seen"] == path
