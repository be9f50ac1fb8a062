"""The vectors of tests/pdus."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "pdus"


def load(name: str, table: str = "message") -> list[dict[str, Any]]:
    """The entries of one file."""
    with (FOLDER / f"{name}.toml").open("rb") as file:
        found: list[dict[str, Any]] = tomllib.load(file)[table]
    return found


def every_pdu() -> list[str]:
    """The hex of every message that can be read without being told more."""
    names = ("published", "habits", "read_elsewhere")
    entries = [entry for name in names for entry in load(name) if "length" not in entry]
    composed = [pdu for entry in load("composed_elsewhere") for pdu in entry["pdus"]]
    return [entry["pdu"] for entry in entries] + composed
