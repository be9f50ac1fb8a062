"""What a command handler is, and the table they are found in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from agent.config.model import Config
    from agent.journal.journal import Journal
    from agent.journal.rows import CommandRow
    from agent.modem.link import Link
    from agent.payload.arguments import ArgSpec
    from agent.reports.planner import Planner
    from agent.sms.sender import Sending
    from agent.system.events import Events

__all__ = ["Call", "Handler", "Outcome", "Registry", "Services", "Value"]

Value = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended.

    state: a final state of machines.COMMAND ("succeeded", "failed", "timed-out"); reason: one of
    the short words of the reply grammar ("exit-3", "error" …), "" for success; detail: for people;
    result: what is told, in the order of the reply.
    """

    state: str
    reason: str = ""
    detail: str = ""
    result: Mapping[str, Value] = field(default_factory=dict)

    @classmethod
    def ok(cls, **result: Value) -> Outcome:
        """Return a success with these result keys."""
        return cls("succeeded", result=result)

    @classmethod
    def error(cls, detail: str, *, reason: str = "error") -> Outcome:
        """Return a failure."""
        return cls("failed", reason=reason, detail=detail)


class Services(Protocol):
    """What a handler may use of the agent."""

    config: Config
    events: Events
    journal: Journal
    link: Link
    registry: Registry
    planner: Planner
    sending: Sending

    def now(self) -> datetime:
        """Return the wall clock's time: for records."""
        ...

    def uptime_s(self) -> float:
        """Return seconds since the agent started."""
        ...

    def request_restart(self) -> None:
        """End the process in an orderly way, and start the agent again."""
        ...

    def wake(self) -> None:
        """Let the scheduler, the senders and the reporter look at the journal again."""
        ...


@dataclass(frozen=True, slots=True)
class Call:
    """One run of a command: n is its row, args are validated and typed."""

    n: int
    id: str
    args: Mapping[str, Value]
    services: Services


@dataclass(frozen=True, slots=True)
class Handler:
    """One command.

    run: does the work; it returns an Outcome, or None where the outcome is not known yet and the
    row stays `running` (reboot). needs_argument: at least one must be given (`set`).
    delay_argument: names the argument that is a delay in seconds, spent in `scheduled`.
    needs_boot_id: refused where this boot cannot be told from another.
    read_only: changes nothing, so it may run unsigned. idempotent: run again after a crash, as
    what is read-only is.
    resource: commands of one resource run one after another; "" means the command's own name.
    finish: asked at start-up about a row left `running`: its outcome, or None while it cannot be
    told; where there is no `finish`, idempotent handlers run again, others are `interrupted`.
    """

    name: str
    summary: str
    run: Callable[[Call], Awaitable[Outcome | None]]
    arguments: Mapping[str, ArgSpec] = field(default_factory=dict)
    needs_argument: bool = False
    delay_argument: str = ""
    needs_boot_id: bool = False
    read_only: bool = False
    idempotent: bool = False
    resource: str = ""
    timeout_s: float = 60.0
    finish: Callable[[CommandRow, Services], Awaitable[Outcome | None]] | None = None


class Registry:
    """The commands by name; iterates in the order they were added."""

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        self._handlers = dict(handlers)

    def __contains__(self, name: object) -> bool:
        return name in self._handlers

    def __iter__(self) -> Iterator[Handler]:
        return iter(self._handlers.values())

    def __getitem__(self, name: str) -> Handler:
        return self._handlers[name]

    def get(self, name: str) -> Handler | None:
        """Return a command's handler, None where there is no such command."""
        return self._handlers.get(name)
