"""The one durable thing: a SQLite journal behind one thread that commits in groups."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from agent.journal.file import DAMAGED, DISK, JournalBusyError, JournalError, code, lock, open_file
from agent.journal.reader import Reader
from agent.system.clock import Clock

__all__ = ["Journal", "JournalBusyError", "JournalError", "JournalUnavailableError"]

log = logging.getLogger(__name__)

A = TypeVar("A")
T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

GROUP_MAX: Final = 64  # works in one transaction: bounds how long the first of them waits
LAZY_S: Final = 2.0  # how long a lazy work may wait for another's sync


class JournalUnavailableError(JournalError):
    """Nothing can be committed now (disk full, read-only): nothing may be acknowledged."""


@dataclass(slots=True)
class _Item:
    work: Callable[[sqlite3.Connection], Any]
    writes: bool
    lazy: bool
    future: asyncio.Future[Any]
    then: Callable[[Any], object] | None = None
    result: Any = None
    error: BaseException | None = None


class Journal:
    """Owns the database file; every write of the agent passes `commit`, and only there.

    Open with `Journal.open`. `damaged` names the file set aside at opening, if one was; `failed`
    is done when the file was found damaged in use: the agent has to start anew.
    """

    def __init__(self, path: Path, loop: asyncio.AbstractEventLoop) -> None:
        self.path = path
        self.damaged: Path | None = None
        self.unavailable: str = ""  # why nothing can be committed now, or ""
        self._loop = loop
        self._items: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._reader: Reader | None = None
        self._lock_fd = -1
        self._db: sqlite3.Connection | None = None
        self.failed: asyncio.Future[JournalError] = loop.create_future()
        self._sync_by = 0.0
        self._unsynced: list[_Item] = []
        self.commits = 0
        self.unproven = False  # an earlier file was set aside, and nobody has confirmed that yet

    @classmethod
    async def open(cls, path: Path, clock: Clock) -> Journal:
        """Open or create the journal and take its lock.

        Raises JournalBusyError where another agent holds it, JournalError where the folder or
        the file cannot be used. A damaged file is set aside and a new one begun.
        """
        journal = cls(path, asyncio.get_running_loop())
        opened: asyncio.Future[None] = journal._loop.create_future()
        journal._thread = threading.Thread(
            target=journal._run, args=(opened, clock), name="journal", daemon=True
        )
        journal._thread.start()
        await opened
        journal._reader = Reader(path, clock)
        return journal

    async def commit(
        self, work: Work[T], *, lazy: bool = False, then: Callable[[T], object] | None = None
    ) -> T:
        """Run `work` in a transaction; return its value once that is synced to disk.

        then: called with the value in the event loop after the commit, also where whoever asked
        has been cancelled meanwhile: what wakes others belongs there.

        Works that wait at the same moment share one transaction; one that raises is rolled back
        alone and its error re-raised here. lazy: done at once, seen by every later work, but
        synced with the next commit (at most `LAZY_S` later): for what may be done twice.
        Raises JournalUnavailableError where the disk refuses.
        """
        future = self._loop.create_future()
        item = _Item(work, writes=True, lazy=lazy, future=future, then=then)
        self._items.put(item)
        value: T = await asyncio.shield(item.future)
        return value

    async def read(self, work: Work[T]) -> T:
        """Run a reading `work`; it sees everything that has been committed."""
        item = _Item(work, writes=False, lazy=False, future=self._loop.create_future())
        self._items.put(item)
        value: T = await asyncio.shield(item.future)
        return value

    async def look(self, work: Work[T]) -> T:
        """Run a reading `work` that may take long: no commit waits for it (reader.py).

        It sees what is on disk; what was done lazily is synced first. Raises
        JournalUnavailableError where the disk cannot be read.
        """
        assert self._reader is not None  # noqa: S101 - made by `open`
        if await self.read(lambda db: db.in_transaction):
            with contextlib.suppress(JournalUnavailableError):  # what is on disk can still be told
                await self.commit(lambda _: None)
        try:
            return await self._reader.run(work)
        except sqlite3.Error as error:
            if code(error) not in DISK:
                raise
            raise JournalUnavailableError(f"journal cannot be read: {error}") from error

    async def wait_writable(self) -> None:
        """Return at once where commits work; else try one. Raises JournalUnavailableError.

        To be asked before something that could not be booked afterwards.
        """
        if self.unavailable:
            await self.commit(_touch)

    async def confirm(self) -> str | None:
        """Take an operator's word that what the damaged file knew is not needed any more.

        Returns when this journal was begun in its place, None where there was nothing to confirm.
        """
        reset_at = await self.commit(_confirm)
        self.unproven = False
        return reset_at

    async def close(self) -> None:
        """Commit what waits, check-point, close and let the lock go."""
        if self._reader is not None:
            self._reader.close()
        thread, self._thread = self._thread, None
        if thread is not None:
            self._items.put(None)
            await asyncio.to_thread(thread.join)

    # ---- the journal's thread -------------------------------------------------------------

    def _run(self, opened: asyncio.Future[None], clock: Clock) -> None:
        try:
            self._lock_fd = lock(self.path)
            self._db, self.damaged = open_file(self.path, clock)
            found = self._db.execute("SELECT 1 FROM meta WHERE key = 'reset_at'").fetchone()
            self.unproven = found is not None
        except (OSError, sqlite3.Error, JournalError) as error:
            self._release_lock()
            if not isinstance(error, JournalError):
                error = JournalError(f"{self.path}: cannot be opened: {error}")
            self._call(opened.set_exception, error)
            return
        self._call(opened.set_result, None)
        try:
            self._serve(self._db)
        finally:
            self._db.close()
            self._release_lock()

    def _serve(self, db: sqlite3.Connection) -> None:
        while True:
            batch, ending = self._gather(db)
            if batch:
                self._transact(db, batch)
                self._call(_settle, batch)
            open_works = db.in_transaction or self._unsynced
            if open_works and (ending or time.monotonic() >= self._sync_by):
                self._transact(db, [])
            if ending:
                return

    def _gather(self, db: sqlite3.Connection) -> tuple[list[_Item], bool]:
        """Wait for work and take what else is there, at most until a lazy work must be synced."""
        batch: list[_Item] = []
        waits = db.in_transaction or self._unsynced
        patience_s = max(0.0, self._sync_by - time.monotonic()) if waits else None
        try:
            item = self._items.get(timeout=patience_s)
            while item is not None:
                batch.append(item)
                if len(batch) >= GROUP_MAX:
                    return batch, False
                item = self._items.get_nowait()
        except queue.Empty:
            return batch, False
        return batch, True

    def _transact(self, db: sqlite3.Connection, batch: list[_Item]) -> None:
        """Run a batch and sync it: the journal's single choke point.

        A batch of nothing but lazy works leaves its transaction open for the next one.
        """
        try:
            if any(item.writes for item in batch) or not batch:
                self._write(db, batch)
            else:
                for item in batch:
                    _perform(db, item)
        except sqlite3.Error as error:
            self._recover(db, batch, error)

    def _write(self, db: sqlite3.Connection, batch: list[_Item]) -> None:
        if not db.in_transaction:
            db.execute("BEGIN IMMEDIATE")
            self._sync_by = time.monotonic() + LAZY_S
            for item in self._unsynced:  # done before, and rolled back with another's failure
                _perform_apart(db, item)
        for item in batch:
            _perform_apart(db, item)
        self._unsynced += [item for item in batch if item.lazy and item.error is None]
        if not batch or any(item.writes and not item.lazy for item in batch):
            self._sync(db)
            self._unsynced.clear()
            if self.unavailable:
                log.warning("journal writable again path=%s", self.path)
                self.unavailable = ""

    def _recover(self, db: sqlite3.Connection, batch: list[_Item], error: sqlite3.Error) -> None:
        """Roll back; the disk's complaint concerns every work of the batch."""
        with contextlib.suppress(sqlite3.Error):
            db.execute("ROLLBACK")
        self._sync_by = time.monotonic() + LAZY_S
        reason = f"journal cannot be written: {error}"
        if self.unavailable != reason:
            log.error("journal unavailable path=%s error=%s", self.path, error)
        self.unavailable = reason
        for item in batch:
            item.error = JournalUnavailableError(reason)
        if code(error) in DAMAGED:
            # Nothing more is acknowledged; the next start sets the file aside.
            self._call(self._fail, JournalError(f"{self.path}: damaged while in use: {error}"))

    def _fail(self, error: JournalError) -> None:
        if not self.failed.done():
            self.failed.set_result(error)

    def _sync(self, db: sqlite3.Connection) -> None:
        """Commit: when this returns, the batch is on disk."""
        db.execute("COMMIT")
        self.commits += 1

    def _call(self, function: Callable[[A], object], argument: A) -> None:
        # The loop may be gone when the process ends; then nobody waits for the answer either.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function, argument)

    def _release_lock(self) -> None:
        if self._lock_fd >= 0:
            os.close(self._lock_fd)
            self._lock_fd = -1


class _Carried:
    """Carries what a work raises to the caller who awaits it, whatever it is.

    Only the disk's own complaint goes on from here: it concerns the whole batch.
    """

    def __init__(self, item: _Item) -> None:
        self._item = item

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: object
    ) -> bool:
        if error is None or (isinstance(error, sqlite3.Error) and code(error) in DISK):
            return False
        self._item.error = error
        return True


def _perform(db: sqlite3.Connection, item: _Item) -> None:
    with _Carried(item):
        item.result = item.work(db)


def _perform_apart(db: sqlite3.Connection, item: _Item) -> None:
    """Run a work so that its own failure undoes only what it did itself."""
    db.execute("SAVEPOINT work")
    _perform(db, item)
    if item.error is not None:
        db.execute("ROLLBACK TO work")
    db.execute("RELEASE work")


def _confirm(db: sqlite3.Connection) -> str | None:
    db.execute("DELETE FROM meta WHERE key = 'reset_elapsed_s'")
    found = db.execute("DELETE FROM meta WHERE key = 'reset_at' RETURNING value").fetchone()
    return None if found is None else str(found[0])


def _touch(db: sqlite3.Connection) -> None:
    db.execute("INSERT OR REPLACE INTO meta VALUES ('touched', '')")
    db.execute("DELETE FROM meta WHERE key = 'touched'")


def _settle(batch: list[_Item]) -> None:
    loop = asyncio.get_running_loop()
    for item in batch:
        if item.then is not None and item.error is None:
            loop.call_soon(item.then, item.result)
        if item.future.done():
            continue
        if item.error is not None:
            item.future.set_exception(item.error)
        else:
            item.future.set_result(item.result)
