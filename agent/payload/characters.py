"""Characters that nobody sees, and those that only look like the grammar's own."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

__all__ = [
    "QUOTES",
    "Hidden",
    "code_point",
    "first_hidden",
    "named",
    "no_quote",
    "space_out",
    "typographic",
    "visible",
]

NAME_LIMIT: Final = 32  # characters of a foreign key or word that are told back

# Part of how some scripts and emoji are written: soft hyphen, joiners, direction marks and
# isolates, fillers, variation selectors, tags (Unicode, Default_Ignorable_Code_Point).
_JOINING: Final = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\uffa0\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
# Never part of a text: controls that are no white space, the byte order mark, the mark for an
# object, the blank pattern of braille, what is no character.
_FOREIGN: Final = "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u2800\ufeff\ufff0-\ufffc\ufffe\uffff"
_HIDDEN: Final = re.compile(f"[{_JOINING}{_FOREIGN}]+")
_BLANK: Final = re.compile(rf"[\s{_JOINING}{_FOREIGN}]")
_JOINERS: Final = re.compile(f"[{_JOINING}]+")

_SINGLE: Final = "\u2018\u2019\u201a\u201b\u2039\u203a\u2032\u2035\u00b4\uff07\u275b\u275c"
_DOUBLE: Final = (
    "\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033\u2036\uff02\u301d\u301e\u301f\u275d\u275e"
)
QUOTES: Final = _SINGLE + _DOUBLE


def visible(text: str) -> str:
    """Drop what is invisible at the ends of words, keys and values: it counts as white space.

    What belongs to a visible character outside ASCII (an emoji's selector, a direction mark in
    Hebrew) is kept.
    """
    return _HIDDEN.sub(lambda run: "" if _is_at_end(run) and not _belongs(run) else run[0], text)


@dataclass(frozen=True, slots=True)
class Hidden:
    """An invisible character that belongs to nothing.

    at: where in the text; word: the one it stands in. rest: the text without any such.
    """

    character: str
    at: int
    word: str
    rest: str

    @property
    def what(self) -> str:
        """Say what it is."""
        return f"invisible {code_point(self.character)}"


def first_hidden(text: str) -> Hidden | None:
    """Find the first invisible character that belongs to nothing."""
    found = next((run for run in _HIDDEN.finditer(text) if not _belongs(run)), None)
    if found is None:
        return None
    at = found.start()
    word = (text[:at].split() or [""])[-1] + text[at:].split(maxsplit=1)[0]
    rest = _HIDDEN.sub(lambda run: run[0] if _belongs(run) else "", text)
    return Hidden(found[0][0], at, word, rest)


def typographic(value: str) -> str | None:
    """Find a quotation mark that was meant as `"`: a double one anywhere, a single one in front."""
    if value[:1] and value[0] in _SINGLE:
        return value[0]
    return next((character for character in value if character in _DOUBLE), None)


def no_quote(character: str) -> str:
    """Say that a typographic quotation mark is none here, and what to write instead."""
    return f'{code_point(character)} is no quote, write "'


def space_out(text: str) -> str:
    """Put a space for each white space or invisible character: between the tokens of JSON."""
    return _BLANK.sub(" ", text)


def code_point(character: str) -> str:
    """Name a character that cannot be shown, or not be told from another: U+201C."""
    return f"U+{ord(character):04X}"


def named(word: str) -> str:
    """Spell a key or word from outside so that it can stand in a refusal's detail."""
    told = ""
    for character in word:
        hidden = not character.isprintable() or _HIDDEN.fullmatch(character)
        told += f"<{code_point(character)}>" if hidden else character
        if len(told) > NAME_LIMIT:
            return told[: NAME_LIMIT - 1] + "+"
    return told or '""'


def _around(run: re.Match[str]) -> tuple[str, str]:
    start, end = run.span()
    return run.string[start - 1 : start] if start else "", run.string[end : end + 1]


def _is_at_end(run: re.Match[str]) -> bool:
    return any(not side or side.isspace() or side in '=";' for side in _around(run))


def _belongs(run: re.Match[str]) -> bool:
    if not _JOINERS.fullmatch(run[0]):
        return False
    return any(
        side and not side.isascii() and unicodedata.category(side)[0] in "LMNS"
        for side in _around(run)
    )
