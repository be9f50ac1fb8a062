"""What was done for a modem in trouble: the ladder's history, kept over restarts of the agent."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

from agent.journal.journal import Journal, JournalUnavailableError
from agent.journal.rows import insert, update
from agent.modem.recovery_ladder import Rung, next_rung
from agent.system.clock import Clock

__all__ = ["RecoveryHistory", "Step"]

log = logging.getLogger(__name__)

DAY_S: Final = 86400.0
WAIT: Final = "wait"  # in the history: for a device that was gone
WAITS_EVERY_S: Final = 600.0  # a plug that works loose must not fill the disk


@dataclass(slots=True)
class Step:
    """One rung that is being taken. outcome: what became of it, for people."""

    outcome: str = "not finished"


class RecoveryHistory:
    """Chooses the next rung by what was done before, and notes what is done now."""

    def __init__(self, journal: Journal, clock: Clock, *, can_power_cycle: bool) -> None:
        self._journal = journal
        self._clock = clock
        self._can_power_cycle = can_power_cycle
        # What the disk would not take: a budget holds all the same.
        self._unwritten: list[tuple[float, str]] = []
        self._next_wait_s = 0.0

    async def choose(
        self, ladder: Sequence[Rung], current: Rung | None, *, troubled_s: float
    ) -> Rung:
        """Return the rung after `current` (None: the first) that still has a budget."""
        now_s = self._clock.elapsed()

        def work(db: sqlite3.Connection) -> list[tuple[float, str]]:
            return db.execute(
                "SELECT elapsed_s, rung FROM recovery WHERE elapsed_s > ?", (now_s - DAY_S,)
            ).fetchall()

        done = list(self._unwritten)
        try:
            done += await self._journal.read(work)
        except (sqlite3.Error, JournalUnavailableError) as error:
            log.warning("history not readable error=%s", error)
        return next_rung(
            current.name if current else None,
            done,
            now_s,
            can_power_cycle=self._can_power_cycle,
            troubled_s=troubled_s,
            ladder=ladder,
        )

    @contextlib.asynccontextmanager
    async def taking(self, rung: Rung, cause: str) -> AsyncIterator[Step]:
        """Note a rung before it is taken, and what became of it afterwards.

        Before: an agent that is ended over a reset must find it in the budget when it starts.
        """
        step = Step()
        budgeted = bool(rung.per_hour or rung.per_day)
        n = await self._note(rung.name, cause, step.outcome, lazy=not budgeted)
        try:
            yield step
        finally:
            await self._finish(n, step.outcome)

    async def waited(self, cause: str, for_s: float) -> None:
        """Note a device that was gone and works again."""
        now_s = self._clock.boottime()
        if now_s >= self._next_wait_s:
            self._next_wait_s = now_s + WAITS_EVERY_S
            await self._note(WAIT, cause, f"ready again after {for_s:.1f} s", lazy=True)

    async def _note(self, name: str, cause: str, outcome: str, *, lazy: bool) -> int | None:
        """Write a row; None where the disk refuses: that does not stop the recovery."""
        now = self._clock.wall()
        values = {"at": now, "rung": name, "cause": cause, "outcome": outcome}
        try:
            return await self._journal.commit(lambda db: insert(db, "recovery", values), lazy=lazy)
        except JournalUnavailableError:
            now_s = self._clock.elapsed()
            recent = [(at_s, rung) for at_s, rung in self._unwritten if now_s - at_s < DAY_S]
            self._unwritten = [*recent, (now_s, name)]
            return None

    async def _finish(self, n: int | None, outcome: str) -> None:
        if n is not None:
            with contextlib.suppress(JournalUnavailableError):
                await self._journal.commit(
                    lambda db: update(db, "recovery", n, {"outcome": outcome}), lazy=True
                )
