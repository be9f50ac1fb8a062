"""Clocks that lie, under a real agent: the wall clock moved, network time of several habits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from at.simulator import PtyModem
from at.simulator.running import RunningModem
from at.simulator.texts import pdus_of
from tests.support.agent import Agent, simulated
from tests.support.broker import Mosquitto, mosquitto_path
from tests.support.moved_clock import MovedClock
from tests.support.mqtt_client import Observer

STALE = datetime(2025, 1, 2, tzinfo=UTC)


def at(hours: float) -> str:
    return f"{datetime.now(UTC) + timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}"


def say(modem: RunningModem[PtyModem], hours: float, quarters: int = 0) -> None:
    """Let the modem print a time so many hours off the true UTC, with this zone beside it."""

    def work(shell: PtyModem) -> None:
        device = shell.core.device
        shown = datetime.now(UTC) + timedelta(hours=hours, seconds=-device.now_s)
        device.epoch = shown.replace(tzinfo=timezone(timedelta(minutes=15 * quarters)))

    modem.call(work)


def settle(agent: Agent, modem: RunningModem[PtyModem], text: str, *, hours: float = 0) -> str:
    """Deliver a command sent so many hours from now; return what became of it."""
    id_ = text.rpartition("id=")[2]
    for pdu in pdus_of("000", text, datetime.now(UTC) + timedelta(hours=hours)):
        modem.deliver(pdu)
    row = agent.wait_command(id_, "scheduled", "rejected", "expired", "succeeded")
    return str(row["reason"] or row["state"])


@pytest.mark.parametrize("wall", ["stale", "right"])
def test_right_network_time_is_enough_and_a_stale_wall_clock_no_matter(
    tmp_path: Path, wall: str
) -> None:
    clock = MovedClock(tmp_path)
    if wall == "stale":
        clock.set(STALE)
    with simulated(tmp_path) as modem, Agent(tmp_path, port=modem.path, env=clock.env) as agent:
        assert settle(agent, modem, f"restart when={at(5)} id=a") == "scheduled"
        assert settle(agent, modem, "ping exp=+1h id=b") == "succeeded"
        assert settle(agent, modem, "ping exp=+1h id=c", hours=-3) == "expired"
        clock.move(90 * 86_400)
        assert settle(agent, modem, "ping exp=+1h id=d") == "succeeded"
        agent.wait_command("a", "scheduled")


@pytest.mark.parametrize(
    ("wall", "hours", "quarters"),
    [
        ("right", 0, -24),
        ("stale", 0, -24),
        ("right", 0, 32),
        ("stale", -6, 24),
        ("stale", 3, 0),
        ("right", 34 * 8766, 0),
        ("stale", -4000, 0),
    ],
)
def test_wrong_network_time_runs_nothing_early_and_nothing_that_is_expired(
    tmp_path: Path, wall: str, hours: float, quarters: int
) -> None:
    clock = MovedClock(tmp_path)
    if wall == "stale":
        clock.set(STALE)
    with simulated(tmp_path) as modem:
        say(modem, hours, quarters)
        with Agent(tmp_path, port=modem.path, env=clock.env) as agent:
            assert settle(agent, modem, f"restart when={at(5)} id=a") == "clock"
            assert settle(agent, modem, "ping exp=+1h id=b") == "clock"
            # Beside a right wall clock, the newest stamp proves that it is late.
            late = "clock" if wall == "stale" else "expired"
            assert settle(agent, modem, "ping exp=+3h id=c", hours=-8) == late


def test_a_stamp_decades_ahead_moves_nothing_also_after_a_restart(tmp_path: Path) -> None:
    with simulated(tmp_path) as modem, Agent(tmp_path, port=modem.path) as agent:
        for sender in ("+15550001111", "000"):
            for pdu in pdus_of(sender, "ping id=x", datetime(2060, 1, 1, tzinfo=UTC)):
                modem.deliver(pdu)
        agent.wait_command("x")
        assert settle(agent, modem, "ping exp=+1h id=a") == "succeeded"
        agent.kill()
        agent.start()
        assert settle(agent, modem, "ping exp=+1h id=b") == "succeeded"
        assert settle(agent, modem, f"restart when={at(5)} id=c") == "scheduled"


def test_a_lost_journal_beside_a_wrong_clock_proves_nothing_until_somebody_confirms(
    tmp_path: Path,
) -> None:
    clock = MovedClock(tmp_path)
    clock.set(STALE)
    with simulated(tmp_path) as modem, Agent(tmp_path, port=modem.path, env=clock.env) as agent:
        agent.stop()
        for path in agent.journal_path.parent.glob("journal.db*"):
            if not path.name.endswith((".id", ".lock")):
                path.unlink()
        agent.start()
        assert settle(agent, modem, "restart id=a") == "unproven"
        assert settle(agent, modem, "ping id=b") == "succeeded"
        agent.wait_log("CRITICAL.*journal lost")
        assert "BEGUN ANEW" in agent.cli("status").stdout


@pytest.mark.skipif(mosquitto_path() is None, reason="mosquitto is not installed")
def test_relative_expiry_over_mqtt_works_on_a_box_of_1970_and_over_its_first_ntp(
    tmp_path: Path,
) -> None:
    clock = MovedClock(tmp_path)
    clock.set(datetime(1970, 1, 1, 0, 5, tzinfo=UTC))
    topic = "modem-agent/gw/command/request"
    with (
        Mosquitto(tmp_path / "broker") as broker,
        Agent(tmp_path, broker=broker.port, env=clock.env) as agent,
        Observer(broker.port) as observer,
    ):
        agent.wait_log("mqtt connected")
        observer.publish(topic, '{"cmd":"ping","exp":"+1h","id":"a"}')
        observer.publish(topic, '{"cmd":"ping","id":"b"}', expiry_s=3600)
        assert agent.wait_command("a")["state"] == "succeeded"
        assert agent.wait_command("b")["state"] == "succeeded"
        observer.publish(topic, '{"cmd":"restart","exp":"+1h","id":"c","when":"NextBoot"}')
        agent.wait_command("c", "scheduled")
        clock.set(datetime.now(UTC))
        observer.publish(topic, '{"cmd":"ping","exp":"+1h","id":"d"}')
        assert agent.wait_command("d")["state"] == "succeeded"
        assert agent.wait_command("c", "scheduled", "expired")["state"] == "scheduled"
