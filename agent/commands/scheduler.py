"""Which accepted command is due, and may run now."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from agent.commands.registry import Registry
from agent.journal.journal import Journal, JournalUnavailableError
from agent.journal.rows import IS_OPEN, CommandRow, command, move_command, open_commands, update
from agent.payload import schedule
from agent.reports.planner import Planner
from agent.system.clock import Clock, boot_id, from_iso, iso
from agent.system.events import Event, Events

__all__ = ["Scheduler"]

RUNNING_MAX: Final = 8  # commands at once, each at most one child process: bounds memory
CLOCK_RETRY_S: Final = 30.0  # how soon to look again whether the clock has been synchronised
RETRY_S: Final = 5.0  # after a journal that could not be written
MINUTE_S: Final = 60.0
LOOK_EVERY_S: Final = 300.0  # at the journal, whether or not anybody woke us


@dataclass(frozen=True, slots=True)
class _Readiness:
    """When a waiting command may run: wait_s 0: now; None: not in this boot."""

    wait_s: float | None = 0.0
    expired: str = ""


class Scheduler:
    """Hands due commands to `start`, one at a time per resource, within the budget.

    start: begins to run a command and returns at once; `done` is called when it has ended.
    """

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        registry: Registry,
        planner: Planner,
        events: Events,
        *,
        per_minute: int,
        start: Callable[[CommandRow], None],
        wake_others: Callable[[], None],
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._registry = registry
        self._planner = planner
        self._events = events
        self._per_minute = per_minute
        self._start = start
        self._wake_others = wake_others
        self._wake = asyncio.Event()
        self._busy: dict[str, int] = {}  # resource -> command
        self._starts: deque[float] = deque(maxlen=max(1, per_minute))

    def wake(self) -> None:
        """Look again: something was accepted, cancelled or has ended."""
        self._wake.set()

    def done(self, row: CommandRow) -> None:
        """Take back the resource of a command that has ended."""
        self._busy.pop(self._resource(row.command), None)
        self._wake.set()

    async def adopt(self) -> None:
        """Make what an earlier boot left behind ours: delays are counted anew where they must."""
        while True:
            try:
                await self._journal.commit(self._adopt)
            except JournalUnavailableError:
                await asyncio.sleep(RETRY_S)
            else:
                return

    async def run(self) -> None:
        """Dispatch for ever."""
        while True:
            self._wake.clear()
            try:
                wait_s = min(LOOK_EVERY_S, await self._dispatch())
            except JournalUnavailableError:
                wait_s = RETRY_S
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()

    def _resource(self, name: str) -> str:
        handler = self._registry.get(name)
        return handler.resource or name if handler else name

    async def _dispatch(self) -> float:
        """Start what may start; return after how many seconds to look again unless woken.

        What is due by its schedule goes first: a backlog must not hold a reboot up.
        """
        waiting = await self._journal.read(_waiting)
        waits = [
            *await self._dispatch_scheduled(waiting.scheduled),
            *await self._dispatch_accepted(waiting),
        ]
        return min(waits, default=LOOK_EVERY_S)

    async def _dispatch_scheduled(self, rows: list[CommandRow]) -> list[float]:
        waits: list[float] = []
        for row in rows:
            ready = self._readiness(row)
            if ready.expired:
                await self._expire(row, ready.expired)
            elif ready.wait_s is not None and ready.wait_s > 0:
                waits.append(ready.wait_s)
            elif ready.wait_s is not None and self._is_free(row.n, row.command):
                pause_s = self._budget_pause_s()
                if pause_s > 0:
                    waits.append(pause_s)
                else:
                    self._begin(row)
        return waits

    async def _dispatch_accepted(self, waiting: _Waiting) -> list[float]:
        for n, name in waiting.accepted:
            if len(self._busy) >= RUNNING_MAX:
                break  # the end of any of them wakes us
            if not self._is_free(n, name):
                continue
            pause_s = self._budget_pause_s()
            if pause_s > 0:
                return [pause_s]
            row = waiting.first.get(n)
            if row is None:
                row = await self._read(n)
            late = self.is_late(row)
            if row.state != "accepted":
                continue
            if late:
                await self._expire(row, late)
            else:
                self._begin(row)
        return []

    async def _read(self, n: int) -> CommandRow:
        return await self._journal.read(lambda db: command(db, n))

    def _begin(self, row: CommandRow) -> None:
        self._busy[self._resource(row.command)] = row.n
        self._starts.append(self._clock.boottime())
        self._start(row)

    def _is_free(self, n: int, name: str) -> bool:
        return (
            len(self._busy) < RUNNING_MAX
            and self._resource(name) not in self._busy
            and n not in self._busy.values()
        )

    def _budget_pause_s(self) -> float:
        if len(self._starts) < self._per_minute:
            return 0.0
        return self._starts[0] + MINUTE_S - self._clock.boottime()

    def is_late(self, row: CommandRow) -> str:
        """Say why it is too late for a command; "" where it is not, or cannot be told yet."""
        if row.expires_s is not None and self._clock.elapsed() > row.expires_s:
            return "on its way"
        if row.expires_at is None:
            return ""
        limit = from_iso(row.expires_at)
        past = schedule.is_past(limit, now=self._clock.trusted(), floor=self._clock.lower_bound())
        return f"at {iso(limit)}" if past else ""

    def _readiness(self, row: CommandRow) -> _Readiness:
        late = self.is_late(row)
        if late:
            return _Readiness(expired=late)
        if row.next_boot:
            here = boot_id()
            booted = here is not None and row.boot_id is not None and here != row.boot_id
            return _Readiness() if booted else _Readiness(wait_s=None)
        waits: list[float] = []
        if row.due_boottime is not None and row.boot_id == boot_id():
            waits.append(row.due_boottime - self._clock.boottime())
        if row.due_at is not None and row.delay_s is None:
            now = self._clock.trusted()
            if now is None:
                return _Readiness(wait_s=CLOCK_RETRY_S)
            waits.append((from_iso(row.due_at) - now).total_seconds())
        wait_s = min(waits, default=0.0)
        if wait_s < -schedule.MISSED_AFTER_S:
            return _Readiness(expired="missed by more than an hour")
        return _Readiness(wait_s=max(0.0, wait_s))

    async def _expire(self, row: CommandRow, detail: str) -> None:
        now = self._clock.wall()

        def work(db: sqlite3.Connection) -> None:
            values = {"reason": "expired", "detail": detail, "finished_at": now}
            move_command(db, row.n, "expire", values)
            self._planner.outcome(db, command(db, row.n), now)

        await self._journal.commit(work)
        self._events.tell(
            Event(now, "command", id=row.id, state="expired", reason="expired", detail=detail)
        )
        self._wake_others()

    def _adopt(self, db: sqlite3.Connection) -> None:
        here = boot_id()
        for row in open_commands(db, ("scheduled",)):
            if row.delay_s is None or row.boot_id == here:
                continue
            left_s = row.delay_s
            now = self._clock.trusted()
            if row.due_at is not None and now is not None:
                left_s = (from_iso(row.due_at) - now).total_seconds()
            values = {"due_boottime": self._clock.boottime() + left_s, "boot_id": here}
            update(db, "commands", row.n, values)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """What waits: accepted in the order they are served, the first of them whole."""

    scheduled: list[CommandRow]
    accepted: list[tuple[int, str]]
    first: dict[int, CommandRow]


def _waiting(db: sqlite3.Connection) -> _Waiting:
    """Read everything that waits at once: a backlog only by number and name."""
    accepted = db.execute(
        f"SELECT n, command FROM commands WHERE {IS_OPEN} AND state = 'accepted'"  # noqa: S608 - our own
        " ORDER BY free, n"
    ).fetchall()
    return _Waiting(
        scheduled=list(open_commands(db, ("scheduled",))),
        accepted=accepted,
        first={n: command(db, n) for n, _ in accepted[:RUNNING_MAX]},
    )
