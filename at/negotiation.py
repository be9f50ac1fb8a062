"""Chooses message memories and announcements from what the modem offers; pure."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# TS 27.005 §3.4.1, best first. mode 2 keeps codes back while the link is busy with data; mt 1
# stores and announces, mt 2 hands over and is lost with the line; ds 2 stores reports.
_MODES: Final = ("2", "1", "3", "0")
_MT: Final = ("1", "2")
_BM: Final = ("0",)
_DS: Final = ("2", "1", "0")
_BFR: Final = ("0", "1")
_BLIND: Final = ((2, 1, 0, 2, 0), (2, 1, 0, 1, 0), (2, 1, 0, 0, 0), (1, 1, 0, 0, 0), (2, 1))
MAX_TRIALS: Final = 12


@dataclass(frozen=True, slots=True)
class Memories:
    """Where messages are. receiving: the memory that new ones go to ("" unknown: the only one).

    others: further memories that may hold messages from before.
    """

    receiving: str
    others: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """Every memory to look into, the receiving one first."""
        return (self.receiving, *self.others)


def indications(offered: Sequence[frozenset[str]] | None) -> list[tuple[int, ...]]:
    """The +CNMI settings worth trying, best first.

    offered: what +CNMI=? says, a set per parameter; None: it does not say.
    """
    if not offered:
        return list(_BLIND)
    wanted = (_MODES, _MT, _BM, _DS, _BFR)
    columns = [
        [value for value in column if value in offered[i]] or sorted(offered[i])
        for i, column in enumerate(wanted[: len(offered)])
    ]
    # Rank by what matters: how messages come, then how reports come, then the link's mode.
    order = [i for i in (1, 3, 0, 2, 4) if i < len(columns)]
    ranked = sorted(
        itertools.product(*(range(len(column)) for column in columns)),
        key=lambda chosen: [chosen[i] for i in order],
    )
    settings = [
        tuple(int(columns[i][n]) for i, n in enumerate(chosen))
        for chosen in ranked
        if all(columns[i][n].isdecimal() for i, n in enumerate(chosen))
    ]
    return settings[:MAX_TRIALS]


def memories(offered: Sequence[frozenset[str]], preferred: Sequence[str]) -> Memories | None:
    """The memory to use in all three roles, from what +CPMS=? says; None: nothing usable."""
    if not offered:
        return None
    every = frozenset.intersection(*offered)
    ranked = [name for name in preferred if name in every] or sorted(every)
    if not ranked:
        return None
    receiving = ranked[0]
    # MT is the union of SM and ME (TS 27.005 §3.1); BM and TA hold no messages for us.
    others = [
        name
        for name in ("SM", "ME", "SR")
        if name in offered[0] and name != receiving and not (receiving == "MT" and name != "SR")
    ]
    return Memories(receiving, tuple(others))
