"""What goes wrong between a platform and a modem, on demand: each a probability or a count."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["KINDS", "Impairments"]

# duplicate: the same PDU twice; again: the same text as a new message; reorder: parts in reverse,
# or a message before those that wait; lose: never arrives; forge_sender: a copy from a stranger.
KINDS: Final = ("duplicate", "again", "reorder", "lose", "forge_sender")
FORGED: Final = "+447700900999"  # a number for drama use (Ofcom)


class Impairments:
    """rates: by kind, a probability below 1 or how many of the next messages. delay_s: of all."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.rates: dict[str, float] = dict.fromkeys(KINDS, 0)
        self.delay_s = 0.0
        self.forged = FORGED

    def set(self, values: Mapping[str, Any]) -> None:
        """Set what is named, leave the rest. Raises ValueError, which names the key."""
        for name, value in values.items():
            if name not in (*KINDS, "delay_s"):
                raise ValueError(f"{name} is unknown; there are {', '.join(KINDS)}, delay_s")
            if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
                raise ValueError(f"{name} must be a number of at least 0")
        for name, value in values.items():
            if name == "delay_s":
                self.delay_s = float(value)
            else:
                self.rates[name] = value

    def told(self) -> dict[str, float]:
        """Return what is set."""
        return {**self.rates, "delay_s": self.delay_s}

    def happens(self, kind: str) -> bool:
        """Whether it happens to this message; a count is used up."""
        rate = self.rates[kind]
        if rate >= 1:
            self.rates[kind] = rate - 1
            return True
        return rate > 0 and self._chance.random() < rate
