"""Reads the modem's memories until what it read can be believed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final, TypeVar

from at import commands
from at.errors import CommandError, CommandTimeoutError, DecodeError, ReplyError
from at.mode import RawMessage
from at.stored import Stored

if TYPE_CHECKING:
    from at.command import Command
    from at.mode import Mode
    from at.modem import Modem

log = logging.getLogger(__name__)
R = TypeVar("R")

READS: Final = 8  # until two agree; then the line is too bad to trust, for now
LISTINGS: Final = 4
TRIES: Final = 3  # after a timeout that a resynchronisation mends

# An empty slot, in the words of CMS and CME; a plain ERROR is how some modems say it.
EMPTY: Final = frozenset({("CMS", 321), ("CME", 21), ("CME", 22), ("", None)})


class Reader:
    """Reads one modem's memories in one mode; nothing here changes a message."""

    def __init__(self, modem: Modem, mode: Mode, selected: str) -> None:
        self._modem = modem
        self._mode = mode
        # Read without tolerance over a line that is not trusted, by (storage, index).
        self._clean: dict[tuple[str, int], str] = {}
        # Which memory +CMGR, +CMGL and +CMGD mean, and since which generation that is known.
        self._selected = (selected, modem.generation)

    def delivered(self, header: str, text: str) -> Stored:
        """A message that was handed over; it cannot be read again."""
        raw = RawMessage(None, "rec-unread", header, text)
        stored = self._stored(raw, "", 0, self._modem.generation)
        return replace(stored, proven=stored.error is None and not stored.flags, direct=True)

    async def select(self, storage: str) -> None:
        """Make this the memory that is read and deleted from; "" is the only one there is."""
        if storage and self._selected != (storage, self._modem.generation):
            await self._insist(commands.select_memories(storage))
            self._selected = (storage, self._modem.generation)

    async def list_all(self, storage: str) -> list[Stored]:
        """List until nothing was damaged on the way, or another listing shows nothing new."""
        await self.select(storage)
        found: dict[int, Stored] = {}
        for _ in range(LISTINGS):
            damage, known = self._modem.damage, len(found)
            for stored in await self._listed(storage):
                if stored.proven or stored.index not in found:
                    found[stored.index] = stored
            if damage == self._modem.damage or (known and known == len(found)):
                break
        return [await self.prove(found[index]) for index in sorted(found)]

    async def read_once(self, storage: str, index: int) -> Stored | None:
        """Read; an answer without its message is believed only if nothing was damaged."""
        await self.select(storage)
        bounded = True
        for _ in range(READS):
            damage, generation = self._modem.damage, self._modem.generation
            try:
                raw = await self._reading(index, bounded=bounded)
            except CommandTimeoutError:
                if self._mode.whole or not bounded:
                    raise
                bounded = False  # a body that ends before its length: take its first line alone
                continue
            if raw is not None:
                return self._stored(raw, storage, index, generation)
            if damage == self._modem.damage:
                break
        return None

    async def prove(self, stored: Stored) -> Stored:
        """Read again until a clean reading counts (see _believed), or two in a row agree."""
        for _ in range(READS - 1):
            if stored.proven:
                break
            damage = self._modem.damage
            again = await self.read_once(stored.storage, stored.index)
            if again is None:
                break
            # The same damage twice, by a line that is noisy at that place, proves nothing.
            alike = damage == self._modem.damage and _alike(again, stored)
            stored = replace(again, proven=again.proven or alike)
        return stored

    async def _listed(self, storage: str) -> list[Stored]:
        generation = self._modem.generation
        raws = await self._insist(self._mode.listing)
        indices = [raw.index for raw in raws if raw.index is not None]
        if self._mode.whole:
            found = [
                self._stored(raw, storage, raw.index, generation)
                for raw in raws
                if raw.index is not None
            ]
            return _in_order(found)
        read = [await self.read_once(storage, index) for index in indices]
        return [stored for stored in read if stored is not None]

    async def _reading(self, index: int, *, bounded: bool) -> RawMessage | None:
        command = self._mode.reading(index, bounded=bounded)
        try:
            if self._mode.whole:
                return await self._insist(command)
            return await self._modem.send(command)
        except CommandError as error:
            if (error.domain, error.code) in EMPTY:
                return None
            raise

    async def _insist(self, command: Command[R]) -> R:
        """Send what may be sent twice; an answer that went astray is asked for again."""
        for left in reversed(range(TRIES)):
            try:
                return await self._modem.send(command)
            except (CommandTimeoutError, ReplyError) as error:
                if not left:
                    raise
                log.info("asking again after: %s", error)
                await self._modem.resynchronise()
        raise AssertionError  # the last try returns or raises

    def _stored(self, raw: RawMessage, storage: str, index: int, generation: int) -> Stored:
        pdu, error = None, None
        try:
            pdu = self._mode.decode(raw)
        except DecodeError as caught:
            error = caught
        flags = pdu.flags if pdu is not None else ()
        content = self._mode.content(raw)
        clean = error is None and not flags
        return Stored(
            storage=storage,
            index=index,
            status=raw.status,
            raw=content,
            pdu=pdu,
            error=error,
            flags=flags,
            proven=clean and self._believed((storage, index), content),
            generation=generation,
        )

    def _believed(self, place: tuple[str, int], content: str) -> bool:
        """Whether a clean reading counts: the line is trusted, or the place read like this before.

        A clean one agrees with the length told beside it. Damage that came through all the same
        would not come twice alike, whatever else the line did, and however long ago that was.
        """
        if not self._modem.line_suspect:
            self._clean.pop(place, None)
            return True
        before = self._clean.get(place)
        self._clean[place] = content
        return before == content


def _alike(one: Stored, other: Stored) -> bool:
    """Whether two readings say the same, with the same lines around it read the same way."""
    read = (one.raw, one.flags, one.pdu is None)
    return read == (other.raw, other.flags, other.pdu is None)


def _in_order(found: Sequence[Stored]) -> list[Stored]:
    """Doubt the whole list where an index does not rise: it may have lost a digit."""
    rising = all(a.index < b.index for a, b in pairwise(found))
    return list(found) if rising else [replace(one, proven=False) for one in found]
