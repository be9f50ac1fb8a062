"""Runs many independent trials at once, each worker with a fork server of its own."""

from __future__ import annotations

import concurrent.futures
import contextlib
import os
import queue
import shutil
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from tests.e2e.forked import ForkServer

T = TypeVar("T")
R = TypeVar("R")
WORKERS = min(8, (os.cpu_count() or 2) + 2)  # a road waits more than it works


@dataclass(frozen=True)
class Trial(Generic[T, R]):
    """One trial that has ended. error: what it failed with, None: its result is `result`."""

    case: T
    result: R | None
    error: BaseException | None


@contextlib.contextmanager
def servers(count: int = WORKERS) -> Iterator[queue.SimpleQueue[ForkServer]]:
    """As many fork servers as workers; take one, give it back."""
    free: queue.SimpleQueue[ForkServer] = queue.SimpleQueue()
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            free.put(stack.enter_context(ForkServer()))
        yield free


def run_all(
    cases: Iterable[T],
    trial: Callable[[ForkServer, Path, T], R],
    folder: Path,
    *,
    workers: int = WORKERS,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Trial[T, R]]:
    """Run every case, some at a time, each in a folder of its own; yields them as they end.

    Folders of failures are kept for whoever looks into them. stop: asked before each case.
    """
    with servers(workers) as free, concurrent.futures.ThreadPoolExecutor(workers) as pool:

        def run(number: int, case: T) -> Trial[T, R] | None:
            if stop():
                return None
            server = free.get()
            place = folder / f"{number:05d}"
            try:
                result = trial(server, place, case)
            except Exception as error:  # noqa: BLE001 - told by the caller, with the case's name
                return Trial(case, None, error)
            finally:
                free.put(server)
            shutil.rmtree(place, ignore_errors=True)
            return Trial(case, result, None)

        futures = [pool.submit(run, number, case) for number, case in enumerate(cases)]
        try:
            for future in concurrent.futures.as_completed(futures):
                done = future.result()
                if done is not None:
                    yield done
        finally:
            for future in futures:
                future.cancel()


def failures(trials: Iterable[Trial[T, R]]) -> str:
    """What went wrong, a line for each trial that failed; "" where none did."""
    return "\n".join(
        f"{trial.case}: {''.join(traceback.format_exception(trial.error))}"
        for trial in trials
        if trial.error is not None
    )
