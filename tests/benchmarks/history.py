"""A journal of half a million messages: what history takes, and what commits wait for meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from agent.journal.history import Filters, selected
from agent.journal.journal import Journal
from agent.journal.retention import Housekeeping
from agent.journal.rows import set_meta
from agent.journal.schema import PAGE_SIZE, migrate
from agent.system.clock import Clock
from tests.benchmarks.stage import Bench
from tests.benchmarks.table import Row

DAY_S: Final = 86400.0
# One command in fifty was refused, three went wrong once; one message each 5 s.
FILL: Final = """
WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < {count})
INSERT INTO commands (n, space, id, command, canonical, args, state, reason, channel, platform,
  sender, reply_to, received_at, finished_at, elapsed_s)
SELECT n, '', printf('DC%032x', n), CASE n % 5 WHEN 0 THEN 'ping' ELSE 'mark' END,
  '{{"args":{{"n":"12"}},"cmd":"mark"}}', '{{"n":"12"}}',
  CASE WHEN n IN (77, 78) THEN 'failed' WHEN n = 99 THEN 'timed-out'
    WHEN n % 50 = 0 THEN 'rejected' ELSE 'succeeded' END,
  CASE WHEN n % 50 = 0 THEN 'bad-args' ELSE '' END, 'sms', 'super-sim', '000', '000',
  strftime('%Y-%m-%dT%H:%M:%fZ', '2026-01-01', (n * 5) || ' seconds'),
  strftime('%Y-%m-%dT%H:%M:%fZ', '2026-01-01', (n * 5 + 1) || ' seconds'), n * 5 FROM i;
INSERT INTO messages (n, received_at, id, channel, sender, platform, sent_at, text, verdict,
  reason, command, elapsed_s)
SELECT n, received_at, id, 'sms', '000', 'super-sim', received_at, id || ' mark n=12',
  CASE state WHEN 'rejected' THEN 'rejected' ELSE 'accepted' END, reason, n, elapsed_s
  FROM commands;
INSERT INTO segments (received_at, sender, sent_at, alphabet, data, raw, message, elapsed_s)
SELECT received_at, '000', received_at, 'gsm7', CAST(text AS BLOB), hex(text), n, elapsed_s
  FROM messages;
INSERT INTO reports (kind, channel, command, state, created_at, not_before, finished_at, elapsed_s)
SELECT 'result', 'sms', n, 'reported', received_at, received_at, finished_at, elapsed_s
  FROM commands;
INSERT INTO sends (recipient, text, state, segments, command, created_at, finished_at, elapsed_s)
SELECT '000', id || ' OK', 'sent', 1, n, received_at, finished_at, elapsed_s FROM commands;
"""
FILTERS: Final = (
    Filters(),
    Filters(sender="000"),
    Filters(sender="+447700900123"),
    Filters(verdict="stranger"),
    Filters(channel="console"),
    Filters(state="failed"),
    Filters(state="pending"),
    Filters(state="undeliverable"),
    Filters(command="reboot"),
    Filters(command="mark", state="timed-out"),
    Filters(command="ping", state="timed-out"),
    Filters(id=f"DC{77:032x}"),
    Filters(until=datetime(2026, 1, 2, tzinfo=UTC)),
    Filters(since=datetime(2026, 1, 2, tzinfo=UTC), until=datetime(2026, 1, 3, tzinfo=UTC)),
    Filters(sender="000", verdict="stranger"),
)


def rows(bench: Bench) -> Iterator[Row]:
    """Every filter of history, and commits beside it and beside forgetting."""
    count = bench.pick(500_000, 50_000)
    path = bench.folder / "history.db"
    _fill(path, count)
    slowest, waited, forgetting = asyncio.run(_measure(path))
    yield Row(
        "history, the slowest of 15 filters",
        slowest[0] * 1e3,
        "ms",
        500,
        note=f"{count} messages, {path.stat().st_size / 1e6:.0f} MB; {slowest[1]}",
    )
    yield Row("a commit while history is read", waited * 1e3, "ms", 100, note="the slowest")
    yield Row(
        "a commit while old messages are forgotten",
        forgetting * 1e3,
        "ms",
        100,
        note="the slowest within 20 s",
    )


def _fill(path: Path, count: int) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(f"PRAGMA page_size={PAGE_SIZE}")
        db.execute("PRAGMA auto_vacuum=INCREMENTAL")
        db.execute("PRAGMA synchronous=OFF")
        db.execute("PRAGMA cache_size=-200000")
        migrate(db, "2026-01-01T00:00:00.000Z")
        db.executescript(f"BEGIN;{FILL.format(count=count)}COMMIT;")


class _Late(Clock):
    """The clock of a box that has been on for so long that half of the messages are old."""

    later_s = 0.0

    def boottime(self) -> float:
        return super().boottime() + self.later_s


async def _measure(path: Path) -> tuple[tuple[float, str], float, float]:
    clock = _Late()
    journal = await Journal.open(path, clock)
    slowest = (0.0, "")
    beside = asyncio.ensure_future(_commits(journal))
    for filters in FILTERS:
        begun = time.monotonic()
        await journal.look(lambda db, f=filters: list(selected(db, f)))  # type: ignore[misc]  # bound now
        named = {n: v for n in Filters.__slots__ if n != "limit" and (v := getattr(filters, n))}
        slowest = max(slowest, (time.monotonic() - begun, str(named or "no filter")))
    beside.cancel()
    waited = max(await _ended(beside))
    clock.later_s = 45 * DAY_S
    beside = asyncio.ensure_future(_commits(journal))
    keeping = asyncio.ensure_future(Housekeeping(journal, clock).forget())
    await asyncio.wait([keeping], timeout=20.0)
    keeping.cancel()
    beside.cancel()
    forgetting = max(await _ended(beside))
    await asyncio.gather(keeping, return_exceptions=True)
    await journal.close()
    return slowest, waited, forgetting


async def _commits(journal: Journal) -> list[float]:
    """Commit every 20 ms until cancelled; returns how long each took."""
    took = [0.0]
    with contextlib.suppress(asyncio.CancelledError):
        while True:
            begun = time.monotonic()
            await journal.commit(lambda db: set_meta(db, "beside", str(begun)))  # noqa: B023 - done at once
            took.append(time.monotonic() - begun)
            await asyncio.sleep(0.02)
    return took


async def _ended(task: asyncio.Future[list[float]]) -> list[float]:
    return await task
