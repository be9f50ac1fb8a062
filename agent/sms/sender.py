"""Sends SMS: segments, the budget, what a failure means."""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from agent.config.model import BudgetConfig
from agent.journal.journal import Journal
from agent.journal.rows import insert
from agent.journal.states import SEND
from agent.modem.link import Link
from agent.sms import budget
from agent.system.clock import Clock
from agent.system.watchdog import Pulse
from at import sms
from at.errors import AtError, CommandError, EncodeError, SendUnknownError

__all__ = ["NotSentError", "Sending", "Sent", "prepare", "references_column"]

SEGMENTS_MAX: Final = 10  # of a requested SMS; a report's limit is its platform's
SEND_WITHIN_S: Final = 900.0  # the driver itself gives up after minutes
NETWORK_CAUSES: Final = 256  # +CMS ERROR: 0-255 are the network's (TS 27.005 3.2.5)
# What a modem says of its SIM, its memory, its service or the registration, and not of one message.
_CMS_OF_LINK: Final = frozenset({*range(300, 304), *range(310, 323), 330, 331, 332, 340})
_CME_OF_MESSAGE: Final = frozenset({None, 3, 4, *range(21, 28), 50, 100})


@dataclass(frozen=True, slots=True)
class Sent:
    """An SMS that the network took: a TP-MR for each segment, in order."""

    references: tuple[int, ...]


class NotSentError(Exception):
    """An SMS that did not leave, or may not have.

    references: of the segments that did. unknown: the outcome of the next one cannot be known.
    after_s: when to try again, None: the caller's own back-off. permanent: trying is no use.
    of_link: no other message would have left either. unwanted: nobody waits for it any more.
    """

    def __init__(
        self,
        reason: str,
        *,
        references: tuple[int, ...] = (),
        permanent: bool = False,
        unknown: bool = False,
        after_s: float | None = None,
        of_link: bool = False,
        unwanted: bool = False,
    ) -> None:
        super().__init__(reason)
        self.of_link = of_link
        self.unwanted = unwanted
        self.references = references
        self.permanent = permanent
        self.unknown = unknown
        self.after_s = after_s


class Sending:
    """Sends SMS, one message at a time: whoever sends holds `turn`."""

    def __init__(
        self,
        journal: Journal,
        link: Link,
        clock: Clock,
        budget: BudgetConfig,
        *,
        pulse: Pulse,
    ) -> None:
        self._journal = journal
        self._link = link
        self._clock = clock
        self._budget = budget
        self._pulse = pulse
        self.turn = asyncio.Lock()

    def most_segments(self, *, free: bool) -> int:
        """Return how many segments the budget allows one SMS at most."""
        return budget.most_segments(self._budget, free=free)

    async def transmit(
        self,
        recipient: str,
        body: str | bytes,
        *,
        max_segments: int = SEGMENTS_MAX,
        free: bool = False,
        wanted: Callable[[sqlite3.Connection], bool] | None = None,
    ) -> Sent:
        """Send one SMS as soon as no other is under way; then book it with `record` at once.

        wanted: asked when its turn has come, as that may take minutes. No await may stand between
        the return and the commit of the booking: the next SMS is held against the budget then.
        Raises NotSentError, also where the budget is spent (after_s says when it is not).
        """
        destination, parts = prepare(recipient, body, max_segments)

        def refusal(db: sqlite3.Connection) -> NotSentError | None:
            if wanted is not None and not wanted(db):
                return NotSentError("not wanted any more", unwanted=True)
            return self.over_budget(db, len(parts), free=free)

        async with self.turn:
            refused = await self._journal.read(refusal)
            if refused is not None:
                raise refused
            return await self.send_parts(destination, parts)

    async def send_parts(
        self,
        destination: sms.Address,
        parts: Sequence[sms.UserData],
        *,
        want_report: bool = False,
    ) -> Sent:
        """Send an SMS in its segments; the caller holds `turn`. Raises NotSentError."""
        references: list[int] = []
        for number, part in enumerate(parts, 1):
            submit = sms.Submit(
                destination=destination, user_data=part, status_report_request=want_report
            )
            try:
                messages = await self._link.messages()
                with self._pulse.during("sending", SEND_WITHIN_S):
                    references.append(await messages.send(submit, more=number < len(parts)))
            except AtError as error:
                self._link.suspect(error)
                raise _not_sent(error, tuple(references)) from error
        return Sent(tuple(references))

    def over_budget(
        self, db: sqlite3.Connection, segments: int, *, free: bool
    ) -> NotSentError | None:
        """Return the error that says how long the budget is spent; None where it is not."""
        over = budget.over(db, self._budget, segments, free=free)
        if over is None:
            return None
        return NotSentError(over.reason, after_s=over.after_s, permanent=over.after_s is None)

    def record(
        self,
        db: sqlite3.Connection,
        recipient: str,
        text: str,
        *,
        references: tuple[int, ...],
        trigger: str,
        command: int | None,
        free: bool,
    ) -> None:
        """Book an SMS that carried a report, inside the caller's transaction.

        trigger: how machines.SEND ends it: "sent", "lose", or "fail" where only a part has left.
        """
        now = self._clock.wall()
        values = {
            "recipient": recipient,
            "text": text,
            "state": SEND.move(SEND.move("queued", "start"), trigger),
            "segments": len(references) + (trigger == "lose"),
            "refs": references_column(references),
            "free": free,
            "command": command,
            "created_at": now,
            "finished_at": now,
        }
        insert(db, "sends", values)


def prepare(
    recipient: str, body: str | bytes, max_segments: int = SEGMENTS_MAX
) -> tuple[sms.Address, Sequence[sms.UserData]]:
    """Return what goes on the air. Raises NotSentError for what cannot."""
    try:
        destination = sms.Address.number(recipient)
        parts = sms.segment(body, reference=secrets.randbelow(256), max_segments=max_segments)
    except EncodeError as error:
        raise NotSentError(str(error), permanent=True) from error
    return destination, parts


def references_column(references: tuple[int, ...]) -> list[dict[str, int | None]]:
    """Render the column `refs`: TP-MR and, later, TP-ST of each segment."""
    return [{"reference": reference, "status": None} for reference in references]


def _not_sent(error: AtError, references: tuple[int, ...]) -> NotSentError:
    if isinstance(error, SendUnknownError):
        return NotSentError(str(error), references=references, unknown=True)
    if isinstance(error, CommandError):
        return NotSentError(
            str(error),
            references=references,
            permanent=_is_refused(error),
            of_link=_is_of_link(error),
        )
    if isinstance(error, EncodeError):
        return NotSentError(str(error), references=references, permanent=True)
    return NotSentError(str(error), references=references, of_link=True)


def _is_of_link(error: CommandError) -> bool:
    """Whether the modem complains of its own state, and not of this message or its recipient."""
    if error.domain == "CME":
        return error.code not in _CME_OF_MESSAGE
    return error.domain == "CMS" and error.code in _CMS_OF_LINK


def _is_refused(error: CommandError) -> bool:
    """Whether the network refused this very message (RP and TP causes, TS 27.005 3.2.5).

    Whatever else the modem complains of, its SIM or its own state, may be mended meanwhile.
    """
    of_network = error.domain == "CMS" and error.code is not None and error.code < NETWORK_CAUSES
    return of_network and error.temporary is False
