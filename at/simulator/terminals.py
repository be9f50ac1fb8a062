"""Pseudo terminals by name.

The kernel gives the lowest free number, so the next modem of a test would be found at once under
the name of the last one, by a program that still waits for that. Names are therefore not given
again soon, and processes start at different numbers.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable

Terminal = tuple[int, int]  # master and slave

_SPREAD = 16  # numbers that processes start at, and names that are not given again
_TRIES = 64
_recent: deque[str] = deque(maxlen=_SPREAD)


def _terminal(fits: Callable[[int, str], bool]) -> Terminal:
    """Open terminals until one fits (its ordinal, its name); the last one where none does."""
    opened: list[Terminal] = []
    try:
        for ordinal in range(_TRIES):
            opened.append(os.openpty())
            if fits(ordinal, os.ttyname(opened[-1][1])):
                break
        chosen = opened.pop()
    finally:
        for pair in opened:
            for descriptor in pair:
                os.close(descriptor)
    _recent.append(os.ttyname(chosen[1]))
    return chosen


def fresh_terminal() -> Terminal:
    """Open a terminal under a name that was not in use lately. Raises OSError."""
    skip = os.getpid() % _SPREAD
    return _terminal(lambda ordinal, name: ordinal >= skip and name not in _recent)


def terminal_named(name: str) -> Terminal:
    """Open the terminal of that name where it is free, else any other. Raises OSError."""
    return _terminal(lambda _, found: found == name)
