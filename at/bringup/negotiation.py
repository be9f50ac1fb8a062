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
_NOT_OURS: Final = frozenset({"BM", "SR", "TA"})  # broadcasts, reports, the terminal's own
MAX_TRIALS: Final = 12


@dataclass(frozen=True, slots=True)
class Memories:
    """Where messages are. receiving: the memory that new ones go to ("" unknown: the only one).

    others: further memories that may hold messages from before. roles: what +CPMS names behind the
    memory that is read, to write into and to receive into ("": the receiving one); None: the modem
    takes no choice, and what it has chosen is all that can be read.
    """

    receiving: str
    others: tuple[str, ...] = ()
    roles: tuple[str, ...] | None = ("", "")

    def selection(self, storage: str) -> tuple[str, ...]:
        """The names to give to +CPMS, to read and delete in `storage`."""
        return (storage, *(role or self.receiving for role in self.roles or ()))

    @property
    def all(self) -> tuple[str, ...]:
        """Every memory to look into, the receiving one first."""
        return (self.receiving, *self.others)


def agrees(setting: Sequence[int], told: Sequence[int | None] | None) -> bool:
    """Whether +CNMI? repeats what was set, as far as it goes: some leave out the last fields."""
    return told is not None and all(a == b for a, b in zip(setting, told, strict=False))


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
    """The best of choices(); None: nothing usable."""
    return next(iter(choices(offered, preferred)), None)


def choices(offered: Sequence[frozenset[str]], preferred: Sequence[str]) -> list[Memories]:
    """The memories worth trying, best first, from what +CPMS=? says: of all roles one, if it can.

    For each the number of names that is offered comes first, then 3, 2 and 1.
    """
    if not offered:
        return []
    receivers = offered[min(len(offered), 3) - 1] & offered[0]
    named = [name for name in preferred if name in receivers]
    every = frozenset.intersection(*offered)
    # One for all roles is better than a better one for some.
    ranked = sorted(named or sorted(receivers - _NOT_OURS), key=lambda name: name not in every)
    counts = sorted({1, 2, 3}, key=lambda count: (count != min(len(offered), 3), -count))
    return [
        Memories(name, _others(offered[0], name), _roles(offered, name, count))
        for name in ranked
        for count in counts
    ]


def _roles(offered: Sequence[frozenset[str]], receiving: str, count: int) -> tuple[str, ...]:
    """The names behind the first of `count`; what receives goes into every role that takes it."""
    return tuple(
        "" if len(offered) <= i or receiving in offered[i] else min(offered[i])
        for i in range(1, count)
    )


def _others(readable: frozenset[str], receiving: str) -> tuple[str, ...]:
    # MT is the union of SM and ME (TS 27.005 §3.1); BM and TA hold no messages for us.
    return tuple(
        name
        for name in ("SM", "ME", "SR")
        if name in readable and name != receiving and not (receiving == "MT" and name != "SR")
    )
