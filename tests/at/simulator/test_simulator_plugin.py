"""The pytest plugin, as somebody else's test suite would use it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.imports import imports, modules, within

ROOT = Path(__file__).parents[3]

SUITE = """
import pytest
import serial


def _ask(path, line):
    with serial.Serial(path, timeout=5.0) as port:
        port.write(line + b"\\r")
        return port.read_until(b"OK\\r\\n")


def test_plain(simulated_modem):
    assert b"Simulated" in _ask(simulated_modem.path, b"AT+CGMI")


@pytest.mark.simulated_modem("quectel-bg95", seed=4)
def test_marked(simulated_modem):
    simulated_modem.deliver_text("2936", "hello")
    simulated_modem.control("radio", rssi=3)
    assert b"Quectel" in _ask(simulated_modem.path, b"AT+CGMI")
    assert b"+CSQ: 3,99" in _ask(simulated_modem.path, b"AT+CSQ")


def test_several(simulated_modems):
    first, second = simulated_modems("telit-le910"), simulated_modems("sierra-mc7455")
    assert first.path != second.path
    assert b"Telit" in _ask(first.path, b"AT+CGMI")
    assert b"Sierra" in _ask(second.path, b"AT+CGMI")
"""


def test_its_fixtures_work_in_a_suite_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["at.simulator.pytest_plugin"]\n')
    (tmp_path / "test_suite.py").write_text(SUITE)
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--strict-markers", "-p", "no:asyncio", "."],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60.0,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "3 passed" in ended.stdout


def test_the_simulator_shares_no_facts_with_the_driver() -> None:
    wrong = [
        str(edge)
        for edge in imports(modules("at"))
        if within(edge.importer, "at.simulator")
        and within(edge.imported, "at", "agent")
        and not within(edge.imported, "at.simulator", "at.sms", "at.errors")
        and edge.imported != "at"
    ]
    assert not wrong
