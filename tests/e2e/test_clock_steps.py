"""The wall clock is set under a running agent: waits, back-offs and budgets count real time."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.support.agent import Agent, simulated
from tests.support.broker import Mosquitto, mosquitto_path
from tests.support.moved_clock import MovedClock

YEAR_S = 365 * 86_400.0
STEPS = (-YEAR_S, 2 * YEAR_S, -3 * YEAR_S, 30 * YEAR_S)
BETWEEN_S = 0.7
# Everything of the agent but its results.
ACL = [
    *(f"topic readwrite modem-agent/gw/{name}" for name in ("status", "info", "modem", "event")),
    *(f"topic readwrite modem-agent/gw/{name}" for name in ("sms/#", "command/request")),
]


def step(clock: MovedClock) -> None:
    """Set the clock back and ahead by years, a few times within some seconds."""
    for seconds in STEPS:
        clock.move(seconds)
        time.sleep(BETWEEN_S)


def test_a_report_that_waits_for_the_budget_waits_and_is_told_in_the_end(tmp_path: Path) -> None:
    clock = MovedClock(tmp_path)
    settings = {"budget": {"sms_per_hour": 1, "sms_per_day": 1}}
    with (
        simulated(tmp_path) as modem,
        Agent(tmp_path, port=modem.path, settings=settings, env=clock.env) as agent,
    ):
        modem.deliver_text("000", "ping id=a")
        agent.wait_rows("SELECT 1 FROM reports WHERE state = 'reported'")
        modem.deliver_text("000", "ping id=b")
        agent.wait_rows("SELECT 1 FROM reports WHERE attempts = 1 AND state = 'pending'")
        step(clock)
        (waiting,) = agent.query("SELECT * FROM reports WHERE state = 'pending'")
        assert waiting["attempts"] == 1
        assert len(modem.sent) == 1


def test_a_network_that_refuses_is_not_asked_more_often(tmp_path: Path) -> None:
    clock = MovedClock(tmp_path)
    with (
        simulated(tmp_path) as modem,
        Agent(tmp_path, port=modem.path, env=clock.env) as agent,
    ):
        agent.wait_log("modem ready")
        modem.faults.send_codes = [331] * 1000
        modem.deliver_text("000", "ping id=a")
        agent.wait_rows("SELECT 1 FROM reports WHERE attempts >= 1")
        step(clock)
        (waiting,) = agent.query("SELECT * FROM reports")
        assert waiting["state"] == "pending"
        assert waiting["attempts"] <= 2  # the first again after 5 s
        assert 1000 - len(modem.faults.send_codes) == waiting["attempts"]


@pytest.mark.skipif(mosquitto_path() is None, reason="mosquitto is not installed")
def test_a_broker_that_refuses_is_not_asked_more_often(tmp_path: Path) -> None:
    clock = MovedClock(tmp_path)
    with (
        Mosquitto(tmp_path / "broker", acl=ACL) as broker,
        simulated(tmp_path) as modem,
        Agent(
            tmp_path,
            port=modem.path,
            broker=broker.port,
            settings={"report": {"route": "mqtt"}},
            env=clock.env,
        ) as agent,
    ):
        modem.deliver_text("000", "ping id=a")
        told = "SELECT * FROM reports WHERE kind = 'result'"
        agent.wait_rows(f"{told} AND attempts >= 1", timeout_s=30)
        step(clock)
        (waiting,) = agent.query(told)
        assert waiting["state"] == "pending"
        assert waiting["attempts"] <= 3


def test_a_lock_out_ends_after_an_hour_that_has_really_passed(tmp_path: Path) -> None:
    clock = MovedClock(tmp_path)
    key = tmp_path / "key"
    key.write_text("k" * 40)
    settings = {
        "platforms": {"enabled": ["phone"], "phone": {"senders": ["+447700900123"]}},
        "security": {"keys": {"0": {"file": str(key)}}},
    }
    with (
        simulated(tmp_path) as modem,
        Agent(tmp_path, port=modem.path, settings=settings, env=clock.env) as agent,
    ):
        for n in range(4):
            modem.deliver_text("+447700900123", f"restart id=f{n} c=1 m=AAAAAAAAAA")
            agent.wait_command(f"f{n}", "rejected")
        told = len(agent.rows("reports"))
        clock.move(YEAR_S)
        modem.deliver_text("+447700900123", "restart id=late c=1 m=AAAAAAAAAA")
        agent.wait_command("late", "rejected")
        assert len(agent.rows("reports")) == told
