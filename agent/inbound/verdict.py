"""What may become of a message: a verdict with what follows from it, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from agent.commands.registry import Handler
from agent.journal.rows import CommandRow
from agent.journal.trace import Step
from agent.payload.platforms import Platform
from agent.payload.request import Request
from agent.payload.signatures import Signer

__all__ = ["Accepted", "Claim", "Duplicate", "Heard", "Judgement", "OfCommand", "Rejected"]


@dataclass(frozen=True, slots=True)
class Heard:
    """What is known of any message.

    text: the body, None for octets. platform: whose SMS it is; reply_to: where an answer would go.
    """

    text: str | None
    platform: Platform | None = None
    reply_to: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """What is known of a command, whatever becomes of it.

    request: None where the body could not be read in full. canonical: what ids are compared by.
    signer: whose valid signature it bears, also where it is refused. route: where it is told.
    silent: no SMS goes out for this at all.
    """

    id: str
    request: Request | None
    canonical: str
    signer: Signer | None
    route: str
    silent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The verdict on a message; of this very type where it is no command.

    reason, detail: why, in the words of the reply grammar. trace: the checks made.
    """

    verdict: str
    heard: Heard
    trace: tuple[Step, ...]
    reason: str = ""
    detail: str = ""

    @property
    def id(self) -> str:
        """The command's id; "" where it is no command."""
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfCommand(Judgement):
    """The verdict on a command."""

    claim: Claim

    @property
    def id(self) -> str:
        """The command's id."""
        return self.claim.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected(OfCommand):
    """A command that does not run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate(OfCommand):
    """A command that is known. existing: the row it repeats."""

    existing: CommandRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted(OfCommand):
    """A command that will run.

    space: of ids. free: it came unsigned where a signature is asked for; the replies to it share
    a quarter of the SMS budget with those to refused ones. due_at, due_in_s, next_boot: the
    schedule; expires_at: the last moment; expires_in_s: the same from the receipt on.
    """

    space: str
    handler: Handler
    free: bool
    due_at: datetime | None = None
    due_in_s: float | None = None
    next_boot: bool = False
    expires_at: datetime | None = None
    expires_in_s: float | None = None

    @property
    def waits(self) -> bool:
        """Whether it is not due at once."""
        return self.next_boot or self.due_at is not None or self.due_in_s is not None
