"""The process: its signals, and `restart` with and without a service manager."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from at.simulator import PtyModem
from at.simulator.running import RunningModem
from tests.support.agent import Agent, simulated

# As a background shell and nohup start their programs.
DEAF = (
    "import os, signal, sys\n"
    "for number in (signal.SIGINT, signal.SIGHUP):\n"
    "    signal.signal(number, signal.SIG_IGN)\n"
    "os.execv(sys.executable, [sys.executable, '-m', 'agent', *sys.argv[1:]])\n"
)


@pytest.fixture
def modem(tmp_path: Path) -> Iterator[RunningModem[PtyModem]]:
    with simulated(tmp_path) as running:
        yield running


@pytest.fixture
def agent(tmp_path: Path, modem: RunningModem[PtyModem]) -> Iterator[Agent]:
    """Not started yet, and nobody would start it again."""
    made = Agent(tmp_path, manager=False)
    yield made
    made.kill()


def _is_closed_in_order(agent: Agent) -> bool:
    wal = agent.journal_path.with_name("journal.db-wal")
    return not agent.control_path.exists() and not (wal.exists() and wal.stat().st_size)


def _descriptors(agent: Agent) -> int:
    return sum(1 for _ in Path(f"/proc/{agent.pid}/fd").iterdir())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_the_agent_ends_in_order(agent: Agent, number: signal.Signals) -> None:
    agent.start()
    agent.send_signal(number)
    assert agent.wait_end() == 0
    assert _is_closed_in_order(agent)


def test_from_a_background_shell_it_ends_at_sigint_and_outlives_its_terminal(
    agent: Agent, modem: RunningModem[PtyModem]
) -> None:
    agent.program = [agent.program[0], "-c", DEAF]
    agent.start()
    agent.send_signal(signal.SIGHUP)
    modem.deliver_text("000", "ping id=a")
    agent.wait_command("a", "succeeded")
    agent.send_signal(signal.SIGINT)
    assert agent.wait_end() == 0


def test_restart_without_a_service_manager_executes_the_agent_again(
    agent: Agent, modem: RunningModem[PtyModem]
) -> None:
    agent.start()
    modem.deliver_text("000", "ping id=before")
    agent.wait_rows("SELECT * FROM reports WHERE state = 'reported'")
    descriptors = _descriptors(agent)
    words = Path(f"/proc/{agent.pid}/cmdline").read_bytes()
    pid = agent.pid
    modem.deliver_text("000", "restart id=r")
    agent.wait_log("agent ready", count=2)
    agent.wait_command("r", "succeeded")
    modem.deliver_text("000", "ping id=after")
    agent.wait_command("after", "succeeded")
    agent.wait_rows("SELECT * FROM reports WHERE state = 'reported'", count=3)
    assert agent.running
    assert agent.pid == pid
    assert Path(f"/proc/{pid}/cmdline").read_bytes() == words
    assert _descriptors(agent) <= descriptors + 1  # none is handed on; the journal's may come
    assert agent.cli("send", "ping").returncode == 0
    assert agent.stop() == 0
    assert _is_closed_in_order(agent)


def test_restart_under_a_service_manager_is_its_business(
    agent: Agent, modem: RunningModem[PtyModem]
) -> None:
    agent.manager = True
    agent.start()
    modem.deliver_text("000", "restart id=r")
    assert agent.wait_end() == 0
    agent.start()
    agent.wait_command("r", "succeeded")


def test_killed_while_it_restarts_it_says_so_after_the_next_start(
    agent: Agent, modem: RunningModem[PtyModem]
) -> None:
    agent.start()
    modem.deliver_text("000", "restart id=r")
    agent.wait_rows("SELECT * FROM commands WHERE state = 'running'")
    agent.kill()
    agent.start(wait_ready=False)
    agent.wait_command("r", "succeeded")
    assert len(agent.rows("commands")) == 1


def test_restart_into_a_configuration_that_is_not_usable_is_refused(
    agent: Agent, modem: RunningModem[PtyModem]
) -> None:
    agent.start()
    good = agent.config_path.read_text()
    agent.config_path.write_text(f"{good}\n[modem.oops]\n")
    modem.deliver_text("000", "restart id=r")
    row = agent.wait_command("r")
    assert row["state"] == "failed"
    assert "oops" in row["detail"]
    modem.deliver_text("000", "ping id=still")
    agent.wait_command("still", "succeeded")
