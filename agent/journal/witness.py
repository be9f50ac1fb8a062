"""The witness beside the journal: which file was last in use, and how often it was opened.

A journal that is missing where there is a witness was lost; one of another id, or that was opened
less often, was put in the place of the one that knew what has run. `journal.db.id` holds both.
"""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
from pathlib import Path
from typing import Final, NamedTuple

from agent.journal.rows import meta, set_meta
from agent.system.atomic_file import replace_file

__all__ = ["Witness", "count_opening", "inside", "new", "of", "put", "read", "write"]

_ID: Final = "journal_id"  # in meta, both
_OPENED: Final = "opened"


class Witness(NamedTuple):
    """What a file is known by.

    kept: the count that the file held without its log, which is never less later.
    """

    id: str
    opened: int
    kept: int = 0

    def contradicts(self, main: Witness) -> bool:
        """Whether a file without its log is another than was seen, or an older one."""
        return main.id not in ("", self.id) or self.kept > main.opened


def new() -> Witness:
    """Give a file that has never been opened."""
    return Witness(secrets.token_hex(8), 0)


def read(path: Path) -> Witness | None:
    """Return the witness beside a journal; None where there is none that can be read."""
    try:
        id_, opened, kept = _place(path).read_text("ascii").split()
        return Witness(id_, int(opened), int(kept))
    except (OSError, ValueError):
        return None


def write(path: Path, witness: Witness) -> None:
    """Write it durably. Raises OSError."""
    replace_file(_place(path), f"{witness.id} {witness.opened} {witness.kept}\n")


def inside(path: Path) -> Witness | None:
    """Return what the file itself says, its log left out; None where it cannot be read."""
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    try:
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as db:
            return of(db)
    except sqlite3.Error:
        return None


def of(db: sqlite3.Connection) -> Witness:
    """Return what a journal says; id "" for one that no witness was written for."""
    return Witness(meta(db, _ID) or "", int(meta(db, _OPENED) or 0))


def put(db: sqlite3.Connection, witness: Witness) -> None:
    """Write it into a journal, inside a transaction."""
    set_meta(db, _ID, witness.id)
    set_meta(db, _OPENED, str(witness.opened))


def count_opening(db: sqlite3.Connection, path: Path) -> None:
    """Count one more opening: in the file and its log, then beside them.

    Raises sqlite3.Error and OSError; then the witness says too little, which is no contradiction.
    """
    found, main = of(db), inside(path)
    counted = Witness(found.id or new().id, found.opened + 1, main.opened if main else 0)
    db.execute("BEGIN IMMEDIATE")
    try:
        put(db, counted)
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")
    write(path, counted)


def _place(path: Path) -> Path:
    return path.with_name(f"{path.name}.id")
