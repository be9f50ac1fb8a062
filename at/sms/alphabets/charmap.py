"""A seven bit alphabet: one main table, one extension table behind the escape."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from at.errors import EncodeError

if TYPE_CHECKING:
    from collections.abc import Callable

ESCAPE = 0x1B
UNDEFINED = "\ufffe"
"""What the charmap codec takes for "no character here"."""

_ELSE = 0x9F  # a control character that no alphabet has
_STAND_IN = "\x80"  # for the euro, as in code page 1252
_PAIR = re.compile(rb"\x1b([\x00-\x7f]?)")
# An escape pair becomes one byte with the top bit set, so that 256-entry tables do both at once.
_JOIN = {bytes((code,)): bytes((code | 0x80,)) for code in range(128)} | {b"": b"\x1b"}


_MARKED = [bytes((code | 0x80,)) for code in range(128)]


def _joined(match: re.Match[bytes]) -> bytes:
    return _JOIN[match[1]]


def _latin(character: str) -> int:
    if character == "€":
        return ord(_STAND_IN)
    return ord(character) if character < "\x80" or "\xa0" <= character <= "\xff" else _ELSE


class SevenBit:
    """One alphabet of TS 23.038, ready to encode and decode one-per-byte septets.

    main: 128 characters by septet, "\ufffe" where the table has none; extension: the characters
    that follow an escape.
    """

    def __init__(self, name: str, main: str, extension: Mapping[int, str]) -> None:
        self.name = name
        plain = main[:ESCAPE] + " " + main[ESCAPE + 1 :]  # §6.2.1 note 1: a lone escape is a space
        shifted = list(plain.replace(UNDEFINED, " "))  # §6.2.1.1: not in the table: the main one's
        for code, character in extension.items():
            shifted[code] = character
        self._decoding = plain.replace(UNDEFINED, " ") + "".join(shifted)
        # Most texts are of Latin-1 characters only, and then this is twice as fast.
        self._latin = bytes(
            _ELSE if code == ESCAPE else _latin(character)
            for code, character in enumerate(self._decoding)
        )
        self._pairs = [(bytes((code | 0x80,)), bytes((ESCAPE, code))) for code in extension]
        coding = [UNDEFINED] * 256
        for code, character in extension.items():
            if character not in main:  # the shorter way wins
                coding[code | 0x80] = character
        coding[:128] = main
        coding[ESCAPE] = UNDEFINED
        # codecs.charmap_build is fast only when byte 0 is NUL, so the character of septet 0 moves
        # to 0x9B (escape escape, which no table may use) on the way in.
        coding[0], coding[ESCAPE | 0x80] = "\0", coding[0]
        self._encoding: Any = codecs.charmap_build("".join(coding))
        home = bytearray(range(256))
        home[ESCAPE | 0x80] = 0
        self._home = bytes(home)
        self._map: Callable[[str, str, Any], tuple[bytes, int]] = codecs.charmap_encode

    def _marked(self, text: str) -> bytes | None:
        """One byte a character, the top bit set on those of the extension table; None: cannot."""
        try:
            marked, _ = self._map(text, "strict", self._encoding)
        except UnicodeEncodeError:
            return None
        return None if 0 in marked else marked.translate(self._home)

    def attempt(self, text: str) -> bytes | None:
        """Septets like encode, or None where a character is not in the alphabet."""
        marked = self._marked(text)
        if marked is None or marked.isascii():
            return marked
        for mark, pair in self._pairs:
            if mark in marked:
                marked = marked.replace(mark, pair)
        return marked

    def encode(self, text: str) -> bytes:
        """Septets, one per byte, escapes included; EncodeError("ud") names what does not fit."""
        septets = self.attempt(text)
        if septets is None:
            place = next(i for i, character in enumerate(text) if not self.can(character))
            raise EncodeError(
                "ud", f"U+{ord(text[place]):04X} at {place} is not in the {self.name}"
            )
        return septets

    def decode(self, septets: bytes) -> str:
        """The text of one-per-byte septets (0-0x7F); never fails.

        An unknown escape pair reads as the main table's character, a lone escape or two in a row
        as one space (§6.2.1.1).
        """
        if ESCAPE in septets:
            first, *rest = septets.split(b"\x1b")
            if b"" in rest:  # an escape at the end, or two in a row
                septets = _PAIR.sub(_joined, septets)
            else:
                septets = first + b"".join([_MARKED[part[0]] + part[1:] for part in rest])
        plain = septets.translate(self._latin)
        if _ELSE not in plain:
            return plain.decode("latin-1").replace(_STAND_IN, "€")
        return codecs.charmap_decode(septets, "strict", self._decoding)[0]

    def septets(self, text: str) -> int:
        """How many septets the text takes, an escape pair counting two. Raises EncodeError."""
        return len(self.encode(text))

    def can(self, text: str) -> bool:
        """Whether every character is in the main or the extension table."""
        return self._marked(text) is not None

    def is_basic(self, text: str) -> bool:
        """Whether every character is in the main table, so that each takes one septet."""
        marked = self._marked(text)
        return marked is not None and marked.isascii()
