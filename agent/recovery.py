"""What was done for a modem in trouble: the ladder's history, kept over restarts of the agent."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta

from agent.clock import Clock, from_iso, iso
from agent.journal import Journal, JournalUnavailableError
from agent.ladder import Rung, next_rung
from agent.rows import insert

__all__ = ["RecoveryHistory"]


class RecoveryHistory:
    """Chooses the next rung by what was done before, and notes what is done now."""

    def __init__(self, journal: Journal, clock: Clock, *, can_power_cycle: bool) -> None:
        self._journal = journal
        self._clock = clock
        self._can_power_cycle = can_power_cycle

    async def choose(self, ladder: Sequence[Rung], current: Rung | None) -> Rung:
        """Return the rung after `current` (None: the first) that still has a budget."""
        now = self._clock.wall()
        since = iso(now - timedelta(days=1))

        def work(db: sqlite3.Connection) -> list[tuple[datetime, str]]:
            rows = db.execute("SELECT at, rung FROM recovery WHERE at > ?", (since,))
            return [(from_iso(at), rung) for at, rung in rows]

        return next_rung(
            current.name if current else None,
            await self._journal.read(work),
            now,
            can_power_cycle=self._can_power_cycle,
            ladder=ladder,
        )

    async def note(self, rung: Rung, cause: str, outcome: str) -> None:
        """Remember one rung that was taken; a disk that refuses does not stop the recovery."""
        values = {"at": self._clock.wall(), "rung": rung.name, "cause": cause, "outcome": outcome}
        with contextlib.suppress(JournalUnavailableError):
            await self._journal.commit(lambda db: insert(db, "recovery", values), lazy=True)
