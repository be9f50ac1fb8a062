"""Message storages of the simulated modem: SIM, modem memory, joined views, +CPMS choice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum


class Status(IntEnum):
    """<stat> in PDU mode (TS 27.005 §3.1)."""

    REC_UNREAD = 0
    REC_READ = 1
    STO_UNSENT = 2
    STO_SENT = 3


TEXT_STATUS = ("REC UNREAD", "REC READ", "STO UNSENT", "STO SENT", "ALL")


@dataclass(slots=True)
class Slot:
    """One stored message.

    status: see Status. pdu: hex, SMSC address first. length: octets of the TPDU, as +CMGR shows.
    """

    status: int
    pdu: str
    length: int


class Storage:
    """One memory: numbered slots, the lowest free one is filled first.

    first: number of the first slot (0 or 1, as vendors differ).
    """

    def __init__(self, name: str, capacity: int, first: int = 1) -> None:
        self.name = name
        self.capacity = capacity
        self.first = first
        self._slots: dict[int, Slot] = {}

    @property
    def used(self) -> int:
        """Slots in use."""
        return len(self._slots)

    @property
    def full(self) -> bool:
        """No free slot."""
        return self.used >= self.capacity

    def numbers(self) -> range:
        """Every valid slot number."""
        return range(self.first, self.first + self.capacity)

    def get(self, index: int) -> Slot | None:
        """Return the message in slot index, None where it is empty."""
        return self._slots.get(index)

    def add(self, slot: Slot) -> int | None:
        """Store in the lowest free slot and return its number; None: full."""
        for index in self.numbers():
            if index not in self._slots:
                self._slots[index] = slot
                return index
        return None

    def delete(self, index: int) -> bool:
        """Empty slot index; False: it was empty."""
        return self._slots.pop(index, None) is not None

    def clear(self) -> None:
        """Empty every slot."""
        self._slots.clear()

    def items(self) -> Iterator[tuple[int, Slot]]:
        """Messages by rising slot number."""
        return iter(sorted(self._slots.items()))


class Joined:
    """A view of several memories as one, such as "MT" (TS 27.005 §3.1): first memory first."""

    def __init__(self, name: str, parts: tuple[Storage, ...]) -> None:
        self.name = name
        self.parts = parts
        self.first = parts[0].first

    @property
    def capacity(self) -> int:
        """Slots of all memories."""
        return sum(part.capacity for part in self.parts)

    @property
    def used(self) -> int:
        """Slots in use in all memories."""
        return sum(part.used for part in self.parts)

    @property
    def full(self) -> bool:
        """No free slot in any memory."""
        return all(part.full for part in self.parts)

    def numbers(self) -> range:
        """Every valid slot number."""
        return range(self.first, self.first + self.capacity)

    def _find(self, index: int) -> tuple[Storage, int] | None:
        offset = index - self.first
        for part in self.parts:
            if 0 <= offset < part.capacity:
                return part, offset + part.first
            offset -= part.capacity
        return None

    def get(self, index: int) -> Slot | None:
        """Return the message in slot index, None where it is empty."""
        found = self._find(index)
        return found[0].get(found[1]) if found else None

    def add(self, slot: Slot) -> int | None:
        """Store in the first memory with room; None: all full."""
        base = self.first
        for part in self.parts:
            index = part.add(slot)
            if index is not None:
                return base + index - part.first
            base += part.capacity
        return None

    def delete(self, index: int) -> bool:
        """Empty slot index; False: it was empty or there is none."""
        found = self._find(index)
        return found[0].delete(found[1]) if found else False

    def items(self) -> Iterator[tuple[int, Slot]]:
        """Messages by rising slot number."""
        base = self.first
        for part in self.parts:
            for index, slot in part.items():
                yield base + index - part.first, slot
            base += part.capacity


View = Storage | Joined


class Stores:
    """All memories, and which three +CPMS has chosen.

    capacities: memory -> slots; views: joined name -> the memories in it; offered: the names that
    +CPMS=? shows for each of the three; chosen: the three names in force.
    """

    def __init__(
        self,
        capacities: Mapping[str, int],
        views: Mapping[str, tuple[str, ...]],
        offered: tuple[tuple[str, ...], ...],
        chosen: tuple[str, str, str],
        first: int = 1,
    ) -> None:
        self.memories = {name: Storage(name, size, first) for name, size in capacities.items()}
        self._views: dict[str, View] = dict(self.memories)
        for name, parts in views.items():
            self._views[name] = Joined(name, tuple(self.memories[part] for part in parts))
        self.offered = offered
        self.chosen = chosen

    def __getitem__(self, name: str) -> View:
        return self._views[name]

    def __contains__(self, name: str) -> bool:
        return name in self._views

    @property
    def reading(self) -> View:
        """<mem1>: read and delete."""
        return self[self.chosen[0]]

    @property
    def writing(self) -> View:
        """<mem2>: write and send."""
        return self[self.chosen[1]]

    @property
    def receiving(self) -> View:
        """<mem3>: received messages."""
        return self[self.chosen[2]]

    @property
    def used(self) -> int:
        """Messages in all memories."""
        return sum(memory.used for memory in self.memories.values())
