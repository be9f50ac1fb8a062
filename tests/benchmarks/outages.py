"""A port that goes away, a modem that falls silent, an announcement that is lost."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from tests.benchmarks.stage import PLATFORM, Bench, Notes, median, stage, until
from tests.benchmarks.table import Row
from tests.benchmarks.wire import announced, wire

PATIENCE_S = 90.0


def rows(bench: Bench) -> Iterator[Row]:
    """Each fault as the peers met it."""
    yield _gone(bench)
    yield _mute(bench)
    yield _lost(bench)


def _handled(notes: Notes, id_: str) -> float:
    """When a command began to run; never in the time allowed counts as PATIENCE_S from now."""
    return next((at for at, found in notes.handled if found == id_), time.monotonic())


def _gone(bench: Bench) -> Row:
    gone_s, runs = bench.pick(5, 2), bench.pick(5, 2)
    back = {}
    with stage(bench, "gone") as on:
        for number in range(runs):
            on.modem.vanish(power_lost=False)
            # Not in step with how often the agent looks for a device that is not there.
            time.sleep(gone_s + 0.17 * number)
            id_ = f"gone{number}"
            on.modem.call(lambda shell: shell.appear(power_lost=False))
            back[id_] = time.monotonic()
            on.modem.deliver_text(PLATFORM, f"ping id={id_}")
            since = back[id_]
            until(
                lambda since=since: any(b"AT+CMGD" in m.data for m in wire(on.modem, since)),  # type: ignore[misc]  # mypy cannot infer a lambda with a default
                PATIENCE_S,
                "a deletion",
            )
            on.quiet()
        notes = on.notes()
    times = [_handled(notes, id_) - at for id_, at in back.items()]
    return Row(
        f"port gone for {gone_s} s: message handled after it is back",
        median(times),
        "s",
        1.5,
        note=f"median of {runs}, longest {max(times):.2f}; found again, brought up in full, swept",
    )


def _mute(bench: Bench) -> Row:
    """It falls silent just before it would have answered about one message; another one comes."""
    mute_s, runs = bench.pick(30, 8), bench.pick(2, 1)
    back = {}
    with stage(bench, "mute") as on:
        for number in range(runs):
            id_ = f"mute{number}"

            def fall_silent(shell: object, id_: str = id_) -> None:
                announce, faults = shell.deliver_text, shell.faults  # type: ignore[attr-defined]  # a WireModem
                announce(PLATFORM, f"ping id={id_}before")
                faults.mute = True

            on.modem.call(fall_silent)
            time.sleep(mute_s / 2)
            on.modem.deliver_text(PLATFORM, f"ping id={id_}")
            time.sleep(mute_s / 2)
            on.modem.faults.mute = False
            back[id_] = time.monotonic()
            with contextlib.suppress(TimeoutError):
                until(lambda: not on.modem.messages("SM"), PATIENCE_S, "an empty modem")
            on.quiet()
        log = on.agent.log
        notes = on.notes()
    times = [_handled(notes, id_) - at for id_, at in back.items()]
    rungs = ", ".join(
        line.partition("rung=")[2].split()[0] for line in log.splitlines() if "rung=" in line
    )
    return Row(
        f"modem mute for {mute_s} s: message stored meanwhile handled after it speaks again",
        median(times),
        "s",
        2.0,
        note=f"median of {runs}, longest {max(times):.2f}; rungs of the ladder: {rungs}",
    )


def _lost(bench: Bench) -> Row:
    poll_s = bench.pick(10, 4)
    settings = {"modem": {"poll_s": poll_s}}
    with stage(bench, "lost", settings=settings) as on:
        on.modem.faults.lose_announcements = 1
        begun = announced(on.modem, PLATFORM, "ping id=lost")
        until(lambda: not on.modem.messages("SM"), PATIENCE_S, "an empty modem")
        on.quiet()
        notes = on.notes()
    return Row(
        f"+CMTI lost: found by the slow timer of {poll_s} s",
        _handled(notes, "lost") - begun,
        "s",
        poll_s + 0.5,
    )
