"""Counters for signing: each is given once, to one process, and rises."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from agent.payload.signatures import MAX_COUNTER_DIGITS
from agent.system.atomic_file import replace_file

__all__ = ["CounterError", "next_counter"]

MAX_COUNTER: Final = 10**MAX_COUNTER_DIGITS - 1


class CounterError(Exception):
    """No counter can be given: the file that remembers the last one says or allows nothing."""


def next_counter(path: Path, key_id: str, *, now: float | None = None) -> int:
    """Give a counter that was never given before for this key id, and remember it on disk first.

    It is the Unix time in seconds (`now`, None: this moment), or one more than the last where that
    is not above it: two in one second differ, and a clock that is set back does not bring one back.

    path: the file, JSON {key id: last counter}; its folder is made where it is missing, and a lock
    file beside it keeps processes apart. Raises CounterError.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(path.with_name(path.name + ".lock")):
            given = _read(path)
            counter = max(int(time.time() if now is None else now), given.get(key_id, 0) + 1)
            if counter > MAX_COUNTER:
                raise CounterError(f"{path}: key {key_id} has no counter left")
            replace_file(path, json.dumps({**given, key_id: counter}))
    except OSError as error:
        raise CounterError(f"{error.filename or path}: {error.strerror}") from error
    return counter


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _read(path: Path) -> dict[str, int]:
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise CounterError(f"{path}: damaged ({error})") from error
    if not isinstance(content, dict) or not all(type(last) is int for last in content.values()):
        raise CounterError(f"{path}: damaged (not an object of numbers)")
    return content
