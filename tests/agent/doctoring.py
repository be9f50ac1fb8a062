"""Runs `modem-agent doctor` as a user would, and finds its rows by their names."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from at.simulator import PtyModem
from at.simulator.running import RunningModem
from tests.support.agent import Agent

Simulated = RunningModem[PtyModem]


@dataclass(frozen=True, slots=True)
class Report:
    """The exit status, and the findings by "layer: check"."""

    status: int
    rows: dict[str, dict[str, str]]

    def __getitem__(self, key: str) -> dict[str, str]:
        return self.rows[key]

    @property
    def errors(self) -> list[str]:
        return [key for key, row in self.rows.items() if row["verdict"] == "error"]

    def verdicts(self) -> dict[str, str]:
        return {key: row["verdict"] for key, row in self.rows.items()}


def examine(folder: Path, *words: str, port: str | None = None, **how: Any) -> Report:
    """Examine a gateway whose configuration is made here; no agent runs."""
    return doctor(Agent(folder, port=port, **how), *words)


def doctor(agent: Agent, *words: str) -> Report:
    done = agent.main("doctor", "--json", *words)
    assert done.stderr == ""
    found: list[dict[str, str]] = json.loads(done.stdout)
    return Report(done.returncode, {f"{row['layer']}: {row['check']}": row for row in found})
