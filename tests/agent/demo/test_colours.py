"""Colours of the demonstration."""

from __future__ import annotations

import io

import pytest

from agent.demo.timeline import Timeline


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environment", "colourful"),
    [
        ({"TERM": "xterm"}, True),
        ({"TERM": "xterm", "NO_COLOR": ""}, True),  # empty is unset, as no-color.org says
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
        ({"TERM": ""}, False),
        ({}, False),
    ],
)
def test_colours_only_where_the_terminal_has_them_and_nobody_minds(
    environment: dict[str, str], colourful: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TERM", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    terminal = Terminal()
    Timeline(terminal).head("title")
    assert ("\x1b[" in terminal.getvalue()) is colourful
