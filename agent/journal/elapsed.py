"""Elapsed time over restarts: the journal's own clock, which nobody can set.

Rows are stamped with it (`elapsed_s`), and what is forgotten, waited for or budgeted goes by it. In
one boot it is the boot clock. Over a reboot it goes on from where the journal left it; what lay
between counts only where NTP vouched for the wall clock before and after. So it may be behind the
true time, and then ids are remembered for longer; it is never ahead of it.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict, dataclass
from typing import Any, Final, NamedTuple

from agent.journal.rows import meta, set_meta
from agent.system.clock import Clock, boot_id, from_iso, iso

__all__ = ["STAMPED", "anchor", "install", "is_anchored", "resume"]

STAMPED: Final = ("segments", "messages", "commands", "reports", "sends", "recovery")
_ANCHOR: Final = "elapsed"  # in meta


class _Synchronised(NamedTuple):
    """A moment at which NTP vouched for the wall clock."""

    at: str
    elapsed_s: float
    boot_id: str | None


@dataclass(frozen=True, slots=True)
class _Anchor:
    """Where elapsed time stood; synchronised: when NTP last vouched for the wall clock, if ever."""

    elapsed_s: float
    boottime_s: float
    boot_id: str | None
    synchronised: _Synchronised | None = None

    @property
    def is_of_this_boot(self) -> bool:
        """Whether the boot clock has run on since."""
        return self.boot_id is not None and self.boot_id == boot_id()


def install(db: sqlite3.Connection, clock: Clock) -> None:
    """Give a connection the SQL function `elapsed()`, which rows are stamped with."""
    db.create_function("elapsed", 0, clock.elapsed)


def resume(db: sqlite3.Connection, clock: Clock) -> None:
    """Let the clock's elapsed time go on from where this journal left it; writes nothing."""
    known = _read(db)
    if known is None:
        clock.resume(0.0)
    elif known.is_of_this_boot and clock.boottime() >= known.boottime_s:
        clock.resume(known.elapsed_s + clock.boottime() - known.boottime_s)
    else:
        clock.resume(max(known.elapsed_s, *(_newest(db, table) for table in STAMPED)))


def anchor(db: sqlite3.Connection, clock: Clock) -> None:
    """Note where elapsed time stands, inside a transaction; count what NTP vouches for.

    At the first opening in a boot and every few hours: a power cut loses what has elapsed since.
    """
    known = _read(db)
    last = known.synchronised if known is not None else None
    now = clock.synchronised()
    if now is not None:
        if last is not None and boot_id() not in (None, last.boot_id):
            passed_s = (now - from_iso(last.at)).total_seconds()
            off_s = passed_s - (clock.elapsed() - last.elapsed_s)
            clock.resume(clock.elapsed() + max(0.0, off_s))
        last = _Synchronised(iso(now), clock.elapsed(), boot_id())
    new = _Anchor(clock.elapsed(), clock.boottime(), boot_id(), last)
    set_meta(db, _ANCHOR, json.dumps(asdict(new), separators=(",", ":")))


def is_anchored(db: sqlite3.Connection) -> bool:
    """Whether elapsed time was noted in this boot."""
    known = _read(db)
    return known is not None and known.is_of_this_boot


def _read(db: sqlite3.Connection) -> _Anchor | None:
    text = meta(db, _ANCHOR)
    if text is None:
        return None
    fields: dict[str, Any] = json.loads(text)
    pair = fields.pop("synchronised")
    return _Anchor(**fields, synchronised=_Synchronised(*pair) if pair else None)


def _newest(db: sqlite3.Connection, table: str) -> float:
    found = db.execute(
        f"SELECT elapsed_s FROM {table} ORDER BY n DESC LIMIT 1"  # noqa: S608 - our own names
    ).fetchone()
    return 0.0 if found is None else float(found[0])
