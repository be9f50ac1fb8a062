"""A fork server for the whole session, a road of its own for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.forked import ForkServer
from tests.e2e.road import Road

MakeRoad = Callable[..., Road]


@pytest.fixture(scope="session")
def fork_server() -> Iterator[ForkServer]:
    with ForkServer() as server:
        yield server


@pytest.fixture
def road(fork_server: ForkServer, tmp_path: Path) -> Iterator[Road]:
    """A modem and an agent that is not started yet."""
    with Road(fork_server, tmp_path) as made:
        yield made


@pytest.fixture
def make_road(fork_server: ForkServer, tmp_path: Path) -> Iterator[MakeRoad]:
    """Builds a road with settings; it is taken down at the end of the test."""
    roads: list[Road] = []

    def make(**settings: Any) -> Road:
        made = Road(fork_server, tmp_path / f"road-{len(roads)}", **settings)
        roads.append(made)
        return made.__enter__()

    yield make
    for made in reversed(roads):
        made.__exit__(None, None, None)
