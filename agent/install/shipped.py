"""Finds the files that are shipped beside the code: units, rules, the example configuration."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).parents[1]


def packaged(name: str) -> Path:
    """Give the path of a shipped file ("modem-agent.toml"); raises FileNotFoundError.

    An installed distribution carries the folder inside the package, a checkout at its root.
    """
    for folder in (_HERE / "data" / "systemd", _HERE.parent / "systemd"):
        if (folder / name).is_file():
            return folder / name
    raise FileNotFoundError(f"{name} is not part of this installation")
