"""The command that a text was perhaps meant as."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

__all__ = ["closest"]

MAX_WORDS: Final = 3  # more is a text of its own
MAX_LENGTH: Final = 40


def closest(text: str, names: Iterable[str]) -> str | None:
    """Return the name that a text is nearly: other punctuation, another word, a slip of the finger.

    names: of commands, lower-case. A slip is allowed for each three characters of a name.
    """
    words = ["".join(c for c in word.lower() if c.isalnum()) for word in text[:MAX_LENGTH].split()]
    words = [word for word in words if word]
    if len(text) > MAX_LENGTH or not 1 <= len(words) <= MAX_WORDS:
        return None
    best: tuple[int, str] | None = None
    for name in names:
        plain = "".join(c for c in name if c.isalnum())
        if plain in words:
            return name
        slips = _slips("".join(words), plain)
        if slips <= (len(plain) // 3 if len(plain) > 3 else 0) and (
            best is None or slips < best[0]
        ):
            best = (slips, name)
    return None if best is None else best[1]


def _slips(one: str, other: str) -> int:
    """Count the characters added, left out, replaced, or swapped with the next."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        above, row, older = row, [i], before
        for j, b in enumerate(other, 1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and b == one[i - 2]:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        before = above
    return row[-1]
