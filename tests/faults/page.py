"""docs/fault-matrix.md, as played."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.faults.catalogue import FAULTS
from tests.faults.matrix import PHASES, Cell

PAGE = Path(__file__).resolve().parents[2] / "docs" / "fault-matrix.md"


def write(cells: Sequence[Cell]) -> None:
    """Placeholder."""
