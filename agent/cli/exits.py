"""The exit statuses of the command line, and how an error becomes one."""

from __future__ import annotations

import sys
from typing import Final

__all__ = ["CONFIGURATION", "DONE", "FAILED", "UNAVAILABLE", "USAGE", "complain"]

DONE: Final = 0
FAILED: Final = 1
USAGE: Final = 2
UNAVAILABLE: Final = 69  # sysexits.h EX_UNAVAILABLE: no modem, no running agent
CONFIGURATION: Final = 78  # sysexits.h EX_CONFIG


def complain(text: object, status: int) -> int:
    """Print an error for a person and return the status."""
    print(f"modem-agent: {text}", file=sys.stderr)
    return status
