"""What a report channel is: where an outcome can be told."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from agent.journal.rows import CommandRow

__all__ = ["Booking", "GiveUpError", "Report", "ReportChannel", "RetryError", "UnwantedError"]


@dataclass(frozen=True, slots=True)
class Report:
    """One pending row of `reports` with what it tells of.

    kind: "result", "duplicate" (a repeat of the message was met), "received", "sent". waited_s:
    elapsed time since it was planned. platform, reply_to, response: of whoever is told. command:
    of result and duplicate; message: the columns of a received SMS; send: those of a sent one.
    """

    n: int
    kind: str
    created_at: str
    attempts: int
    waited_s: float
    platform: str = ""
    reply_to: str = ""
    response: Mapping[str, str] = field(default_factory=dict)
    command: CommandRow | None = None
    message: Mapping[str, Any] | None = None
    send: Mapping[str, Any] | None = None


Booking = Callable[[sqlite3.Connection], None]


class RetryError(Exception):
    """Not delivered now, or perhaps not.

    after_s: seconds until the next try, None: by the back-off. also: what the try cost, booked in
    the commit that notes it.
    """

    def __init__(
        self, reason: str, after_s: float | None = None, *, also: Booking | None = None
    ) -> None:
        super().__init__(reason)
        self.after_s = after_s
        self.also = also


class UnwantedError(Exception):
    """Nobody waits for this report any more: it was told elsewhere meanwhile."""


class GiveUpError(Exception):
    """Will never be delivered on this channel."""


class ReportChannel(Protocol):
    """One way to tell a report.

    name: the value of the column `channel`; at_once: how many may be under way together;
    patience_s: how long one report is tried, None: for ever.
    """

    name: str
    at_once: int
    patience_s: float | None

    async def ready(self) -> None:
        """Return once the channel can deliver."""
        ...

    async def deliver(self, report: Report) -> Booking | None:
        """Deliver one report; the function returned is run in the commit that says so.

        Raises RetryError, GiveUpError or UnwantedError.
        """
        ...
