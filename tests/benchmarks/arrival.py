"""From an announcement to the handler, and what one message costs on the line and on the disk."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.stage import PLATFORM, STRANGER, Bench, Stage, median, stage, until
from tests.benchmarks.table import Row
from tests.benchmarks.wire import announced, octets, wire

BAUD = 115200
SIXTEEN = "sixteen letters."
PAUSE_S = 0.05


def rows(bench: Bench) -> Iterator[Row]:
    """Latency on both lines, bytes, synced transactions, bytes on the disk."""
    yield from _latency(bench, None)
    yield from _latency(bench, BAUD)
    yield _live_bytes(bench)
    yield from _disk(bench)


def _latency(bench: Bench, baud: int | None) -> Iterator[Row]:
    line = "115200 baud" if baud else "free line"
    count = bench.pick(60, 15)
    with stage(bench, f"latency-{baud or 'free'}", baud=baud) as on:
        begun = {}
        for number in range(count):
            text = f"ping id=free{number:04d}"  # 16 characters
            begun[text] = announced(on.modem, PLATFORM, text)
            on.quiet(PAUSE_S)
            time.sleep(PAUSE_S)
        notes = on.notes()
    kept, ran, kept_bare, ran_bare, syncs, sync_s = [], [], [], [], [], []
    journalled = {text: at for at, text in notes.journalled}
    handled = {id_: at for at, id_ in notes.handled}
    for text, at in begun.items():
        k, h = journalled[text], handled[text.partition("=")[2]]
        kept.append(k - at)
        ran.append(h - at)
        kept_bare.append(k - at - notes.syncing_s(at, k))
        ran_bare.append(h - at - notes.syncing_s(at, h))
        syncs.append(notes.syncs(at, h))
        sync_s.append(notes.syncing_s(at, h))
    note = f"median of {count}; "
    budget = 13.0 if baud else 2.5
    yield Row(
        f"+CMTI to message journalled and judged, {line}, without its sync",
        median(kept_bare) * 1e3,
        "ms",
        budget,
        note=note + f"with it {median(kept) * 1e3:.1f} ms, best without {min(kept_bare) * 1e3:.2f}",
    )
    yield Row(
        f"+CMTI to command handler, {line}, without its syncs",
        median(ran_bare) * 1e3,
        "ms",
        budget,
        note=note + f"with them {median(ran) * 1e3:.1f} ms, of which COMMIT "
        f"{median(sync_s) * 1e3:.1f} ms; best without {min(ran_bare) * 1e3:.2f}",
    )
    if baud is None:
        yield Row("disk syncs before the command handler runs", median(syncs), "syncs", 1)


def _live_bytes(bench: Bench) -> Row:
    count = bench.pick(20, 5)
    with stage(bench, "live-bytes", watched=False) as on:
        since = time.monotonic()
        for _ in range(count):
            announced(on.modem, STRANGER, SIXTEEN)
            on.quiet(PAUSE_S)
        moved = octets(wire(on.modem, since))
    return Row(
        "bytes on the line per live message (16 characters)",
        moved / count,
        "bytes",
        155,
        note="announcement, read and delete, both ways together",
    )


def _written(pid: int) -> int:
    for line in Path(f"/proc/{pid}/io").read_text(encoding="ascii").splitlines():
        name, _, value = line.partition(": ")
        if name == "write_bytes":
            return int(value)
    raise LookupError("write_bytes")


def _disk(bench: Bench) -> Iterator[Row]:
    """One command after the other, each told by SMS before the next arrives."""
    count = bench.pick(30, 8)
    with stage(bench, "disk", settings={"report": {"route": "sms"}}) as on:
        _commands(on, "warm", 2)
        time.sleep(2.5)
        before, since = _written(on.agent.pid), time.monotonic()
        _commands(on, "disk", count)
        time.sleep(2.5)
        written = _written(on.agent.pid) - before
        end = time.monotonic()
        notes = on.notes()
    yield Row(
        "synced transactions per command, arrival to reported by SMS",
        notes.syncs(since, end) / count,
        "syncs",
        4,
        note=f"{count} commands, one after the other; the last is shared where the next one comes"
        " within 2 s",
    )
    yield Row(
        "written to disk per command, arrival to reported by SMS",
        written / count / 1000,
        "kB",
        40,
        note="write_bytes of the process: pages of 4 KiB made dirty, as the block layer sees them",
    )


def _commands(on: Stage, name: str, count: int) -> None:
    for number in range(count):
        told = len(on.modem.sent)
        announced(on.modem, PLATFORM, f"ping id={name}{number}")
        until(lambda told=told: len(on.modem.sent) > told, 10.0, "a reply")  # type: ignore[misc]  # mypy cannot infer a lambda with a default
        on.quiet(PAUSE_S)
