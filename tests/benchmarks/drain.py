"""A hundred messages that wait in the modem: read, journalled, deleted."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

from tests.benchmarks.stage import PLATFORM, STRANGER, Bench, Stage, median, stage, until
from tests.benchmarks.table import Row
from tests.benchmarks.wire import Moved, line_time_s, octets, wire

BAUD = 115200
COUNT = 100
SIXTY = "Sixty characters are what such a message has, more or less.."
_STORAGE = {"SM": 120, "ME": 120}


def rows(bench: Bench) -> Iterator[Row]:
    """Bytes for one, time for all; free text, then commands that run meanwhile."""
    yield from _drain(bench, commands=False)
    yield from _drain(bench, commands=True)


def _drain(bench: Bench, *, commands: bool) -> Iterator[Row]:
    what = "commands, each run" if commands else "messages"
    spans, line_s, per, syncing, whole = [], [], [], [], []
    runs = bench.pick(5, 2)
    with stage(bench, f"drain-{commands}", start=False, baud=BAUD) as on:
        on.modem.call(lambda shell: _enlarge(shell.store.memories))
        for number in range(runs):
            for place in range(COUNT):
                text = f"ping id=r{number}m{place} pad" if commands else SIXTY
                if commands:
                    text = f"ping id=r{number}m{place};".ljust(60, ".")
                on.modem.deliver_text(PLATFORM if commands else STRANGER, text, announce=False)
            began = time.monotonic()
            on.agent.start(wait_ready=False)
            until(lambda: not on.modem.messages("SM"), 60.0, "an empty modem")
            on.quiet(1.0 if commands else 0.3)
            moved = wire(on.modem, began)
            begin, end, own = _span(moved, on)
            notes = on.notes()
            spans.append(end - begin)
            line_s.append(line_time_s(own, BAUD))
            per.append(own / COUNT)
            syncing.append(notes.syncing_s(begin, end))
            if commands:
                whole.append(max(at for at, _ in notes.handled) - begin)
    shares = [span / line - 1 for span, line in zip(spans, line_s, strict=True)]
    if not commands:
        yield Row("bytes on the line per stored message (60 characters)", median(per), "bytes", 185)
    note = (
        f"median of {runs}, from the first octet of the listing to the last deletion's answer;"
        f" {median(syncing) * 1e3:.0f} ms of it in COMMIT"
    )
    yield Row(
        f"drain of {COUNT} stored {what}, 115200 baud", median(spans), "s", 1.75, note=note
    )
    yield Row(
        f"drain of {COUNT} stored {what}, beyond the line time of our own bytes",
        median(shares) * 100,
        "%",
        3.0,
        note=f"line time {median(line_s):.3f} s; best {min(shares) * 100:.1f} %",
    )
    if commands:
        yield Row(
            f"first read to the last of {COUNT} command handlers, 115200 baud", median(whole), "s"
        )


def _enlarge(memories: object) -> None:
    """A SIM's memory is small; the messages shall all be there at once."""
    assert isinstance(memories, dict)
    for memory in memories.values():
        memory.capacity = COUNT + 20


def _span(moved: list[Moved], on: Stage) -> tuple[float, float, int]:
    """From the listing that finds them to the last deletion's answer, and the bytes between."""
    begin = end = None
    heard = b""
    for place, one in enumerate(moved):
        if one.way == ">" and re.search(rb"AT\+CMGL", one.data):
            begin = place
        if one.way == "<" and begin is not None:
            heard = (heard + one.data)[-400:]
            if b"+CMGL:" in one.data or b"+CMGL:" in heard:
                break
    assert begin is not None, on.agent.log
    deletions = [i for i, one in enumerate(moved) if one.way == ">" and b"+CMGD" in one.data]
    rest = [one for one in moved[deletions[-1] :] if one.way == "<"]
    answer = b""
    for one in rest:
        answer += one.data
        if b"OK\r\n" in answer:
            end = one.at
            break
    assert end is not None
    between = [one for one in moved[begin:] if one.at <= end]
    return moved[begin].at, end, octets(between)
