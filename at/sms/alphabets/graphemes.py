"""Finds the places where a text may be cut without tearing a character as a reader sees it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

_JOINER = "\u200d"
_MARKS = frozenset({"Mn", "Me", "Mc"})


def _extends(character: str) -> bool:
    return (
        unicodedata.category(character) in _MARKS
        or character == _JOINER
        or "\U0001f3fb" <= character <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= character <= "\U000e007f"  # tags of flags
    )


def _regional(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def graphemes(text: str) -> Iterator[str]:
    """The pieces of a text, in order, none of them empty.

    Together stay: a base and its combining marks, variation selectors, what a joiner joins, both
    halves of a flag, carriage return and line feed.
    """
    start = 0
    flags = 0  # regional indicators in a row before this place
    for place in range(1, len(text)):
        before, character = text[place - 1], text[place]
        flags = flags + 1 if _regional(before) else 0
        if (
            _extends(character)
            or before == _JOINER
            or (flags % 2 and _regional(character))
            or (before == "\r" and character == "\n")
        ):
            continue
        yield text[start:place]
        start = place
    if text:
        yield text[start:]
