"""The page about the simulated modem says all there is, and nothing there is not."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from at.simulator import PERSONALITIES, Faults
from at.simulator.operations import OPERATIONS

PAGE = (Path(__file__).parents[3] / "docs" / "simulator.md").read_text()


def _first_cells(heading: str) -> set[str]:
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    cells = re.findall(r"^\| (`[^|]*) \|", section, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def test_every_personality_fault_and_operation_is_there() -> None:
    assert _first_cells("Personalities") == set(PERSONALITIES)
    assert _first_cells("Faults") == {field.name for field in dataclasses.fields(Faults)}
    assert _first_cells("The control socket") - {"op"} == set(OPERATIONS)
