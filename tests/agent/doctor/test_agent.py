"""doctor beside a running agent: the modem is asked through it, and it is not disturbed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agent.conftest import Running
from tests.agent.doctoring import Simulated, doctor
from tests.support.agent import REPOSITORY, Agent, simulated
from tests.support.broker import Mosquitto
from tests.support.mqtt_client import Observer
from tests.support.terminal import Terminal


@pytest.fixture
def modem(tmp_path: Path) -> Iterator[Simulated]:
    with simulated(tmp_path) as sim:
        yield sim


def test_modem_is_asked_through_the_agent_and_stays_ready(running: Running) -> None:
    before = running.agent.query("SELECT count(*) AS n FROM recovery")
    report = doctor(running.agent)
    assert report.status == 0
    assert report.errors == []
    assert report["dialogue: answers AT"]["seen"] == "OK, through the running agent"
    assert report["messages: announcing"]["seen"] == "2,1,0,2,0: stored and announced"
    assert report["agent: modem"]["seen"].startswith("ready since")
    assert f"process {running.agent.pid}" in report["journal: owner"]["seen"]
    assert running.agent.query("SELECT count(*) AS n FROM recovery") == before
    assert doctor(running.agent)["agent: modem"]["seen"] == report["agent: modem"]["seen"]


def test_port_of_the_agent_is_held_by_the_agent(running: Running) -> None:
    report = doctor(running.agent, "--port", running.modem.path)
    assert report.status == 69
    assert report.errors == ["port: holder"]
    assert f"(pid {running.agent.pid})" in report["port: holder"]["seen"]
    assert "an agent has it" in report["port: holder"]["remedy"]


def test_agent_of_another_configuration_is_left_alone(running: Running, tmp_path: Path) -> None:
    other = Agent(tmp_path, settings={"device": {"id": "other"}})
    report = doctor(other, "--socket", str(running.agent.control_path))
    assert "not this configuration's other" in report["agent: control socket"]["seen"]
    assert report["port: name"]["verdict"] == "error"


def test_socket_where_nobody_listens_is_an_error(tmp_path: Path) -> None:
    report = doctor(Agent(tmp_path), "--socket", str(tmp_path / "nobody"))
    assert "agent: control socket" in report.errors


def test_agent_without_a_usable_sim_tells_its_reason(modem: Simulated, tmp_path: Path) -> None:
    modem.call(lambda s: setattr(s.core.device.sim, "state", "SIM PIN"))
    with Agent(tmp_path, port=modem.path) as agent:
        agent.wait_log("SIM not usable")
        report = doctor(agent)
    assert report.status == 69
    assert report.errors == ["agent: modem"]
    assert "pin-required" in report["agent: modem"]["seen"]
    assert report["SIM: state"]["verdict"] == "skipped"


def test_agent_that_passes_on_no_lines_is_no_error(modem: Simulated, tmp_path: Path) -> None:
    settings = {"command": {"at": {"channels": ["mqtt"]}}}
    with (
        Mosquitto(tmp_path / "broker") as broker,
        Agent(tmp_path, port=modem.path, broker=broker.port, settings=settings) as agent,
    ):
        agent.wait_log("modem ready")
        agent.wait_log("mqtt connected")
        report = doctor(agent)
        assert report["broker: agent"]["seen"] == "the running agent is connected, MQTT 5"
    assert report.status == 0
    assert "not open to the console" in report["dialogue: answers AT"]["seen"]
    assert "-79 dBm" in report["agent: modem"]["seen"]


def test_topic_that_the_broker_refuses_is_an_error(tmp_path: Path) -> None:
    root = "modem-agent/gw"
    taken = ("status", "info", "modem", "event", "command/request")  # of command/result it is not
    acl = [*(f"topic write {root}/{name}" for name in taken), f"topic read {root}/#"]
    with (
        Mosquitto(tmp_path / "broker", acl=acl) as broker,
        Agent(tmp_path, broker=broker.port) as agent,
        Observer(broker.port) as observer,
    ):
        agent.wait_log("mqtt connected")
        observer.publish(f"{root}/command/request", "ping id=b")
        agent.wait_log("mqtt topic refused")
        report = doctor(agent)
    assert "broker: agent" in report.errors
    assert f"refuses {root}/command/result" in report["broker: agent"]["seen"]
    assert "access rules" in report["broker: agent"]["remedy"]


def test_person_sees_each_line_as_its_check_ends(tmp_path: Path) -> None:
    with simulated(tmp_path) as modem, Terminal() as terminal:
        modem.faults.final_delay_s, modem.faults.final_delays = 0.1, 1000
        agent = Agent(tmp_path, port=modem.path)
        command = [sys.executable, "-m", "agent", "--config", str(agent.config_path), "doctor"]
        env = {**agent.environment(), "TERM": "dumb"}
        with terminal.start(command, env=env, cwd=REPOSITORY) as process:
            terminal.wait_for("configuration\r\n  ok      file: ")
            terminal.wait_for("  ok      opens: ")
            assert "signal" not in terminal.shown
            terminal.wait_for("signal: -79 dBm")
            terminal.wait_for(r"\d+ note, \d+ skipped\r\n", timeout_s=20.0)
            assert process.wait(5.0) == 0


def test_pipe_gets_one_line_a_check_and_nothing_else(running: Running) -> None:
    done = running.agent.main("doctor")
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert all(line.split()[0] in {"ok", "note", "warning", "error", "skipped"} for line in lines)
    assert len(lines) > 35
