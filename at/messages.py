"""The messages in the modem: list, read, delete, send; PDU or text mode ends here."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from at import commands, profiles
from at.errors import (
    CommandError,
    CommandTimeoutError,
    DecodeError,
    PortLostError,
    ReplyError,
    SendUnknownError,
    StaleError,
)
from at.negotiation import Memories
from at.pdu_mode import PduMode
from at.text_mode import TextMode

if TYPE_CHECKING:
    from at.bringup import Identity
    from at.mode import Mode, RawMessage
    from at.modem import Modem
    from at.profile import Profile
    from at.sms import Pdu, Submit

log = logging.getLogger(__name__)

READS: Final = 4  # until two in a row agree; then the line is too bad to trust
STALE_TRIES: Final = 3
# An empty slot, in the words of CMS and CME; a plain ERROR is how some modems say it.
_EMPTY: Final = frozenset({("CMS", 321), ("CME", 21), ("CME", 22), ("", None)})


class Deleted(StrEnum):
    """What became of a deletion."""

    DONE = "done"
    EMPTY = "empty"  # there was nothing any more
    CHANGED = "changed"  # another message is there now: left alone


@dataclass(frozen=True, slots=True)
class Stored:
    """A message in the modem.

    status: "rec-unread", "rec-read", "sto-unsent" or "sto-sent". raw: the hex PDU; in text mode
    the header line without index and status, and the body after a line feed. pdu: None where
    error tells why. flags: tolerances used in decoding. proven: read without any tolerance, or
    twice alike; what is not proven must not be acted on. generation: the modem's when it was read.
    """

    storage: str
    index: int
    status: str
    raw: str
    pdu: Pdu | None
    error: DecodeError | None
    flags: tuple[str, ...]
    proven: bool
    generation: int


class MessageStore:
    """The messages of one modem that has been brought up."""

    def __init__(
        self,
        modem: Modem,
        mode: str = "pdu",
        *,
        charset: str = "UCS2",
        memories: Memories | None = None,
        profile: Profile = profiles.GENERIC,
    ) -> None:
        self._modem = modem
        self._mode: Mode = TextMode(charset) if mode == "text" else PduMode()
        self._memories = memories or Memories("")
        self._profile = profile
        # Which memory +CMGR, +CMGL and +CMGD mean, and since which generation that is known.
        self._selected = (self._memories.receiving, modem.generation)
        self._swept: int | None = None
        self._setting: tuple[str, int] | None = None  # of +CSMP, and its generation

    @classmethod
    def of(cls, modem: Modem, identity: Identity) -> MessageStore:
        """The store of a modem as bring_up() left it."""
        return cls(
            modem,
            identity.sms_mode,
            charset=identity.charset,
            memories=identity.memories,
            profile=identity.profile,
        )

    async def list_stored(self, *, everywhere: bool | None = None) -> list[Stored]:
        """Every message there is, in the order of the modem.

        everywhere: look into every memory, not only the one that receives; None: the first time
        and after each new generation. Raises CommandTimeoutError, CommandError, PortLostError.
        """
        modem = self._modem
        if everywhere is None:
            everywhere = self._swept != modem.generation
        found = []
        for storage in reversed(self._memories.all if everywhere else self._memories.all[:1]):
            try:
                found.extend(await self._list(storage))
            except (CommandError, ReplyError) as error:
                if storage == self._memories.receiving:
                    raise
                log.info("memory not readable storage=%s error=%s", storage, error)
        self._swept = modem.generation
        return found

    async def read(self, storage: str, index: int) -> Stored | None:
        """The message at this index; None: the slot is empty.

        A message that needed tolerance is read again until two reads agree.
        """
        first = await self._read(storage, index)
        return None if first is None else await self._prove(first)

    async def delete(self, stored: Stored) -> Deleted:
        """Delete exactly this message: it is read again first where anything may have changed."""
        modem = self._modem
        for _ in range(STALE_TRIES):
            if not modem.in_step:
                await modem.resynchronise()
            if stored.generation != modem.generation or not stored.proven:
                now = await self._read(stored.storage, stored.index)
                if now is None:
                    return Deleted.EMPTY
                if now.raw != stored.raw:
                    return Deleted.CHANGED
                stored = replace(stored, generation=now.generation, proven=True)
            try:
                await self._select(stored.storage)
                await modem.send(commands.delete(stored.index), generation=stored.generation)
            except StaleError:
                continue
            except CommandError as error:
                if (error.domain, error.code) in _EMPTY and error.domain:
                    return Deleted.EMPTY
                raise
            return Deleted.DONE
        raise CommandTimeoutError(commands.delete(stored.index).line, 0.0, "result")

    async def send(self, submit: Submit) -> int:
        """Send one message; returns TP-MR, the reference of its status report.

        Raises CommandError (not sent; `temporary` tells whether later may help),
        CommandTimeoutError (not sent), SendUnknownError, EncodeError, PortLostError (not sent).
        """
        setting, command = self._mode.sending(submit)
        if setting is not None and self._setting != (setting.line, self._modem.generation):
            await self._modem.send(setting)
            self._setting = (setting.line, self._modem.generation)
        try:
            return await self._modem.send(command)
        except CommandTimeoutError as error:
            if error.stage != "result":
                raise
            raise SendUnknownError(str(error)) from error
        except PortLostError as error:
            if error.stage != "result":
                raise
            raise SendUnknownError(str(error)) from error
        except ReplyError as error:
            raise SendUnknownError(str(error)) from error
        except CommandError as error:
            if error.domain == "CMS" and error.code in self._profile.unknown_send:
                raise SendUnknownError(str(error)) from error
            raise

    # -- one memory at a time --------------------------------------------------------------------

    async def _select(self, storage: str) -> None:
        if not storage or self._selected == (storage, self._modem.generation):
            return
        await self._modem.send(commands.select_memories(storage))
        self._selected = (storage, self._modem.generation)

    async def _list(self, storage: str) -> list[Stored]:
        """List until nothing was damaged on the way, or another listing shows nothing new."""
        await self._select(storage)
        found: dict[int, Stored] = {}
        for _ in range(READS):
            damage, known = self._modem.damage, len(found)
            generation = self._modem.generation
            raws = await self._modem.send(self._mode.listing)
            if self._mode.whole:
                listed = _in_order(
                    [self._stored(raw, storage, raw.index, generation) for raw in raws]
                )
            else:
                listed = await self._read_each(storage, [raw.index for raw in raws])
            for stored in listed:
                if stored.proven or stored.index not in found:
                    found[stored.index] = stored
            if damage == self._modem.damage or (known and known == len(found)):
                break
        return [await self._prove(found[index]) for index in sorted(found)]

    async def _read(self, storage: str, index: int) -> Stored | None:
        """Read once; an answer without its message is believed only if nothing was damaged."""
        await self._select(storage)
        bounded = True
        for _ in range(READS):
            damage, generation = self._modem.damage, self._modem.generation
            try:
                raw = await self._modem.send(self._mode.reading(index, bounded=bounded))
            except CommandError as error:
                if (error.domain, error.code) in _EMPTY:
                    return None
                raise
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

    async def _read_each(self, storage: str, indices: Sequence[int | None]) -> list[Stored]:
        found = [await self._read(storage, index) for index in indices if index is not None]
        return [stored for stored in found if stored is not None]

    async def _prove(self, stored: Stored) -> Stored:
        """Read until a clean reading comes, or two in a row agree."""
        for _ in range(READS - 1):
            if stored.proven:
                break
            again = await self._read(stored.storage, stored.index)
            if again is None:
                break
            stored = replace(again, proven=again.proven or again.raw == stored.raw)
        return stored

    def _stored(self, raw: RawMessage, storage: str, index: int | None, generation: int) -> Stored:
        pdu, error = None, None
        try:
            pdu = self._mode.decode(raw)
        except DecodeError as caught:
            error = caught
        flags = pdu.flags if pdu is not None else ()
        return Stored(
            storage=storage,
            index=index or 0,
            status=raw.status,
            raw=self._mode.content(raw),
            pdu=pdu,
            error=error,
            flags=flags,
            proven=error is None and not flags,
            generation=generation,
        )


def _in_order(found: Sequence[Stored]) -> list[Stored]:
    """Doubt the whole list where an index does not rise: it may have lost a digit."""
    rising = all(a.index < b.index for a, b in pairwise(found))
    return list(found) if rising else [replace(one, proven=False) for one in found]
