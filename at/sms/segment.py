"""Cuts a long text or data into the user data of several messages (TS 23.040 §9.2.3.24.1)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from at.errors import EncodeError
from at.sms import gsm7
from at.sms.charmap import ESCAPE
from at.sms.dcs import Alphabet
from at.sms.udh import Concat, Element, encode_header
from at.sms.userdata import MAX_OCTETS, UserData

MAX_SEGMENTS = 255
"""As many as a total of one octet can say."""


def segment(
    content: str | bytes,
    *,
    alphabet: str = "auto",
    reference: int = 0,
    wide: bool = False,
    max_segments: int | None = None,
    udh: Sequence[Element] = (),
) -> tuple[UserData, ...]:
    """The parts of a text (or of 8 bit data), in order; one part without concatenation if it fits.

    alphabet: "auto" (the cheapest that has every character), "gsm7", "ucs2", or "8bit" for bytes.
    reference: of the concatenation, 0-255, or 0-65535 when wide. udh: elements for every part.
    No part ends inside an escape pair, a surrogate pair or a base with its combining marks.
    Raises EncodeError("ud") for a character outside the alphabet or too many segments.
    """
    kind, units = _units(content, alphabet)
    parts = _cut(kind, units, reference, wide, tuple(udh))
    limit = MAX_SEGMENTS if max_segments is None else max_segments
    if len(parts) > limit:
        raise EncodeError("ud", f"takes {len(parts)} segments, at most {limit}")
    return parts


def _units(content: str | bytes, alphabet: str) -> tuple[Alphabet, list[bytes]]:
    """The octets (or one-per-byte septets) in pieces that must not be cut."""
    if isinstance(content, bytes):
        if alphabet not in {"auto", Alphabet.OCTETS}:
            raise EncodeError("ud", f"bytes cannot be {alphabet}")
        return Alphabet.OCTETS, [content[i : i + 1] for i in range(len(content))]
    kind = Alphabet.GSM7 if alphabet == "auto" and gsm7.can(content) else alphabet
    if kind == "auto":
        kind = Alphabet.UCS2
    if kind == Alphabet.GSM7:
        return Alphabet.GSM7, list(_septets(gsm7.encode(content)))
    if kind == Alphabet.UCS2:
        return Alphabet.UCS2, [_utf16(piece) for piece in graphemes(content)]
    raise EncodeError("ud", f"text cannot be {alphabet}")


def _septets(septets: bytes) -> Iterator[bytes]:
    octet = 0
    while octet < len(septets):
        size = 2 if septets[octet] == ESCAPE else 1
        yield septets[octet : octet + size]
        octet += size


def _utf16(text: str) -> bytes:
    try:
        return text.encode("utf-16-be")
    except UnicodeEncodeError as error:
        raise EncodeError("ud", f"lone surrogate U+{ord(text[error.start]):04X}") from None


def graphemes(text: str) -> Iterator[str]:
    """Bases with what combines with them: marks, joiners and what they join, selectors."""
    start = 0
    for i in range(1, len(text)):
        character = text[i]
        if not (
            unicodedata.combining(character)
            or unicodedata.category(character) in {"Mn", "Me", "Mc"}
            or character == "\u200d"
            or text[i - 1] == "\u200d"
            or 0x1F3FB <= ord(character) <= 0x1F3FF
        ):
            yield text[start:i]
            start = i
    if text:
        yield text[start:]


def _cut(
    kind: Alphabet, units: list[bytes], reference: int, wide: bool, udh: tuple[Element, ...]
) -> tuple[UserData, ...]:
    whole = b"".join(units)
    if len(whole) <= _room(kind, udh):
        return (UserData(kind, whole, udh),)
    sample = Concat(reference, 1, 1, wide).element
    room = _room(kind, (sample, *udh))
    bodies: list[bytes] = []
    body = b""
    for unit in units:
        for piece in [unit[i : i + room] for i in range(0, len(unit), room)]:
            if len(body) + len(piece) > room:
                bodies.append(body)
                body = b""
            body += piece
    bodies.append(body)
    total = len(bodies)
    if total > MAX_SEGMENTS:
        raise EncodeError("ud", f"takes {total} segments, at most {MAX_SEGMENTS}")
    return tuple(
        UserData(kind, body, (Concat(reference, total, number, wide).element, *udh))
        for number, body in enumerate(bodies, 1)
    )


def _room(kind: Alphabet, udh: Sequence[Element]) -> int:
    """How many octets, or septets for GSM7, a part with such a header has left."""
    header = len(encode_header(udh))
    if kind is Alphabet.GSM7:
        return (8 * MAX_OCTETS) // 7 - (8 * header + 6) // 7
    room = MAX_OCTETS - header
    return room & ~1 if kind is Alphabet.UCS2 else room
