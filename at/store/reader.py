"""Reads the modem's memories until what it read can be believed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final, TypeVar

from at import commands
from at.errors import AtError, CommandError, CommandTimeoutError, DecodeError, ReplyError
from at.store.mode import RawMessage
from at.store.stored import Stored

if TYPE_CHECKING:
    from at.bringup.negotiation import Memories
    from at.command import Command
    from at.modem import Modem
    from at.store.mode import Mode

log = logging.getLogger(__name__)
R = TypeVar("R")

READS: Final = 8  # until two agree; then the line is too bad to trust, for now
LISTINGS: Final = 4
RECORD: Final = "record"  # field of the error of a Stored that the modem itself cannot read
TRIES: Final = 3  # after a timeout that a resynchronisation mends

MAX_TOTAL: Final = 1000  # places to read one by one; no memory of messages is larger

# Trouble of the card or of the whole service, not of one record (TS 27.005 §3.2.5, TS 27.007 §9.2).
NOT_OURS: Final = frozenset(
    {
        *(("CMS", code) for code in (301, 302, 303, *range(310, 319), 512, 514, 515, 532, 533)),
        *(("CME", code) for code in (3, 4, *range(5, 19))),
    }
)

# An empty slot, in the words of CMS and CME; a plain ERROR is how some modems say it.
EMPTY: Final = frozenset({("CMS", 321), ("CME", 21), ("CME", 22), ("", None)})


class Reader:
    """Reads one modem's memories in one mode; nothing here changes a message."""

    def __init__(self, modem: Modem, mode: Mode, memories: Memories) -> None:
        self._modem = modem
        self._mode = mode
        # Read without tolerance over a line that is not trusted, by (storage, index).
        self._clean: dict[tuple[str, int], str] = {}
        # Which memory +CMGR, +CMGL and +CMGD mean, and since which generation that is known.
        self._memories = memories
        self._all_names = False  # the form of +CPMS that was taken last
        self._selected = (memories.receiving, modem.generation)
        # Places that the modem did not answer for, though it answers else: not asked at each sweep.
        self._mute: dict[tuple[str, int], CommandTimeoutError] = {}

    def delivered(self, header: str, text: str) -> Stored:
        """A message that was handed over; it cannot be read again."""
        raw = RawMessage(None, "rec-unread", header, text)
        stored = self._stored(raw, "", 0, self._modem.generation)
        return replace(stored, proven=stored.error is None and not stored.flags, direct=True)

    async def select(self, storage: str) -> None:
        """Make this the memory that is read and deleted from; "" is the only one there is."""
        if self._memories.roles is None:
            return
        if storage and self._selected != (storage, self._modem.generation):
            await self._select(storage)
            self._selected = (storage, self._modem.generation)

    async def _select(self, storage: str) -> None:
        """Name this memory alone, or all as at the choice: some take only as many as that."""
        forms = [(storage,), self._memories.selection(storage)]
        if self._all_names:
            forms.reverse()
        for form in forms:
            try:
                await self._insist(commands.select_memories(*form))
            except CommandError:
                if form is forms[-1]:
                    raise
                continue
            self._all_names = form is not forms[0] or self._all_names
            return

    async def list_all(self, storage: str) -> list[Stored]:
        """List until nothing was damaged on the way, or another listing shows nothing new."""
        await self.select(storage)
        found: dict[int, Stored] = {}
        for _ in range(LISTINGS):
            damage, known = self._modem.damage, len(found)
            try:
                listed = await self._listed(storage)
            except (CommandError, CommandTimeoutError, ReplyError) as error:
                return await self._one_by_one(storage, error)
            for stored in listed:
                if stored.proven or stored.index not in found:
                    found[stored.index] = stored
            if damage == self._modem.damage or (known and known == len(found)):
                break
        proven = [await self._prove_or_leave(found[index]) for index in sorted(found)]
        if not any(_odd(stored) for stored in proven):
            return proven
        return await self._compare(storage, proven)

    async def _prove_or_leave(self, stored: Stored) -> Stored:
        try:
            return await self.prove(stored)
        except CommandError as error:
            if (error.domain, error.code) in NOT_OURS:
                raise
            log.info("listed, but not readable index=%d error=%s", stored.index, error)
            return stored
        except CommandTimeoutError as error:
            await self.only_this(stored.storage, stored.index, error)
            return stored

    async def only_this(self, storage: str, index: int, error: CommandTimeoutError) -> None:
        """Note that the modem does not answer for this place; raises where it is not only this."""
        if (storage, index) not in self._mute:
            log.warning("no answer for a place storage=%s index=%d error=%s", storage, index, error)
            await self._modem.resynchronise()
            self._mute[storage, index] = error

    def ask_again(self, storage: str, index: int) -> None:
        """Ask for this place once more, whatever came of it before."""
        self._mute.pop((storage, index), None)

    async def _compare(self, storage: str, known: list[Stored]) -> list[Stored]:
        """List once more: what is listed alike twice, amid no damage, has been read twice."""
        damage = self._modem.damage
        again = {stored.index: stored for stored in await self._listed(storage)}
        if damage != self._modem.damage:
            return known
        return [
            replace(again[one.index], proven=True)
            if _odd(one) and one.index in again and _alike(one, again[one.index])
            else one
            for one in known
        ]

    async def _one_by_one(self, storage: str, error: AtError) -> list[Stored]:
        """Read place by place where the listing fails: one unreadable record must not hide all.

        What only this place refuses is told as a Stored with an error, "record"; where no place
        can be read at all it is not the record's fault, and the listing's error is raised.
        """
        if isinstance(error, CommandError) and (error.domain, error.code) in NOT_OURS:
            raise error
        memories = await self._insist(commands.MEMORIES)
        used, total = memories[0].used, min(memories[0].total, MAX_TOTAL)
        log.info("listing failed, reading %d places storage=%s error=%s", total, storage, error)
        found: list[Stored] = []
        bad: dict[int, AtError] = {}
        empty = 0
        for index in range(total + 1):  # the first is 0 or 1, as vendors differ
            if len(found) + len([place for place in bad if place]) >= used:
                break
            try:
                stored = await self.read_once(storage, index)
            except CommandError as refused:
                if (refused.domain, refused.code) in NOT_OURS:
                    raise
                bad[index] = refused
            except CommandTimeoutError as refused:
                await self.only_this(storage, index, refused)
                bad[index] = refused
            else:
                if stored is None:
                    empty += 1
                else:
                    found.append(stored)
        if used and not found and not empty:
            raise error
        if len(found) + len(bad) > used:
            bad.pop(0, None)  # the first place is 1: this was never a record
        unreadable = [self._unreadable(storage, index, why) for index, why in bad.items()]
        return [await self._prove_or_leave(one) for one in found] + unreadable

    def _unreadable(self, storage: str, index: int, why: AtError) -> Stored:
        return Stored(
            storage=storage,
            index=index,
            status="",
            raw=f"unreadable {storage} {index}",
            pdu=None,
            error=DecodeError(RECORD, 0, detail=f"the modem cannot read it: {why}"),
            flags=(),
            proven=True,
            generation=self._modem.generation,
        )

    async def read_once(self, storage: str, index: int, *, listed: bool = False) -> Stored | None:
        """Read; an answer without its message is believed only if nothing was damaged.

        listed: a listing says that there is a message; then a plain ERROR does not say otherwise.
        """
        if (storage, index) in self._mute:
            raise self._mute[storage, index]
        await self.select(storage)
        bounded = True
        for _ in range(READS):
            damage, generation = self._modem.damage, self._modem.generation
            try:
                raw = await self._reading(index, bounded=bounded, listed=listed)
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
        generation, damage = self._modem.generation, self._modem.damage
        try:
            raws = await self._listing()
        except CommandError as error:
            if error.domain and (error.domain, error.code) in EMPTY:
                return []  # 321 is how some say that there is nothing to list
            raise
        indices = sorted({raw.index for raw in raws if raw.index is not None})
        if self._mode.whole:
            # Where lines were lost, a header may stand before the PDU of the next message: twice
            # alike too. Only its own reading says what is at a place.
            intact = damage == self._modem.damage
            found = [
                self._stored(raw, storage, raw.index, generation, intact=intact)
                for raw in raws
                if raw.index is not None
            ]
            return _in_order(found)
        found = []
        for index in indices:
            try:
                # An index that lost a digit on the way is no place that was listed.
                sure = damage == self._modem.damage and not self._modem.line_suspect
                stored = await self.read_once(storage, index, listed=sure)
            except CommandError as error:
                if (error.domain, error.code) in NOT_OURS:
                    raise
                stored = self._unreadable(storage, index, error)
            except CommandTimeoutError as error:
                await self.only_this(storage, index, error)
                stored = self._unreadable(storage, index, error)
            if stored is not None:
                found.append(stored)
        return found

    async def _listing(self) -> list[RawMessage]:
        """List; where a length that is told leaves the body without an end, by lines alone."""
        if self._mode.whole:
            return await self._insist(self._mode.listing())
        try:
            return await self._modem.send(self._mode.listing())
        except (CommandTimeoutError, ReplyError) as error:
            log.info("listing by lines after: %s", error)
            await self._modem.resynchronise()
            return await self._insist(self._mode.listing(bounded=False))

    async def _reading(self, index: int, *, bounded: bool, listed: bool) -> RawMessage | None:
        command = self._mode.reading(index, bounded=bounded)
        try:
            if self._mode.whole:
                return await self._insist(command)
            return await self._modem.send(command)
        except CommandError as error:
            if (error.domain, error.code) in EMPTY and not (listed and not error.domain):
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

    def _stored(
        self, raw: RawMessage, storage: str, index: int, generation: int, *, intact: bool = True
    ) -> Stored:
        pdu, error = None, None
        try:
            pdu = self._mode.decode(raw)
        except DecodeError as caught:
            error = caught
        flags = pdu.flags if pdu is not None else ()
        content = self._mode.content(raw)
        clean = intact and error is None and not flags
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


def _odd(stored: Stored) -> bool:
    """Whether it awaits a second reading because of what it is, not of where it was listed."""
    return not stored.proven and (stored.error is not None or bool(stored.flags))


def _alike(one: Stored, other: Stored) -> bool:
    """Whether two readings say the same, with the same lines around it read the same way."""
    read = (one.raw, one.flags, one.pdu is None)
    return read == (other.raw, other.flags, other.pdu is None)


def _in_order(found: Sequence[Stored]) -> list[Stored]:
    """Doubt the whole list where an index does not rise: it may have lost a digit."""
    rising = all(a.index < b.index for a, b in pairwise(found))
    return list(found) if rising else [replace(one, proven=False) for one in found]
