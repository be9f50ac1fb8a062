"""Plays everything that the chosen tests want to see, side by side: nearly all of it is waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from tests.faults import scenes
from tests.faults.site import shortened

Played = Mapping[str, Any]


@pytest.fixture(scope="session")
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Scene's name -> what became of it."""
    named = {
        str(item.callspec.params["scene"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and "scene" in getattr(item, "callspec", _None).params
    }
    with shortened():
        return asyncio.run(scenes.play(sorted(named), tmp_path_factory.mktemp("faults")))


class _None:
    params: Mapping[str, Any] = {}
