"""The fault matrix: after each fault the link is ready by itself, and every message ran once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults import page
from tests.faults.conftest import Played
from tests.faults.matrix import Cell
from tests.faults.scenes import ALL, CELLS, REPRESENTATIVE

pytestmark = pytest.mark.timeout(900)  # the first of them waits for all


@pytest.mark.parametrize("scene", list(CELLS) if ALL else REPRESENTATIVE)
def test_after_the_fault_all_messages_have_run_once_and_the_link_is_ready(
    played: Played, scene: str
) -> None:
    cell: Any = played[scene]
    assert isinstance(cell, Cell), cell
    assert not cell.problem


def test_the_page_has_every_fault_and_every_phase() -> None:
    assert page.rows_of(page.PAGE.read_text(encoding="utf-8")) == page.wanted_rows()
