"""A pytest plugin: a simulated modem as a fixture.

Load it with `pytest_plugins = ["at.simulator.pytest_plugin"]` in a conftest.py, or with
`-p at.simulator.pytest_plugin` on the command line.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from at.simulator.pty_shell import PtyModem
from at.simulator.running import RunningModem

MARKER = (
    "simulated_modem(personality='generic', *, seed=0, baud=None, boot=False, ...): "
    "how the fixture of that name builds its modem (the arguments of PtyModem)"
)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", MARKER)


@pytest.fixture
def simulated_modem(request: pytest.FixtureRequest) -> Iterator[RunningModem[PtyModem]]:
    """A modem on a pty, built as the marker `simulated_modem` says."""
    marker = request.node.get_closest_marker("simulated_modem")
    args = marker.args if marker else ()
    kwargs = marker.kwargs if marker else {}
    with RunningModem(lambda: PtyModem(*args, **kwargs)) as modem:
        yield modem


@pytest.fixture
def simulated_modems() -> Iterator[Callable[..., RunningModem[PtyModem]]]:
    """A function that starts one more modem; its arguments are those of PtyModem."""
    with contextlib.ExitStack() as stack:

        def start(*args: Any, **kwargs: Any) -> RunningModem[PtyModem]:
            return stack.enter_context(RunningModem(lambda: PtyModem(*args, **kwargs)))

        yield start
