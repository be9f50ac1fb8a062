"""The table of modem personalities: one file a vendor, one row a model."""

from __future__ import annotations

from at.simulator.personalities.generic import GENERIC
from at.simulator.personality import Personality

PERSONALITIES: dict[str, Personality] = {row.name: row for row in (GENERIC,)}


def personality(name: str) -> Personality:
    """Return the personality of that name; raises KeyError naming those there are."""
    try:
        return PERSONALITIES[name]
    except KeyError:
        raise KeyError(f"{name!r} is none of {', '.join(sorted(PERSONALITIES))}") from None
