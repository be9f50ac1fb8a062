"""Runs a blocking call in a daemon thread, with a deadline."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from typing import TypeVar

from at.errors import AtError

T = TypeVar("T")


async def off_loop(work: Callable[[], T], timeout_s: float, *, late: Callable[[T], None]) -> T:
    """Return what `work` returns, or raise the AtError, OSError or ValueError it raises.

    late: takes the result if nobody waits for it any more, in whichever thread that is seen.
    Raises TimeoutError. Not the loop's executor: a thread that is stuck in the kernel would hold
    up the program's end.
    """
    done: Future[T] = Future()

    def run() -> None:
        try:
            result = work()
        except (AtError, OSError, ValueError) as error:
            with contextlib.suppress(InvalidStateError):
                done.set_exception(error)
            return
        try:
            done.set_result(result)
        except InvalidStateError:
            late(result)

    threading.Thread(target=run, name="off-loop", daemon=True).start()
    try:
        async with asyncio.timeout(timeout_s):
            return await asyncio.wrap_future(done)
    except (TimeoutError, asyncio.CancelledError):
        if done.done() and not done.cancelled() and done.exception() is None:
            late(done.result())
        raise
