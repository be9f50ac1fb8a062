"""Empties the modem's message memories: read, journal, and only then delete."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from agent.inbound import doubt, reassembly
from agent.inbound.intake import Intake, Recorded
from agent.inbound.message import Arrival
from agent.journal.journal import Journal, JournalUnavailableError
from agent.journal.rows import update
from agent.modem.doorbell import EVERYWHERE, HANDED_OVER
from agent.modem.link import Link
from agent.reports.planner import Planner
from agent.sms import delivery_reports
from agent.system.clock import Clock
from agent.system.lasting import Lasting
from agent.system.watchdog import Pulse
from at.errors import AtError, CommandError, CommandTimeoutError, DecodeError, ReplyError
from at.store.messages import MessageStore
from at.store.stored import HEADLESS, Stored

__all__ = ["Inbox"]

log = logging.getLogger(__name__)

HINTS_MAX: Final = 4  # more announcements than this are quicker listed than read one by one
DRAIN_WITHIN_S: Final = 1800.0  # hundreds of messages on a slow line
CHUNKS: Final = (0, 8, 40, 200)  # where a long list is cut for journalling
MAX_DOUBLINGS: Final = 8  # of the time between two tries
RETRY_S: Final = 2.0  # after a failure that is not the link's to mend
INCOMPLETE_EVERY_S: Final = 6 * 3600.0


@dataclass(frozen=True, slots=True)
class _Kept:
    """One stored message that is on disk now: what may be deleted, what has to be told."""

    stored: Stored
    segment: int
    recorded: Recorded | None


class Inbox:
    """Answers the link's bell: an announcement, a (re)connection, the slow timer."""

    def __init__(
        self,
        journal: Journal,
        link: Link,
        intake: Intake,
        planner: Planner,
        clock: Clock,
        *,
        poll_s: float,
        pulse: Pulse,
    ) -> None:
        self._journal = journal
        self._link = link
        self._intake = intake
        self._planner = planner
        self._clock = clock
        self._poll_s = poll_s
        self._pulse = pulse
        self.drained = asyncio.Event()  # for the first time
        self._incomplete_at = 0.0
        self._failures = 0  # in a row
        # Journalled, and not known to be deleted: met again there, they need only the delete.
        # By place: the text, and its row in the journal.
        self._undeleted: dict[tuple[str, int], tuple[str, int]] = {}
        # What the modem would not delete, by its text: known over restarts of either.
        self._refused: dict[str, int] = {}
        self._trouble = Lasting()
        self._unlike = Lasting()
        self._kept_by_modem: dict[int, Lasting] = {}

    async def run(self) -> None:
        """Drain at every ring, and every `poll_s` seconds without one."""
        self._refused = await self._journal.read(_recall_undeleted)
        while True:
            await self._link.wait_ready()
            hints = await self._link.bell.wait(self._poll_s)
            try:
                with self._pulse.during("inbox", DRAIN_WITHIN_S):
                    await self._drain(hints)
                self.drained.set()
                self._trouble.end()
            except AtError as error:
                self._fail(error)
            except JournalUnavailableError as error:
                # What is not journalled stays in the modem; it is read again when the disk is back.
                if self._trouble.is_news(str(error)):
                    log.warning("inbox waits for the journal error=%s", error)
                self._link.bell.ring_later(RETRY_S)
            await self._give_up_incomplete()

    def _fail(self, error: AtError) -> None:
        """Tell that the messages cannot be read, once, and try again ever more slowly."""
        if self._trouble.is_news(str(error)):
            log.warning("inbox failed error=%s", error)
        self._link.suspect(error)
        if isinstance(error, CommandError | ReplyError):
            self._link.unreadable.failed(error)
        self._link.bell.ring_later(min(RETRY_S * 2**self._failures, self._poll_s))
        self._failures = min(self._failures + 1, MAX_DOUBLINGS)

    async def _drain(self, hints: frozenset[tuple[str, int]] | None) -> None:
        """Take the messages at the hinted places, all there are where `hints` is None."""
        messages = await self._link.messages()
        while self._link.delivered:
            news = self._link.delivered.popleft()
            try:
                await self._take(messages, [messages.delivered(news)])
            except JournalUnavailableError:
                self._link.delivered.appendleft(news)  # stored nowhere else
                raise
        named = sorted((hints or frozenset()) - {HANDED_OVER, EVERYWHERE})
        everywhere = hints is None or EVERYWHERE in hints or len(named) > HINTS_MAX
        # What was announced is read even where the listing fails.
        for storage, index in named[:HINTS_MAX]:
            try:
                stored = await messages.read(storage, index)
            except (CommandError, ReplyError) as error:
                log.info("announced, not read storage=%s index=%d error=%s", storage, index, error)
                everywhere = True
                continue
            if stored is not None:
                await self._take(messages, [stored])
        if everywhere:
            await self._take(messages, await messages.list_stored())
            self._link.unreadable.read()
            self._failures = 0

    async def _take(self, messages: MessageStore, stored: Sequence[Stored]) -> None:
        again = [await self._second_reading(messages, one) for one in stored]
        stored = [one for one in again if one is not None]
        certain = [one for one in stored if one.proven]
        if len(certain) < len(stored):
            # Read differently each time: never acted on, never deleted; the next ring reads again.
            if self._unlike.is_news(str(len(stored) - len(certain))):
                log.warning("messages not read alike twice count=%d", len(stored) - len(certain))
            self._link.bell.ring_later(RETRY_S)
        done = [one for one in certain if self._is_kept(one)]
        fresh = [one for one in certain if not self._is_kept(one)]
        # While one chunk is journalled the one before it is deleted: the line is never idle.
        for start, end in pairwise((*CHUNKS, len(fresh))):
            chunk = fresh[start:end]
            keeping = asyncio.ensure_future(self._keep_chunk(chunk))
            try:
                await self._delete(messages, done)
            finally:
                await keeping
            done = chunk
        await self._delete(messages, done)

    async def _second_reading(self, messages: MessageStore, one: Stored) -> Stored | None:
        """Let a message handed over that needed tolerance come once more: twice alike is proven.

        None: it was journalled and refused, and comes again. Where it cannot come again, or comes
        different each time, it is kept with an error, so never acted on, and taken off the network.
        """
        if not one.direct or one.proven:
            return one
        waiting = await self._journal.read(doubt.readings)
        if any(earlier.raw == one.raw for earlier in waiting):
            return replace(one, proven=True)
        if messages.refuses and doubt.may_come_again(one, waiting):
            await self._journal.commit(lambda db: doubt.keep(db, one, self._clock.wall()))
            await messages.refuse(one)
            return None
        if not messages.refuses and (one.error is not None or HEADLESS in one.flags):
            return replace(one, proven=True)  # its verdict is another one, and never acted on
        what = str(one.error) if one.error else " ".join(one.flags)
        why = DecodeError(reassembly.UNPROVEN, 0, detail=f"never read twice alike, with {what}")
        return replace(one, proven=True, error=why)

    def _is_kept(self, stored: Stored) -> bool:
        """Whether it is on disk already, and only the delete is missing."""
        if stored.direct:
            return False
        kept = self._undeleted.get(_place(stored))
        return stored.raw in self._refused or (kept is not None and kept[0] == stored.raw)

    async def _keep_chunk(self, chunk: list[Stored]) -> None:
        if not chunk:
            return
        await self._keep_all(chunk)

    def _announce(self, batch: list[_Kept]) -> None:
        for kept in batch:
            self._undeleted[_place(kept.stored)] = (kept.stored.raw, kept.segment)
            if kept.recorded is not None:
                self._intake.announce(kept.recorded)

    async def _delete(self, messages: MessageStore, done: Sequence[Stored]) -> None:
        """Delete what is on disk; one bad record must not keep those behind it in the memory."""
        refused = False
        for one in done:
            try:
                await messages.delete(one)
            except CommandError as error:
                if self._kept_by_modem.setdefault(one.index, Lasting()).is_news(str(error)):
                    log.warning("message not deleted index=%d error=%s", one.index, error)
                refused = True
                await self._remember_undeleted(one)
            except CommandTimeoutError:
                await self._remember_undeleted(one)
                raise
            else:
                self._undeleted.pop(_place(one), None)
                self._kept_by_modem.pop(one.index, None)
                await self._forget_undeleted(one)
        if refused:
            self._link.bell.ring_later(self._poll_s)

    async def _remember_undeleted(self, one: Stored) -> None:
        """Note durably that the modem keeps a message: its id is not forgotten before it goes."""
        kept = self._undeleted.get(_place(one))
        if one.raw in self._refused or kept is None:
            return
        n = kept[1]
        await self._journal.commit(lambda db: update(db, "segments", n, {"undeleted": 1}))
        self._refused[one.raw] = n

    async def _forget_undeleted(self, one: Stored) -> None:
        n = self._refused.pop(one.raw, None)
        if n is not None:
            await self._journal.commit(
                lambda db: update(db, "segments", n, {"undeleted": 0}), lazy=True
            )

    async def _keep_all(self, batch: list[Stored]) -> None:
        """Journal a batch in one commit; a message that trips over a fault is kept alone."""
        commit = self._journal.commit(
            lambda db: [self._keep(db, one) for one in batch], then=self._announce
        )
        (kept,) = await asyncio.gather(commit, return_exceptions=True)
        if not isinstance(kept, BaseException):
            return
        if isinstance(kept, JournalUnavailableError) or not isinstance(kept, Exception):
            raise kept
        if len(batch) > 1:
            for one in batch:
                await self._keep_all([one])
            return
        log.error("message set aside index=%s", batch[0].index, exc_info=kept)
        await self._journal.commit(lambda db: [self._keep(db, batch[0], kept)], then=self._announce)

    def _keep(
        self, db: sqlite3.Connection, stored: Stored, error: BaseException | None = None
    ) -> _Kept:
        """Journal one stored message, inside the transaction."""
        now = self._clock.wall()
        if error is None:
            taken = reassembly.take(db, stored, now)
        else:
            taken = reassembly.set_aside(db, stored, error, now)
        earlier: tuple[int, ...] = ()
        if stored.direct:
            earlier = doubt.claim(db, stored, whole=taken.arrival is not None)
        if taken.arrival is None:
            return _Kept(stored, taken.segment, None)
        arrival = taken.arrival
        if taken.receipt is not None:
            detail = delivery_reports.match(db, taken.receipt, now, self._planner)
            arrival = replace(arrival, detail=detail)
        return _Kept(
            stored, taken.segment, self._intake.record(db, arrival, (*earlier, *taken.segments))
        )

    async def _give_up_incomplete(self) -> None:
        now_s, now = self._clock.boottime(), self._clock.wall()
        if now_s < self._incomplete_at:
            return
        self._incomplete_at = now_s + INCOMPLETE_EVERY_S

        def find(db: sqlite3.Connection) -> list[tuple[Arrival, list[int]]]:
            return [*reassembly.give_up_incomplete(db, now), *doubt.give_up(db, now)]

        def work(db: sqlite3.Connection) -> list[Recorded]:
            return [self._intake.record(db, arrival, segments) for arrival, segments in find(db)]

        if await self._journal.read(lambda db: bool(find(db))):
            with contextlib.suppress(JournalUnavailableError):
                await self._journal.commit(work, then=self._announce_given_up)

    def _announce_given_up(self, batch: list[Recorded]) -> None:
        for recorded in batch:
            self._intake.announce(recorded)


def _recall_undeleted(db: sqlite3.Connection) -> dict[str, int]:
    """Return what a modem would not delete, by its text; of equal ones the newest."""
    return dict(db.execute("SELECT raw, n FROM segments WHERE undeleted = 1 ORDER BY n"))


def _place(stored: Stored) -> tuple[str, int]:
    return stored.storage, stored.index
