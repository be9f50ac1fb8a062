"""Reads the journal of the running agent beside the thread that commits to it."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

from agent.journal import elapsed
from agent.system.clock import Clock

__all__ = ["Reader"]

T = TypeVar("T")

CACHE_KIB: Final = 512


class Reader:
    """Runs reading works one at a time, each on a read-only connection of its own.

    In WAL mode no commit waits for a reader. A check-point does not go beyond what an open reader
    sees: so the connection lives no longer than its work.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._uri = f"{path.absolute().as_uri()}?mode=ro"
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="reader")

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Return what `work` finds on disk; raises sqlite3.Error and what the work raises."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._run, work)

    def close(self) -> None:
        """Take no more works."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with contextlib.closing(sqlite3.connect(self._uri, uri=True, isolation_level=None)) as db:
            db.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
            elapsed.install(db, self._clock)
            db.execute("BEGIN")  # one view, whatever is committed meanwhile
            return work(db)
