"""The messages in the modem: list, read, delete, send; PDU or text mode ends here."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from at import commands, profiles
from at.bringup.negotiation import Memories
from at.errors import (
    CommandError,
    CommandTimeoutError,
    PortLostError,
    ReplyError,
    SendUnknownError,
    StaleError,
)
from at.store.pdu_mode import PduMode
from at.store.reader import EMPTY, NOT_OURS, RECORD, Reader
from at.store.stored import Deleted, Stored

if TYPE_CHECKING:
    from at.bringup.bringup import Identity
    from at.command import Command
    from at.modem import Modem
    from at.profiles.profile import Profile
    from at.sms import Submit
    from at.store.mode import Mode
    from at.urcs import MessageDelivered, ReportDelivered

__all__ = ["Deleted", "MessageStore", "Stored"]

log = logging.getLogger(__name__)

DELETE_TRIES: Final = 4  # each after what made the index doubtful
ANSWER_TRIES: Final = 3  # of +CNMA where none has ever been taken
LAST_DIGIT: Final = 9  # an index up to it, without its digit, is a command that fails
SWEEP_EVERY: Final = 5  # listings; the others look into the receiving memory alone
SEND_TRIES: Final = 3  # where the modem says that what came makes no sense
_MAIMED: Final = frozenset({304, 305})  # PDU or text mode parameter: nothing was sent


def _mode(name: str, charset: str) -> Mode:
    if name == "text":
        from at.store.text_mode import TextMode  # noqa: PLC0415 - few modems need it, and its codec

        return TextMode(charset)
    return PduMode()


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
        indications: tuple[int, ...] = (),
        acknowledging: bool = False,
    ) -> None:
        self._modem = modem
        self._mode = _mode(mode, charset)
        self._memories = memories or Memories("")
        self._profile = profile
        self._reader = Reader(modem, self._mode, self._memories)
        self._swept: int | None = None
        self._listings = 0  # since every memory was looked into
        self._indications = indications
        self._acknowledging = acknowledging
        self._acknowledged = False  # one +CNMA at least
        self._unwanted = 0  # of +CNMA
        self._keeps_link = True
        self._stuck: dict[tuple[str, int], CommandError] = {}  # unreadable, and not deletable
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
            indications=identity.indications,
            acknowledging=identity.acknowledging,
        )

    async def list_stored(self, *, everywhere: bool | None = None) -> list[Stored]:
        """Every message there is, in the order of the modem.

        everywhere: look into every memory, not only the one that receives; None: the first time
        and after each new generation. Raises CommandTimeoutError, CommandError, PortLostError.
        """
        modem = self._modem
        self._listings += 1
        if everywhere is None:
            # Now and then an announcement is lost of a memory that is not the receiving one.
            everywhere = self._swept != modem.generation or self._listings >= SWEEP_EVERY
        if everywhere:
            self._listings = 0
        found = []
        for storage in reversed(self._memories.all if everywhere else self._memories.all[:1]):
            try:
                found.extend(await self._reader.list_all(storage))
            except (CommandError, ReplyError) as error:
                if storage == self._memories.receiving:
                    raise
                log.info("memory not readable storage=%s error=%s", storage, error)
        self._swept = modem.generation
        return found

    async def read(self, storage: str, index: int) -> Stored | None:
        """The message at this index; None: the slot is empty.

        A message that needed tolerance is read again until two reads agree. Raises as
        list_stored().
        """
        try:
            await self._reader.select(storage)
        except CommandError as error:
            # Announced under a name that +CPMS does not take: the place may be of the usual one.
            log.info("memory not selectable storage=%s error=%s", storage, error)
            self._swept = None
            storage = self._memories.receiving
        self._reader.ask_again(storage, index)
        self._stuck.pop((storage, index), None)
        first = await self._reader.read_once(storage, index)
        return None if first is None else await self._reader.prove(first)

    def delivered(self, news: MessageDelivered | ReportDelivered) -> Stored:
        """A message that was handed over instead of stored.

        Once it is kept, delete() acknowledges it; what is not proven belongs into refuse().
        """
        return self._reader.delivered(news.header, news.text)

    @property
    def refuses(self) -> bool:
        """Whether a message handed over can be refused, so that it comes again (PDU mode alone)."""
        return self._acknowledging and self._mode.whole

    async def refuse(self, stored: Stored) -> None:
        """Tell the network that a message handed over did not arrive; it comes again later."""
        if stored.direct and self.refuses:
            await self._answer_delivery(commands.REFUSE)

    async def delete(self, stored: Stored) -> Deleted:
        """Delete exactly this message: it is read again first where anything may have changed.

        Raises as list_stored(); the message may then be deleted or not.
        """
        if stored.direct:
            if self._acknowledging:
                await self._answer_delivery(commands.ACKNOWLEDGE)
            return Deleted.DONE
        if stored.error is not None and stored.error.field == RECORD:
            return await self._delete_unreadable(stored)
        return await self._delete(stored)

    async def _delete_unreadable(self, stored: Stored) -> Deleted:
        """Delete a record that the modem still refuses to read; one it can read now is left."""
        place = stored.storage, stored.index
        if place in self._stuck:
            raise self._stuck[place]
        try:
            self._reader.ask_again(*place)
            now = await self._reader.read_once(*place, listed=True)
        except CommandTimeoutError as error:
            await self._reader.only_this(*place, error)
        except CommandError as error:
            if (error.domain, error.code) in NOT_OURS:
                raise
        else:
            return Deleted.EMPTY if now is None else Deleted.CHANGED
        await self._reader.select(stored.storage)
        try:
            await self._modem.send(commands.delete(stored.index))
        except CommandError as error:
            self._stuck[place] = error
            raise
        self._reader.ask_again(*place)
        return Deleted.DONE

    async def _answer_delivery(self, command: Command[None]) -> None:
        """+CNMA; too late for it, the modem has stopped handing over and is told to go on."""
        try:
            await self._modem.send(command)
        except CommandError as error:
            log.info("message not acknowledged error=%s", error)
            self._unwanted += 1
            # Where none was ever taken, none is wanted: not every modem knows +CNMA.
            self._acknowledging = self._acknowledged or self._unwanted < ANSWER_TRIES
            if self._indications:
                await self._modem.send(commands.indications(self._indications))
        else:
            self._acknowledged = True

    async def _delete(self, stored: Stored) -> Deleted:
        modem = self._modem
        told = Deleted.EMPTY
        for left in reversed(range(DELETE_TRIES)):
            if not modem.in_step:
                await modem.resynchronise()
            if stored.generation != modem.generation or not stored.proven:
                now = await self._reader.read_once(stored.storage, stored.index)
                if now is None:
                    return told
                if now.raw != stored.raw:
                    return Deleted.CHANGED
                stored = replace(stored, generation=now.generation, proven=True)
            try:
                await self._reader.select(stored.storage)
                await modem.send(commands.delete(stored.index), generation=stored.generation)
            except StaleError:
                continue
            except CommandTimeoutError:
                if not left:
                    raise
                told = Deleted.DONE  # if it is gone now, it was this that did it
                continue
            except CommandError as error:
                if error.domain and (error.domain, error.code) in EMPTY:
                    return told
                raise
            if left and await self._went_astray(stored):
                continue
            return Deleted.DONE
        raise StaleError(commands.delete(stored.index).line, stored.generation)

    async def _went_astray(self, stored: Stored) -> bool:
        """Whether a deletion that succeeded was another's: on the way its index lost a digit.

        Looked for where the line loses octets and the index has a digit to lose. What it took
        instead cannot be brought back; if it had been read and kept, nothing is lost.
        """
        if stored.index <= LAST_DIGIT or not self._modem.line_suspect:
            return False
        now = await self._reader.read_once(stored.storage, stored.index)
        if now is None or now.raw != stored.raw:
            return False
        log.error(
            "deletion went astray storage=%s index=%d taken=%s",
            stored.storage,
            stored.index,
            "|".join(_without_a_digit(stored.index)),
        )
        return True

    async def send(self, submit: Submit, *, more: bool = False) -> int:
        """Send one message; returns TP-MR, the reference of its status report.

        more: further parts follow at once, so the link to the network is kept. Raises
        CommandError (not sent; `temporary` tells whether later may help), CommandTimeoutError
        (not sent), SendUnknownError, EncodeError, PortLostError (not sent).
        """
        setting, command = self._mode.sending(submit)
        if setting is not None and self._setting != (setting.line, self._modem.generation):
            await self._modem.send(setting)
            self._setting = (setting.line, self._modem.generation)
        if more and self._keeps_link:
            self._keeps_link = await self._keep_link()
        for _ in range(SEND_TRIES - 1):
            try:
                return await self._send(command)
            except CommandError as error:
                if error.domain != "CMS" or error.code not in _MAIMED:
                    raise
                # We send no such thing: an octet was lost on the way.
                log.warning("message sent again error=%s", error)
                self._modem.distrust()
        return await self._send(command)

    async def _send(self, command: Command[int]) -> int:
        try:
            return await self._modem.send(command)
        except (CommandTimeoutError, PortLostError) as error:
            if error.stage != "result":
                raise
            raise SendUnknownError(str(error)) from error
        except ReplyError as error:
            raise SendUnknownError(str(error)) from error
        except CommandError as error:
            if error.domain == "CMS" and error.code in self._profile.unknown_send:
                raise SendUnknownError(str(error)) from error
            raise

    async def _keep_link(self) -> bool:
        """+CMMS; whether the modem knows it."""
        try:
            await self._modem.send(commands.MORE_MESSAGES)
        except (CommandError, ReplyError):
            return False
        return True


def _without_a_digit(index: int) -> list[str]:
    """What an index may have become: "12" -> 1 or 2."""
    digits = str(index)
    shorter = (digits[:place] + digits[place + 1 :] for place in range(len(digits)))
    return sorted({text.lstrip("0") or "0" for text in shorter})
