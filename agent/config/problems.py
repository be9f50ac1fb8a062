"""Collects what is wrong with a configuration, each with its key's path."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Collection, Iterable

from agent.config.model import Problem

QUOTED_MAX = 60  # characters of a value that a message repeats


class Complaints:
    """Errors and warnings so far; a key complained of once is not complained of again.

    Neither is anything below a key that was left out for its wrong shape (cover).
    """

    def __init__(self) -> None:
        self.errors: list[Problem] = []
        self.warnings: list[Problem] = []
        self._paths: set[str] = set()
        self._covered: list[str] = []

    def cover(self, path: str) -> None:
        """Be silent from now on about this key and all below it: it is not what was written."""
        self._covered.append(path)

    def error(self, path: str, expected: str, got: str) -> None:
        """Note that the configuration cannot be used because of this key."""
        if not self._known(path):
            self._paths.add(path)
            self.errors.append(Problem(path, expected, got))

    def warn(self, path: str, expected: str, got: str) -> None:
        """Note something odd but usable."""
        if not self._known(path):
            self.warnings.append(Problem(path, expected, got))

    def one_of(self, path: str, value: str, choices: Collection[str]) -> bool:
        """Tell whether the value is one of the choices; complain, with a guess, where not."""
        if value in choices:
            return True
        self.error(path, f"one of {listed(choices)}{guess(value, choices)}", shown(value))
        return False

    def within(self, path: str, value: float, low: float, high: float) -> bool:
        """Tell whether low <= value <= high; complain where not (nan is never within)."""
        if low <= value <= high:
            return True
        self.error(path, f"a number from {low} to {high}", shown(value))
        return False

    def in_order(self, tables: Iterable[str]) -> tuple[Problem, ...]:
        """Give the errors, those of one top-level table together, in the order of the tables."""
        place = {name: n for n, name in enumerate(tables)}
        top = re.compile(r"[^.\[]*")

        def rank(problem: Problem) -> int:
            match = top.match(problem.path)
            return place.get(match[0] if match else "", len(place))

        return tuple(sorted(self.errors, key=rank))

    def _known(self, path: str) -> bool:
        if path in self._paths:
            return True
        return any(path == key or path.startswith((key + ".", key + "[")) for key in self._covered)


def join(path: str, key: str | int) -> str:
    """Append a key or an index to a path; keys that are not bare are quoted as in TOML."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    bare = key and all(c.isascii() and (c.isalnum() or c in "_-") for c in key)
    name = key if bare else json.dumps(key, ensure_ascii=False)
    return f"{path}.{name}" if path else name


def shown(value: object) -> str:
    """Describe a value as the file's author wrote it, cut to a readable length."""
    if isinstance(value, str):
        text = json.dumps(value, ensure_ascii=False)
        return text if len(text) <= QUOTED_MAX else text[: QUOTED_MAX - 2] + '…"'
    if isinstance(value, bool):
        return "true" if value else "false"
    for types, words in _WORDS:
        if isinstance(value, types):
            return words.format(value)
    return type(value).__name__


_WORDS: tuple[tuple[tuple[type, ...], str], ...] = (
    ((type(None),), "nothing"),
    ((int, float), "{}"),
    ((dict,), "a table"),
    ((list, tuple), "an array"),
    ((dt.date, dt.time), "the date or time {}"),
)


def listed(names: Iterable[str]) -> str:
    """Join names for a sentence."""
    return ", ".join(json.dumps(name, ensure_ascii=False) for name in names)


def guess(wrong: str, names: Iterable[str]) -> str:
    """Name the likely spelling in brackets, or nothing where none is near."""
    import difflib  # noqa: PLC0415 - only a wrong key needs it

    near = difflib.get_close_matches(wrong.lower().replace("-", "_"), names, n=1, cutoff=0.6)
    near = near or difflib.get_close_matches(wrong, names, n=1, cutoff=0.6)
    return f' (did you mean "{near[0]}"?)' if near else ""
