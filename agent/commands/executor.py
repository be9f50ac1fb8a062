"""Runs due commands: `running` on disk, then the side effect, then its outcome on disk."""

from __future__ import annotations

import asyncio
import functools
import logging
import sqlite3
from collections.abc import Callable
from typing import Any, Final, TypeVar

from agent.commands.registry import Call, Handler, Outcome, Services
from agent.journal.journal import Journal, JournalUnavailableError
from agent.journal.rows import CommandRow, command, move_command, open_commands
from agent.payload import arguments
from agent.payload.request import Refused
from agent.reports.planner import Planner
from agent.system.clock import boot_id, from_iso
from agent.system.events import Event, Events

__all__ = ["Executor"]

log = logging.getLogger(__name__)

T = TypeVar("T")

DECIDE_S: Final = 15.0  # between looks at what an earlier process left undecided
RETRY_S: Final = 5.0  # between tries to write an outcome that the disk refused
_TRIGGERS: Final = {
    "succeeded": "succeed",
    "failed": "fail",
    "timed-out": "time_out",
    "interrupted": "interrupt",
}


class Executor:
    """Runs one command after the other calls `execute`.

    is_late: says why it is too late for a command, "" where it is not; ended: hears of each.
    """

    def __init__(
        self,
        journal: Journal,
        planner: Planner,
        events: Events,
        services: Services,
        *,
        is_late: Callable[[CommandRow], str],
        ended: Callable[[CommandRow], None],
    ) -> None:
        self._journal = journal
        self._planner = planner
        self._events = events
        self._services = services
        self._is_late = is_late
        self._ended = ended
        self._undecided: list[CommandRow] = []

    async def recover(self) -> None:
        """Settle what was running when the process ended last: nothing is run twice."""
        rows = await self._journal.read(lambda db: list(open_commands(db, ("running",))))
        for row in rows:
            handler = self._handler(row)
            if handler is not None and handler.finish is not None:
                outcome = await handler.finish(row, self._services)
                if outcome is not None:
                    await self._finish(row, outcome)
                else:
                    self._undecided.append(row)
                continue
            late = self._is_late(row)
            if handler is not None and _may_run_again(handler) and not late:
                await self._commit(functools.partial(_resume, n=row.n))
            else:
                detail = "the agent ended while it was running"
                detail += f", and it expired {late}" if late else ""
                await self._finish(row, Outcome("interrupted", "interrupted", detail))

    async def decide(self) -> None:
        """Ask again after what could not be told at the start, until it can (reboot)."""
        while self._undecided:
            await asyncio.sleep(DECIDE_S)
            for row in tuple(self._undecided):
                handler = self._handler(row)
                outcome = None
                if handler is not None and handler.finish is not None:
                    outcome = await handler.finish(row, self._services)
                if outcome is not None:
                    self._undecided.remove(row)
                    await self._finish(row, outcome)

    async def execute(self, row: CommandRow) -> None:
        """Run one command to its end. Cancelled, it leaves the row `running`: see `recover`."""
        try:
            running = await self._begin(row)
            if running is not None:
                outcome = await self._perform(running)
                if outcome is not None:
                    await self._finish(running, outcome)
        finally:
            self._ended(row)

    async def _commit(
        self,
        work: Callable[[sqlite3.Connection], T],
        *,
        lazy: bool = False,
        then: Callable[[T], object] | None = None,
    ) -> T:
        """Commit as soon as the disk takes it: an outcome is known only once it is written."""
        while True:
            try:
                return await self._journal.commit(work, lazy=lazy, then=then)
            except JournalUnavailableError:
                await asyncio.sleep(RETRY_S)

    def _handler(self, row: CommandRow) -> Handler | None:
        return self._services.registry.get(row.command)

    async def _begin(self, row: CommandRow) -> CommandRow | None:
        """Commit `running`; None where the row has moved on meanwhile (cancelled)."""
        now = self._services.now()

        def work(db: sqlite3.Connection) -> CommandRow | None:
            found = command(db, row.n)
            if found.state not in ("accepted", "scheduled"):
                return None
            move_command(db, row.n, "start", {"started_at": now, "boot_id": boot_id()})
            return command(db, row.n)

        handler = self._handler(row)
        # Where running again does no harm, nothing hangs on this being on disk first.
        running = await self._commit(work, lazy=handler is not None and _may_run_again(handler))
        if running is not None:
            self._events.tell(Event(now, "command", id=row.id, state="running"))
        return running

    async def _perform(self, row: CommandRow) -> Outcome | None:
        """Run the handler; its own errors are an outcome, never the end of the agent."""
        handler = self._handler(row)
        if handler is None:
            return Outcome.error(f"no command {row.command} any more", reason="unknown-command")
        try:
            args = arguments.validate(handler.arguments, row.args)
        except Refused as refused:
            return Outcome.error(refused.refusal.detail, reason=refused.refusal.reason)
        call = Call(
            n=row.n,
            id=row.id,
            args=args,
            services=self._services,
        )
        task: asyncio.Future[Outcome | None] = asyncio.ensure_future(handler.run(call))
        try:
            await asyncio.wait([task], timeout=handler.timeout_s)
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait([task])
        return _outcome_of(task, row, handler)

    async def _finish(self, row: CommandRow, outcome: Outcome) -> None:
        """Commit outcome and reports together."""
        now = self._services.now()

        def work(db: sqlite3.Connection) -> CommandRow:
            values: dict[str, Any] = {
                "reason": outcome.reason,
                "detail": outcome.detail,
                "result": dict(outcome.result),
                "finished_at": now,
            }
            move_command(db, row.n, _TRIGGERS[outcome.state], values)
            ended = command(db, row.n)
            self._planner.outcome(db, ended, now)
            return ended

        await self._commit(work, then=self._announce)

    def _announce(self, row: CommandRow) -> None:
        log.info(
            "command ended id=%s command=%s state=%s reason=%s",
            row.id,
            row.command,
            row.state,
            row.reason,
        )
        at = from_iso(row.finished_at) if row.finished_at else self._services.now()
        self._events.tell(
            Event(at, "command", id=row.id, state=row.state, reason=row.reason, detail=row.detail)
        )
        self._services.wake()


def _resume(db: sqlite3.Connection, n: int) -> None:
    """Let a command run again now: whatever it had to wait for has come to pass already."""
    waited = {"due_at": None, "due_boottime": None, "delay_s": None, "next_boot": 0}
    move_command(db, n, "resume", waited)


def _may_run_again(handler: Handler) -> bool:
    return handler.read_only or handler.idempotent


def _outcome_of(
    task: asyncio.Future[Outcome | None], row: CommandRow, handler: Handler
) -> Outcome | None:
    if task.cancelled():
        return Outcome("timed-out", "timeout", f"after {handler.timeout_s:g} s")
    error = task.exception()
    if error is None:
        return task.result()
    if isinstance(error, JournalUnavailableError):
        return Outcome.error(str(error))
    log.error("handler failed id=%s command=%s", row.id, row.command, exc_info=error)
    return Outcome.error(f"{type(error).__name__}: {error}")
