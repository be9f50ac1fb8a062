"""A module that is put off is there for whoever uses it, and costs nothing before."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from agent.system.lazy_import import lazily

REPOSITORY = Path(__file__).parents[3]


def _run(program: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_it_is_loaded_by_its_first_use_and_not_before() -> None:
    program = (
        "import sys; from agent.system.lazy_import import lazily; lazily('urllib.request');"
        "import urllib.request; print('http.client' in sys.modules);"
        "print(callable(urllib.request.getproxies), 'http.client' in sys.modules)"
    )
    assert _run(program).split() == ["False", "True", "True"]


def test_paho_loads_without_what_only_a_proxy_needs() -> None:
    program = (
        "import sys; from agent.system.lazy_import import lazily; lazily('urllib.request');"
        "import paho.mqtt.client; print('http.client' in sys.modules)"
    )
    assert _run(program) == "False"


def test_what_is_loaded_stays() -> None:
    before = sys.modules["subprocess"]
    lazily("subprocess")
    assert sys.modules["subprocess"] is before


def test_what_is_not_there_is_told_at_once() -> None:
    with pytest.raises(ModuleNotFoundError):
        lazily("no_such_module")
