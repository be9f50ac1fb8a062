"""Waiting for a fact, bounded."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

__all__ = ["until"]

LOOK_S: Final = 0.1


def until(fact: Callable[[], object], timeout_s: float, what: str) -> float:
    """Wait until fact() is true and return how many seconds that took; AssertionError if never."""
    start = time.monotonic()
    while not fact():
        if time.monotonic() - start > timeout_s:
            raise AssertionError(f"not within {timeout_s:g} s: {what}")
        time.sleep(LOOK_S)
    return time.monotonic() - start
