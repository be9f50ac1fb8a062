"""Reads the journal of an agent that is not running, and never touches it."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from agent.journal import elapsed
from agent.journal.schema import VERSION, migrate
from agent.system.clock import Clock

__all__ = ["ReadOnlyError", "empty_journal", "open_read_only"]

TRIES: Final = 5  # of copying a journal that an agent is writing to


class ReadOnlyError(Exception):
    """A journal that cannot be read; the text says which and why."""


@contextlib.contextmanager
def open_read_only(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a journal without creating, locking or changing a file beside it.

    Commits that an agent did not live to check-point are seen as well: file and log are copied
    aside then. Raises ReadOnlyError.
    """
    with contextlib.ExitStack() as stack:
        try:
            db = stack.enter_context(contextlib.closing(_opened(path, stack)))
            _check_version(db, path)
            _install_elapsed(db)
        except FileNotFoundError as error:
            raise ReadOnlyError(f"{path}: there is no journal") from error
        except PermissionError as error:
            problem = "permission denied; be root or the agent's user"
            raise ReadOnlyError(f"{path}: {problem}") from error
        except (OSError, sqlite3.DatabaseError) as error:
            raise ReadOnlyError(f"{path}: cannot be read: {error}") from error
        try:
            yield db
        except sqlite3.DatabaseError as error:
            raise ReadOnlyError(f"{path}: cannot be read on: {error}") from error


def _check_version(db: sqlite3.Connection, path: Path) -> None:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version != VERSION:
        problem = f"is of schema {version}, this program reads {VERSION}; run the agent once"
        raise ReadOnlyError(f"{path}: {problem}")


@contextlib.contextmanager
def empty_journal(now: str) -> Iterator[sqlite3.Connection]:
    """Give a journal without a row, in memory: what an agent has before its first message."""
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        migrate(db, now)
        _install_elapsed(db)
        yield db


def _install_elapsed(db: sqlite3.Connection) -> None:
    clock = Clock()
    elapsed.resume(db, clock)
    elapsed.install(db, clock)


def _opened(path: Path, stack: contextlib.ExitStack) -> sqlite3.Connection:
    with path.open("rb"):
        pass  # SQLite would say no more than "unable to open database file"
    if _log_size(path):
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="modem-agent-"))
        return sqlite3.connect(_copied(path, Path(folder)), isolation_level=None)
    # SQLite locks nothing and makes no shared memory for a file that it is told cannot change.
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    return sqlite3.connect(uri, uri=True, isolation_level=None)


def _log(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _log_size(path: Path) -> int:
    with contextlib.suppress(FileNotFoundError):
        return _log(path).stat().st_size
    return 0


def _copied(path: Path, folder: Path) -> Path:
    """Copy file and log so that they belong together, whoever writes meanwhile."""
    copy = folder / "journal.db"
    for _ in range(TRIES):
        before = path.stat().st_mtime_ns
        shutil.copyfile(path, copy)
        with contextlib.suppress(FileNotFoundError):
            shutil.copyfile(_log(path), _log(copy))
        if path.stat().st_mtime_ns == before:
            return copy
    raise ReadOnlyError(f"{path}: changes all the time; ask the agent that writes to it")
