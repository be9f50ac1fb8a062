"""The agent with stop-watches in it: `python -m tests.benchmarks.watched run --config FILE`.

Notes are kept in memory and written as JSON to the file that WATCH names, at the orderly end:
they cost a few microseconds each and no system call. All times are of the monotonic clock.
STUCK=SECONDS: opening, draining and closing the serial port block for so long, as a driver does
whose device is stuck.
"""

from __future__ import annotations

import functools
import json
import os
import selectors
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

BEGUN = time.monotonic()
STRETCH_S = 0.0002  # shorter stretches of work on the loop are not noted

commits: list[tuple[float, float]] = []
journalled: list[tuple[float, str]] = []
handled: list[tuple[float, str]] = []
stretches: list[tuple[float, float]] = []
cpu: list[float] = []
ready: list[tuple[float, float]] = []


class WatchedSelector(selectors.DefaultSelector):
    """Notes how long the loop worked between two waits; nothing else can run in that time."""

    _since = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        now = time.monotonic()
        if self._since and now - self._since > STRETCH_S:
            stretches.append((self._since, now - self._since))
        try:
            return super().select(timeout)
        finally:
            self._since = time.monotonic()


def _before(owner: Any, name: str, note: Callable[..., None]) -> None:
    original = getattr(owner, name)

    @functools.wraps(original)
    def noted(self: Any, *arguments: Any, **more: Any) -> Any:
        note(*arguments)
        return original(self, *arguments, **more)

    setattr(owner, name, noted)


def _around(owner: Any, name: str, notes: list[tuple[float, float]]) -> None:
    original = getattr(owner, name)

    @functools.wraps(original)
    def noted(*arguments: Any) -> Any:
        begun = time.monotonic()
        try:
            return original(*arguments)
        finally:
            notes.append((begun, time.monotonic()))

    setattr(owner, name, noted)


def _slowed(owner: Any, name: str, seconds: float) -> None:
    original = getattr(owner, name)

    @functools.wraps(original)
    def slow(*arguments: Any, **more: Any) -> Any:
        time.sleep(seconds)
        return original(*arguments, **more)

    setattr(owner, name, slow)


def _note_handler(row: Any) -> None:
    handled.append((time.monotonic(), row.id))
    if not cpu:
        cpu.append(time.process_time())


def _put_stop_watches() -> None:
    from agent.commands.executor import Executor  # noqa: PLC0415
    from agent.inbound.intake import Intake  # noqa: PLC0415
    from agent.journal.journal import Journal  # noqa: PLC0415
    from agent.system import sd_notify  # noqa: PLC0415 - after the clock of the start has begun

    selectors.DefaultSelector = WatchedSelector  # type: ignore[misc]  # asyncio asks for it by name
    _around(Journal, "_sync", commits)
    _before(
        Intake,
        "announce",
        lambda recorded: journalled.append((time.monotonic(), recorded.judgement.heard.text)),
    )
    _before(Executor, "_perform", _note_handler)
    _around(sd_notify, "ready", ready)


def _stick(seconds: float) -> None:
    import serial  # noqa: PLC0415

    for name in ("open", "close"):
        _slowed(serial.Serial, name, seconds)
    for name in ("tcdrain", "tcflush"):
        _slowed(termios, name, seconds)


def main() -> int:
    """Run the command line, then leave the notes."""
    from agent.__main__ import main as run  # noqa: PLC0415

    _put_stop_watches()
    if "STUCK" in os.environ:
        _stick(float(os.environ["STUCK"]))
    status = run()
    notes = {
        "begun": BEGUN,
        "ready": [end for _, end in ready],
        "commits": commits,
        "journalled": journalled,
        "handled": handled,
        "cpu_s": cpu[0] if cpu else 0.0,
        "stretches": stretches,
    }
    Path(os.environ["WATCH"]).write_text(json.dumps(notes), encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main())
