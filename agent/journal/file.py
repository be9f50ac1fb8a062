"""The journal's file: opened, made, locked, and set aside where it is damaged."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import os
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from agent.journal import elapsed, witness
from agent.journal.rows import set_meta
from agent.journal.schema import PAGE_SIZE, migrate
from agent.system.clock import Clock, iso

__all__ = ["DAMAGED", "DISK", "JournalBusyError", "JournalError", "code", "lock", "open_file"]

log = logging.getLogger(__name__)

LOGS: Final = ("-wal", "-shm")  # of the file of that name, or of one that was there before
PATIENCE_S: Final = 3.0  # with the lock of a process that is dead


class JournalError(Exception):
    """Base of the journal's errors."""


class JournalBusyError(JournalError):
    """Another agent owns this journal; `holder` names it."""

    def __init__(self, path: Path, holder: str) -> None:
        super().__init__(
            f"{path}: this journal belongs to a running agent ({holder}); "
            "stop it first, or give this one another [journal] path"
        )
        self.holder = holder


class _DamageError(sqlite3.DatabaseError):
    """Damage that SQLite itself did not raise."""

    sqlite_errorcode = sqlite3.SQLITE_CORRUPT


def code(error: sqlite3.Error) -> int:
    """Return SQLite's primary result code (sqlite.org/rescode.html), 0 where there is none."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
# What concerns the disk and not the one statement that met it.
DISK: Final = DAMAGED | {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
}


def lock(path: Path) -> int:
    """Take the journal's lock and return its descriptor, which keeps it while it is open.

    Raises JournalBusyError, which names the holder, and OSError. May block for `PATIENCE_S`.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = path.with_name(path.name + ".lock")
    # A link may lead to somebody else's file, which is truncated below.
    descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        _lock(path, descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    # The lock is what counts; on a full disk it has no name in it.
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"modem-agent, process {os.getpid()}\n".encode(), 0)
    return descriptor


def _lock(path: Path, descriptor: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
        else:
            return
        holder = os.pread(descriptor, 100, 0).decode(errors="replace").strip()
        # A killed agent's child keeps the lock from its fork until its exec: not for long.
        if _is_alive(holder) or time.monotonic() > deadline:
            raise JournalBusyError(path, holder or "process unknown")
        time.sleep(0.02)


def _is_alive(holder: str) -> bool:
    """Whether the process that is named in a lock file still runs; True where it is not told."""
    pid = holder.rpartition(" ")[2]
    if not pid.isdecimal():
        return True
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return not stat.rpartition(")")[2].lstrip().startswith("Z")  # a zombie holds nothing


def open_file(path: Path, clock: Clock) -> tuple[sqlite3.Connection, Path | None]:
    """Open or make the file; returns the connection, and the damaged file that was set aside.

    A file that is missing, or older than it was, where a witness knows better is a loss: what is
    opened then knows of the reset. Raises sqlite3.Error and OSError where it cannot be used.
    """
    fresh = path.with_name(path.name + ".new")
    if not path.exists():
        _begin(path, fresh, clock)
    is_another = _is_another(path)
    try:
        if is_another:
            _set_aside(path, clock, LOGS)  # the log of the file that was here before
        db = _open(path, clock, reset=is_another)
    except sqlite3.DatabaseError as error:
        if code(error) not in DAMAGED:
            raise
        # In this order a crash at any point leaves a journal that knows of the reset, or one
        # that the witness contradicts.
        _create(fresh, clock, reset=True)
        witness.write(path, witness.inside(fresh) or witness.new())
        damaged = _set_aside(path, clock, ("", *LOGS))
        _rename(fresh, path)
        log.critical("journal damaged and set aside path=%s kept=%s error=%s", path, damaged, error)
    else:
        return db, None
    return _open(path, clock), damaged


def _begin(path: Path, fresh: Path, clock: Clock) -> None:
    """Make the file that is not there: the first one, or one in place of a lost one."""
    known = witness.read(path)
    logs = [path.with_name(path.name + suffix) for suffix in LOGS]
    left = [*(log for log in logs if log.exists()), *path.parent.glob(f"{path.name}.damaged-*")]
    is_made = _is_complete(fresh) and (known is None or witness.inside(fresh) == known)
    if not is_made:
        is_lost = known is not None or bool(left)
        _create(fresh, clock, reset=is_lost)
        if is_lost:
            log.critical("journal lost, begun anew: unproven path=%s", path)
        witness.write(path, witness.inside(fresh) or witness.new())
    _set_aside(path, clock, LOGS)
    _rename(fresh, path)


def _is_another(path: Path) -> bool:
    """Whether the witness knows another file here, or a newer state of it."""
    known, found = witness.read(path), witness.inside(path)
    return known is not None and found is not None and known.contradicts(found)


def _create(path: Path, clock: Clock, *, reset: bool) -> None:
    """Make a complete new file under another name, so that an empty one is always damage."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    db = sqlite3.connect(path, isolation_level=None)
    try:
        db.execute(f"PRAGMA page_size={PAGE_SIZE}")
        db.execute("PRAGMA auto_vacuum=INCREMENTAL")
        db.execute("PRAGMA synchronous=FULL")
        migrate(db, iso(clock.wall()))
        db.execute("BEGIN")
        witness.put(db, witness.new())
        if reset:
            _mark_reset(db, clock, 0.0)
        db.execute("COMMIT")
    finally:
        db.close()


def _is_complete(path: Path) -> bool:
    """Whether a file made under another name was finished before the process ended."""
    if not path.exists():
        return False
    try:
        db = sqlite3.connect(path)
        try:
            return bool(db.execute("PRAGMA user_version").fetchone()[0])
        finally:
            db.close()
    except sqlite3.DatabaseError:
        return False


def _mark_reset(db: sqlite3.Connection, clock: Clock, elapsed_s: float) -> None:
    """Note that what an earlier file knew is lost, and when: by elapsed time without NTP."""
    set_meta(db, "reset_at", iso(clock.wall()))
    vouched = clock.synchronised() is not None
    set_meta(db, "reset_elapsed_s", None if vouched else str(elapsed_s))


def _open(path: Path, clock: Clock, *, reset: bool = False) -> sqlite3.Connection:
    if path.stat().st_size == 0:
        raise _DamageError("the file is empty")
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("PRAGMA foreign_keys=ON")
        db.execute("PRAGMA temp_store=MEMORY")
        verdict = db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise _DamageError(verdict)
        migrate(db, iso(clock.wall()))
        elapsed.install(db, clock)
        elapsed.resume(db, clock)
        if not elapsed.is_anchored(db):
            elapsed.anchor(db, clock)
        known = witness.read(path)
        if reset or (known is not None and known.opened > witness.of(db).opened):
            db.execute("BEGIN IMMEDIATE")
            _mark_reset(db, clock, clock.elapsed())
            db.execute("COMMIT")
            log.critical("journal is not the one that was here last: unproven path=%s", path)
        _count_opening(db, path)
    except BaseException:
        db.close()
        raise
    return db


def _count_opening(db: sqlite3.Connection, path: Path) -> None:
    try:
        witness.count_opening(db, path)
    except (OSError, sqlite3.Error) as error:
        if isinstance(error, sqlite3.Error) and code(error) in DAMAGED:
            raise
        # A full disk: the agent comes up all the same, and waits for room.
        log.warning("journal's witness not written path=%s error=%s", path, error)


def _set_aside(path: Path, clock: Clock, suffixes: Sequence[str]) -> Path:
    stamp = iso(clock.wall()).replace(":", "").replace("-", "")
    damaged = path.with_name(f"{path.name}.damaged-{stamp}")
    for suffix in suffixes:
        part = path.with_name(path.name + suffix)
        if part.exists():
            _rename(part, damaged.with_name(damaged.name + suffix))
    return damaged


def _rename(source: Path, target: Path) -> None:
    """Rename durably: the folder is synced too."""
    source.rename(target)
    folder = os.open(target.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
