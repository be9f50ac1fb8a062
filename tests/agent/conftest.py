"""One running agent with a simulated modem for all tests that only talk to it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from at.simulator import PtyModem
from at.simulator.running import RunningModem
from tests.support.agent import Agent, simulated

COMMANDS: dict[str, dict[str, Any]] = {
    "note": {
        "exec": ["/bin/sh", "-c", 'echo "$1" >> "$2"', "note", "{text}", "PATH"],
        "args": {"text": {"type": "string", "required": True}},
    },
    "slow": {"exec": ["/bin/sleep", "0.3"]},
    "bad": {"exec": ["/bin/sh", "-c", "exit 3"]},
    "secret": {"exec": ["/bin/true"], "channels": ["mqtt"]},
}
PROPERTIES = {"enable": {"type": "boolean", "exec": ["/bin/true", "{value}"]}}


@dataclass
class Running:
    """The agent, its modem, and what `note` has written."""

    agent: Agent
    modem: RunningModem[PtyModem]

    def notes(self) -> list[str]:
        path = self.agent.folder / "notes"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("agent")
    commands = {name: dict(command) for name, command in COMMANDS.items()}
    commands["note"]["exec"] = [
        str(folder / "notes") if word == "PATH" else word for word in COMMANDS["note"]["exec"]
    ]
    settings = {
        "command": commands,
        "property": PROPERTIES,
        "budget": {"sms_per_hour": 1000, "sms_per_day": 1000, "commands_per_minute": 1000},
    }
    with simulated(folder) as modem, Agent(folder, settings=settings) as agent:
        agent.wait_log("modem ready")
        yield Running(agent, modem)


Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def cli(running: Running) -> Cli:
    """The command line in this process, in the environment of the running agent."""
    return running.agent.main
