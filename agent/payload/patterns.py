"""Regular expressions of the configuration, matched in time linear in the text.

`re` backtracks: a value of some thirty characters can keep it busy for years, in the thread of the
journal. Here a pattern becomes the automaton of its characters (Glushkov), and a text is read once
with the set of all places where the pattern may be, as bits of one number.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from re import _compiler, _parser  # type: ignore[attr-defined]  # the grammar is re's own
from typing import Any, Final

__all__ = ["Pattern", "PatternError", "compile_pattern"]

MAX_POSITIONS: Final = (
    2048  # characters of a pattern, repetitions written out: bounds time and room
)
MAX_REPEAT: Final = 1024  # repeated more often counts as without end: no value is longer
_CHARACTERS_KEPT: Final = 1024

_FIRST: Final = {"AT_BEGINNING", "AT_BEGINNING_STRING"}
_LAST: Final = {"AT_END", "AT_END_STRING"}
_REFUSED: Final = {
    "ASSERT": "look-around",
    "ASSERT_NOT": "look-around",
    "GROUPREF": "a reference to a group",
    "GROUPREF_EXISTS": "a condition on a group",
    "ATOMIC_GROUP": "an atomic group",
    "POSSESSIVE_REPEAT": "a possessive quantifier",
}
_TYPE_FLAGS: Final = re.ASCII | re.UNICODE | re.LOCALE


class PatternError(ValueError):
    """A pattern that is no regular expression, or none that is matched here."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a pattern: whether it matches nothing, where it may begin and where end (bits)."""

    empty: bool
    first: int = 0
    last: int = 0


_NOTHING: Final = _Piece(empty=True)


class Pattern:
    """A compiled pattern; as re.fullmatch would have it."""

    def __init__(self, whole: _Piece, follow: Sequence[int], classes: Iterable[_Class]) -> None:
        self._whole = whole
        self._classes = tuple(classes)
        self._masks: dict[str, int] = {}  # places that take this character
        # Most places lead on to the next one: one shift. The others stand by what they lead to.
        self._on = 0
        jumps: dict[int, int] = {}
        for place, following in enumerate(follow):
            here, onward = 1 << place, 2 << place
            self._on |= here if following & onward else 0
            if rest := following & ~onward:
                jumps[rest] = jumps.get(rest, 0) | here
        self._jumps = tuple((places, rest) for rest, places in jumps.items())

    def matches(self, text: str) -> bool:
        """Whether the pattern matches all of the text; steps: its characters times the jumps."""
        reach, last = self._whole.first, 0
        for character in text:
            at = reach & self._mask(character)
            if not at:
                return False
            reach = (at & self._on) << 1
            for places, rest in self._jumps:
                if at & places:
                    reach |= rest
            last = at
        return bool(last & self._whole.last) if text else self._whole.empty

    def _mask(self, character: str) -> int:
        mask = self._masks.get(character)
        if mask is None:
            if len(self._masks) >= _CHARACTERS_KEPT:
                self._masks.clear()
            mask = sum(one.places for one in self._classes if one.takes(character))
            self._masks[character] = mask
        return mask


@dataclass(slots=True)
class _Class:
    """Places of a pattern that take the same characters."""

    takes: Callable[[str], object]
    places: int = 0


class _Builder:
    def __init__(self) -> None:
        self.follow: list[int] = []
        self.classes: dict[str, _Class] = {}

    def sequence(self, items: Sequence[Any], flags: int, *, start: bool, end: bool) -> _Piece:
        """start, end: nothing of the text can be before, or behind."""
        pieces: list[_Piece] = []
        for number, (op, argument) in enumerate(items):
            first = start and all(piece == _NOTHING for piece in pieces)
            last = end and all(str(op) == "AT" for op, _ in items[number + 1 :])
            pieces.append(self._item(str(op), argument, flags, start=first, end=last))
        return functools.reduce(self._join, pieces, _NOTHING)

    def _item(self, op: str, argument: Any, flags: int, *, start: bool, end: bool) -> _Piece:
        if op in ("LITERAL", "NOT_LITERAL", "ANY", "IN"):
            return self._character(op, argument, flags)
        if op == "SUBPATTERN":
            _, add, remove, items = argument
            if add & _TYPE_FLAGS:
                flags &= ~_TYPE_FLAGS
            return self.sequence(items, (flags | add) & ~remove, start=start, end=end)
        if op == "BRANCH":
            branches = [self.sequence(one, flags, start=start, end=end) for one in argument[1]]
            return functools.reduce(_either, branches)
        if op in ("MAX_REPEAT", "MIN_REPEAT"):
            low, high, items = argument
            once = high == 1
            return self._repeat(
                int(low),
                int(high),
                lambda: self.sequence(items, flags, start=start and once, end=end and once),
            )
        if op == "AT" and ((start and str(argument) in _FIRST) or (end and str(argument) in _LAST)):
            return _NOTHING
        what = _REFUSED.get(op, "an anchor or boundary inside" if op == "AT" else op.lower())
        raise PatternError(f"{what} is not matched here")

    def _character(self, op: str, argument: Any, flags: int) -> _Piece:
        place = 1 << len(self.follow)
        if len(self.follow) >= MAX_POSITIONS:
            raise PatternError(f"more than {MAX_POSITIONS} characters, repetitions written out")
        self.follow.append(0)
        key = f"{op} {argument} {flags}"
        if key not in self.classes:
            self.classes[key] = _Class(_tester(op, argument, flags))
        self.classes[key].places |= place
        return _Piece(empty=False, first=place, last=place)

    def _repeat(self, low: int, high: int, make: Callable[[], _Piece]) -> _Piece:
        """x{2,4} as xx(x(x)?)?, so that a place leads on to one other and not to all behind it."""
        before = len(self.follow)
        piece = make()
        if len(self.follow) == before or high == 0:
            return _NOTHING  # nothing to repeat
        pieces = [piece]
        if high > MAX_REPEAT:
            pieces += [make() for _ in range(low - 1)]
            self._lead(pieces[-1].last, pieces[-1].first)
            if low == 0:
                pieces = [_Piece(empty=True, first=piece.first, last=piece.last)]
            return functools.reduce(self._join, pieces)
        pieces += [make() for _ in range(high - 1)]
        optional = _NOTHING
        for one in reversed(pieces[low:]):
            joined = self._join(one, optional)
            optional = _Piece(empty=True, first=joined.first, last=joined.last)
        return functools.reduce(self._join, [*pieces[:low], optional])

    def _join(self, one: _Piece, other: _Piece) -> _Piece:
        self._lead(one.last, other.first)
        return _Piece(
            empty=one.empty and other.empty,
            first=one.first | (other.first if one.empty else 0),
            last=other.last | (one.last if other.empty else 0),
        )

    def _lead(self, places: int, on: int) -> None:
        while places:
            lowest = places & -places
            self.follow[lowest.bit_length() - 1] |= on
            places ^= lowest


def _either(one: _Piece, other: _Piece) -> _Piece:
    return _Piece(one.empty or other.empty, one.first | other.first, one.last | other.last)


def _tester(op: str, argument: Any, flags: int) -> Callable[[str], object]:
    """What `re` itself says of one character."""
    state = _parser.State()
    state.flags = flags
    item = _parser.SubPattern(state, [(getattr(_parser, op), argument)])
    return _compiler.compile(item, flags).fullmatch  # type: ignore[no-any-return]


@functools.lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> Pattern:
    """Compile a pattern. Raises PatternError, for what takes more than one look at a character too.

    Anchors have a meaning only at the ends, where they say what is so anyway. Quantifiers may be
    greedy or lazy: all of the text must match.
    """
    builder = _Builder()
    try:
        parsed = _parser.parse(pattern)
        whole = builder.sequence(parsed, parsed.state.flags, start=True, end=True)
    except (re.error, OverflowError, RecursionError) as error:
        raise PatternError(str(error)) from error
    return Pattern(whole, builder.follow, builder.classes.values())
