"""A hundred messages that wait in the modem: read, journalled, deleted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise

from tests.benchmarks.stage import PLATFORM, STRANGER, Bench, median, stage, until
from tests.benchmarks.table import Row
from tests.benchmarks.wire import Moved, line_time_s, octets, times, wire

BAUD = 115200
COUNT = 100
SIXTY = "Sixty characters are what such a message has, more or less.."


def rows(bench: Bench) -> Iterator[Row]:
    """Bytes for one, time for all; free text, then commands that run meanwhile."""
    yield from _drain(bench, commands=False)
    yield from _drain(bench, commands=True)


def _drain(bench: Bench, *, commands: bool) -> Iterator[Row]:
    what = "commands, each run" if commands else "messages"
    spans, line_s, per, syncing, whole, modems = [], [], [], [], [], []
    runs = bench.pick(5, 2)
    with stage(bench, f"drain-{commands}", start=False, baud=BAUD) as on:
        on.modem.call(lambda shell: _enlarge(shell.store.memories))
        for number in range(runs):
            for place in range(COUNT):
                text = f"ping id=r{number}m{place};".ljust(60, ".") if commands else SIXTY
                on.modem.deliver_text(PLATFORM if commands else STRANGER, text, announce=False)
            began = time.monotonic()
            on.agent.start(wait_ready=False)
            until(lambda: not on.modem.messages("SM"), 60.0, "an empty modem")
            on.quiet(1.0 if commands else 0.3)
            moved = wire(on.modem, began)
            begin, end, own = _span(moved)
            notes = on.notes()
            spans.append(end - begin)
            line_s.append(line_time_s(own, BAUD))
            per.append(own / COUNT)
            modems.append(_turnaround_s(moved, begin, end) / line_s[-1])
            syncing.append(notes.syncing_s(begin, end))
            if commands:
                whole.append(max(at for at, _ in notes.handled) - begin)
    shares = [span / line - 1 for span, line in zip(spans, line_s, strict=True)]
    if not commands:
        yield Row("bytes on the line per stored message (60 characters)", median(per), "bytes", 185)
    note = (
        f"best of {runs} (median {median(spans):.3f}), from the first octet of the listing to the"
        f" last deletion's answer; {median(syncing) * 1e3:.0f} ms in COMMIT"
    )
    yield Row(f"drain of {COUNT} stored {what}, 115200 baud", min(spans), "s", 1.75, note=note)
    yield Row(
        f"drain of {COUNT} stored {what}, beyond the line time of our own bytes",
        min(shares) * 100,
        "%",
        None if commands else 3.0,
        note=f"best of {runs} (median {median(shares) * 100:.1f}); line time"
        f" {median(line_s):.3f} s; in it are {median(modems) * 100:.1f} % taken by the modem",
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


def _span(moved: list[Moved]) -> tuple[float, float, int]:
    """From the listing that finds them to the last deletion's answer, and the bytes between."""
    found = times(moved, "<", rb"\+CMGL:")[0]
    begin = max(at for at in times(moved, ">", rb"AT\+CMGL=") if at < found)
    deletion = times(moved, ">", rb"\+CMGD=\d+\r")[-1]
    end = next(at for at in times(moved, "<", rb"OK\r\n") if at > deletion)
    return begin, end, octets([one for one in moved if begin <= one.at <= end])


def _turnaround_s(moved: list[Moved], begin: float, end: float) -> float:
    """From a command's last octet on the line to the first of its answer, all commands together.

    An octet is told when the line has carried it, so the answer's first step is taken off as well.
    """
    spent = 0.0
    within = [one for one in moved if begin <= one.at <= end]
    for command, answer in pairwise(within):
        if (command.way, answer.way) == (">", "<"):
            carried = line_time_s(len(command.data) + len(answer.data), BAUD)
            spent += max(0.0, answer.at - command.at - carried)
    return spent
