"""The user data header (TS 23.040 §9.2.3.24)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from at.errors import DecodeError, EncodeError
from at.sms.build import builder

CONCAT_8 = 0x00
"""§9.2.3.24.1: reference, total, sequence."""
PORTS_8 = 0x04
"""§9.2.3.24.3: destination, source."""
PORTS_16 = 0x05
"""§9.2.3.24.4: destination, source."""
CONCAT_16 = 0x08
"""§9.2.3.24.8: reference of two octets, total, sequence."""
SINGLE_SHIFT = 0x24
"""§9.2.3.24.15: national language single shift."""
LOCKING_SHIFT = 0x25
"""§9.2.3.24.16: national language locking shift."""


_CONCATS = frozenset({CONCAT_8, CONCAT_16})


@dataclass(frozen=True, slots=True)
class Element:
    """One information element, as it is on the air: identifier 0-255, at most 137 octets."""

    iei: int
    data: bytes


_build = builder(Element)


@dataclass(frozen=True, slots=True)
class Concat:
    """Which part of which message. sequence: 1 to total; wide: 16 bit reference."""

    reference: int
    total: int
    sequence: int
    wide: bool = False

    @property
    def element(self) -> Element:
        """As an information element. Raises EncodeError("udh.concat")."""
        if not 1 <= self.sequence <= self.total <= 255:
            raise EncodeError("udh.concat", f"part {self.sequence} of {self.total}")
        if not 0 <= self.reference <= (0xFFFF if self.wide else 0xFF):
            raise EncodeError("udh.concat", f"reference {self.reference}")
        reference = self.reference.to_bytes(2 if self.wide else 1, "big")
        return Element(
            CONCAT_16 if self.wide else CONCAT_8, reference + bytes((self.total, self.sequence))
        )


@dataclass(frozen=True, slots=True)
class Ports:
    """Application ports; wide: 16 bit."""

    destination: int
    source: int
    wide: bool = True

    @property
    def element(self) -> Element:
        """As an information element. Raises EncodeError("udh.ports")."""
        limit, size = (0xFFFF, 2) if self.wide else (0xFF, 1)
        if not (0 <= self.destination <= limit and 0 <= self.source <= limit):
            raise EncodeError("udh.ports", f"{self.destination}, {self.source}")
        data = self.destination.to_bytes(size, "big") + self.source.to_bytes(size, "big")
        return Element(PORTS_16 if self.wide else PORTS_8, data)


def read_concat(element: Element) -> Concat | None:
    """The part an element tells of, None when it must be ignored.

    §9.2.3.24.1: zeros, a sequence above the total; also when it is too short. One that is too long
    is read, and its octets beyond those needed are ignored.
    """
    size = 1 if element.iei == CONCAT_8 else 2
    data = element.data
    if len(data) < size + 2:
        return None
    total, sequence = data[size], data[size + 1]
    if not 1 <= sequence <= total:
        return None
    return Concat(int.from_bytes(data[:size], "big"), total, sequence, size == 2)


def concat_of(udh: Iterable[Element]) -> Concat | None:
    """The concatenation of a header; of several elements the last valid one counts (§9.2.3.24)."""
    found = None
    for element in udh:
        if element.iei in _CONCATS:
            found = read_concat(element) or found
    return found


def is_stray_part(udh: Sequence[Element]) -> bool:
    """Whether a header without a valid concatenation may still be that of one part of several.

    True for an ignored element that tells of two parts or more, or does not get as far as the
    total. With a total of 0 or 1 the message is whole.
    """
    if concat_of(udh) is not None:
        return False
    for element in udh:
        if element.iei in _CONCATS:
            place = 1 if element.iei == CONCAT_8 else 2
            if len(element.data) <= place or element.data[place] > 1:
                return True
    return False


def ports_of(udh: Iterable[Element]) -> Ports | None:
    """The application ports of a header; of several elements the last one counts (§9.2.3.24)."""
    found = None
    for element in udh:
        data = element.data
        if element.iei == PORTS_16 and len(data) >= 4:
            found = Ports(int.from_bytes(data[:2], "big"), int.from_bytes(data[2:4], "big"))
        elif element.iei == PORTS_8 and len(data) >= 2:
            found = Ports(data[0], data[1], wide=False)
    return found


def languages_of(udh: Iterable[Element]) -> tuple[int, int]:
    """National language identifiers (locking, single shift); of several the last, 0 without."""
    locking = single = 0
    for element in udh:
        if element.iei == LOCKING_SHIFT and element.data:
            locking = element.data[0]
        elif element.iei == SINGLE_SHIFT and element.data:
            single = element.data[0]
    return locking, single


def decode_header(data: bytes, octet: int, end: int, flags: list[str]) -> tuple[Element, ...]:
    """The elements between two offsets, in order.

    Adds to flags: "concat" (an element of wrong content or length, or more than one). Raises
    DecodeError("udh.iedl" or "udh.ied"): §9.2.3.24 would have the whole header ignored, but then
    a part would pass for a whole message.
    """
    elements = []
    parts = 0
    while octet < end:
        start = octet + 2
        if start > end:
            raise DecodeError("udh.iedl", octet + 1, need=1, have=0)
        stop = start + data[octet + 1]
        if stop > end:
            raise DecodeError("udh.ied", start, need=stop - start, have=end - start)
        iei = data[octet]
        content = data[start:stop]
        elements.append(_build(iei, content))
        if iei in _CONCATS:
            parts += 1
            size = 1 if iei == CONCAT_8 else 2
            if parts > 1 or stop - start != size + 2 or not 1 <= content[size + 1] <= content[size]:
                flags.append("concat")
        octet = stop
    return tuple(elements)


def encode_header(udh: Sequence[Element], room: int = 140) -> bytes:
    """UDHL and the elements, at most `room` octets; b"" without any. Raises EncodeError("udh").

    Refuses what a receiver would have to ignore: invalid or repeated concatenation.
    """
    if not udh:
        return b""
    parts = 0
    octets = bytearray(1)
    for element in udh:
        if not 0 <= element.iei <= 0xFF or len(element.data) > room - 3:
            raise EncodeError("udh", f"element {element.iei} of {len(element.data)} octets")
        if element.iei in _CONCATS:
            parts += 1
            size = 3 if element.iei == CONCAT_8 else 4
            if parts > 1 or len(element.data) != size or read_concat(element) is None:
                raise EncodeError("udh.concat", "invalid or repeated")
        octets.append(element.iei)
        octets.append(len(element.data))
        octets += element.data
    if len(octets) > room:
        raise EncodeError("udh", f"{len(octets)} octets, at most {room}")
    octets[0] = len(octets) - 1
    return bytes(octets)
