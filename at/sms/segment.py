"""Puts a text or data into the user data of as few messages as it takes (TS 23.040 §9.2.3.24.1)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from at.errors import EncodeError
from at.sms.alphabets import gsm7
from at.sms.alphabets.charmap import SevenBit
from at.sms.alphabets.graphemes import graphemes
from at.sms.alphabets.languages import NAMES
from at.sms.alphabets.languages import alphabet as seven_bit
from at.sms.alphabets.transliterate import transliterate as nearest
from at.sms.dcs import Alphabet
from at.sms.udh import LOCKING_SHIFT, SINGLE_SHIFT, Concat, Element, encode_header
from at.sms.userdata import MAX_OCTETS, UserData

MAX_SEGMENTS = 255
"""As many as a total of one octet can say."""

_TEXT = frozenset({"auto", "gsm7", "ucs2"})
_DATA = frozenset({"auto", "8bit"})
_WHOLE = 160  # septets of a message without header
_SEPTETS = re.compile(rb"\x1b?.", re.DOTALL)  # an encoder never leaves an escape at the end


def segment(
    content: str | bytes,
    *,
    alphabet: str = "auto",
    reference: int = 0,
    wide: bool = False,
    languages: Literal["none", "auto"] = "none",
    max_segments: int | None = None,
    transliterate: bool = False,
    udh: Sequence[Element] = (),
) -> tuple[UserData, ...]:
    """The parts of a text (or of 8 bit data), in order; one part without concatenation if it fits.

    alphabet: "auto" (the cheapest that has every character), "gsm7", "ucs2", or "8bit" for bytes.
    reference: of the concatenation, 0-255, or 0-65535 when wide. languages: "auto" also considers
    the tables of each national language where that is cheaper; few old handsets read them.
    transliterate: say everything in the default alphabet, exact or not. udh: elements for every
    part. No part ends inside an escape pair, a surrogate pair or a base with its combining marks.
    Raises EncodeError("ud") for a character outside the alphabet or too many segments.
    """
    elements = tuple(udh)
    if isinstance(content, str) and alphabet == "auto" and languages == "none" and not elements:
        short = _short(content)  # most messages
        if short is not None and not (transliterate and short.alphabet is Alphabet.UCS2):
            return (short,)
    if isinstance(content, bytes):
        if alphabet not in _DATA:
            raise EncodeError("ud", f"bytes cannot be {alphabet}")
        ways: list[_Way] = [(Alphabet.OCTETS, content, _singly, ())]
    elif alphabet not in _TEXT:
        raise EncodeError("ud", f"text cannot be {alphabet}")
    else:
        if transliterate and alphabet != Alphabet.UCS2:
            content = nearest(content)
        ways = _ways(content, alphabet, languages)
    if len(ways) == 1:
        kind, whole, _, own = ways[0]
        if len(whole) <= _room(kind, (*own, *elements)):
            return (UserData(kind, whole, (*own, *elements)),)
    sample = Concat(reference, 1, 1, wide).element
    drafts = [
        _Draft(kind, _cut(kind, whole, pieces, sample, (*own, *elements)), (*own, *elements))
        for kind, whole, pieces, own in ways
    ]
    draft = min(drafts, key=_price) if len(drafts) > 1 else drafts[0]
    total = len(draft.bodies)
    limit = MAX_SEGMENTS if max_segments is None else min(max_segments, MAX_SEGMENTS)
    if total > limit:
        raise EncodeError("ud", f"takes {total} segments, at most {limit}")
    if total == 1:
        return (UserData(draft.alphabet, draft.bodies[0], draft.udh),)
    return tuple(
        UserData(draft.alphabet, body, (Concat(reference, total, number, wide).element, *draft.udh))
        for number, body in enumerate(draft.bodies, 1)
    )


@dataclass(frozen=True, slots=True)
class _Draft:
    """A text cut up, not yet numbered. udh: without the concatenation."""

    alphabet: Alphabet
    bodies: list[bytes]
    udh: tuple[Element, ...]


def _price(draft: _Draft) -> tuple[int, int]:
    """Segments first, then octets; what all ways have in common does not count."""
    units = sum(map(len, draft.bodies))
    octets = units * 7 / 8 if draft.alphabet is Alphabet.GSM7 else units
    header = len(encode_header(draft.udh)) * len(draft.bodies)
    return len(draft.bodies), round(octets) + header


_Way = tuple[Alphabet, bytes, Callable[[bytes], Iterable[bytes]], tuple[Element, ...]]
"""Alphabet, all octets (or septets), how to part them into what must not be cut, header."""


def _ways(text: str, wanted: str, languages: str) -> list[_Way]:
    """Every way to say the text that is worth comparing, the most widely understood first."""
    if wanted == Alphabet.UCS2:
        return [_wide(text)]
    ways: list[_Way] = []
    septets = gsm7.attempt(text)
    if septets is not None:
        ways.append((Alphabet.GSM7, septets, _escaped, ()))
    elif wanted == "auto":
        ways.append(_wide(text))
    elif languages == "none":
        gsm7.encode(text)  # says which character it is
    if languages == "auto":
        ways += _national(text)
    if not ways:
        raise EncodeError("ud", "characters that no seven bit alphabet has together")
    return ways


def _short(text: str) -> UserData | None:
    """The only part of a text that needs no header, None where it is too long for that."""
    septets = gsm7.attempt(text)
    if septets is not None:
        return UserData(Alphabet.GSM7, septets) if len(septets) <= _WHOLE else None
    octets = _utf16(text)
    return UserData(Alphabet.UCS2, octets) if len(octets) <= MAX_OCTETS else None


def _utf16(text: str) -> bytes:
    try:
        return text.encode("utf-16-be")
    except UnicodeEncodeError as error:
        raise EncodeError("ud", f"lone surrogate U+{ord(text[error.start]):04X}") from None


def _wide(text: str) -> _Way:
    def pieces(_: bytes) -> Iterator[bytes]:
        return (piece.encode("utf-16-be") for piece in graphemes(text))

    return Alphabet.UCS2, _utf16(text), pieces, ()


def _national(text: str) -> Iterator[_Way]:
    """The tables of each language: single shift, locking shift, both."""
    for language in range(1, len(NAMES)):
        for locking, single in ((0, language), (language, 0), (language, language)):
            table = seven_bit(locking, single)
            if not table.can(text):
                continue
            elements = []
            if single:
                elements.append(Element(SINGLE_SHIFT, bytes((single,))))
            if locking:
                elements.append(Element(LOCKING_SHIFT, bytes((locking,))))

            def pieces(_: bytes, table: SevenBit = table) -> Iterator[bytes]:
                return (table.encode(piece) for piece in graphemes(text))

            yield Alphabet.GSM7, table.encode(text), pieces, tuple(elements)


def _singly(octets: bytes) -> Iterator[bytes]:
    return (octets[place : place + 1] for place in range(len(octets)))


def _escaped(septets: bytes) -> Iterable[bytes]:
    """Septets one by one, an escape together with the one that it shifts."""
    return _SEPTETS.findall(septets)


def _atoms(kind: Alphabet, piece: bytes) -> Iterable[bytes]:
    """What is left to cut at in a piece that no message can hold whole."""
    if kind is Alphabet.GSM7:
        return _escaped(piece)
    return (character.encode("utf-16-be") for character in piece.decode("utf-16-be"))


def _cut(
    kind: Alphabet,
    whole: bytes,
    pieces: Callable[[bytes], Iterable[bytes]],
    sample: Element,
    udh: tuple[Element, ...],
) -> list[bytes]:
    """The octets of each part; sample: a concatenation element of the width that it will have."""
    if len(whole) <= _room(kind, udh):
        return [whole]
    room = _room(kind, (sample, *udh))
    bodies: list[bytes] = []
    body = bytearray()
    for piece in pieces(whole):
        for atom in [piece] if len(piece) <= room else _atoms(kind, piece):
            if len(atom) > room:
                raise EncodeError("udh", "leaves no room for the content")
            if len(body) + len(atom) > room:
                bodies.append(bytes(body))
                body.clear()
            body += atom
    bodies.append(bytes(body))
    return bodies


def _room(kind: Alphabet, udh: Sequence[Element]) -> int:
    """How many octets, or septets for GSM7, a part with such a header has left."""
    header = len(encode_header(udh)) if udh else 0
    if kind is Alphabet.GSM7:
        return (8 * MAX_OCTETS) // 7 - (8 * header + 6) // 7
    room = MAX_OCTETS - header
    return room & ~1 if kind is Alphabet.UCS2 else room
