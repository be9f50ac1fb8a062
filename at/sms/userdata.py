"""TP-UDL with TP-UD (TS 23.040 §9.2.3.16, §9.2.3.24)."""

from __future__ import annotations

from dataclasses import dataclass

from at.errors import DecodeError, EncodeError
from at.sms.alphabets.gsm7 import decode as _plain
from at.sms.alphabets.languages import alphabet as seven_bit
from at.sms.build import builder
from at.sms.dcs import Alphabet, Dcs
from at.sms.packing import spread, squeeze
from at.sms.udh import (
    LOCKING_SHIFT,
    SINGLE_SHIFT,
    Concat,
    Element,
    Ports,
    concat_of,
    decode_header,
    encode_header,
    is_stray_part,
    languages_of,
    ports_of,
)

MAX_OCTETS = 140
"""What one message carries, header included; 160 septets."""

_LANGUAGES = frozenset({LOCKING_SHIFT, SINGLE_SHIFT})
_GSM7, _UCS2 = Alphabet.GSM7, Alphabet.UCS2


@dataclass(frozen=True, slots=True)
class UserData:
    """The content of one message.

    alphabet: how octets is to be read (8bit also for compressed data). octets: without header;
    GSM7: one septet per byte; UCS2: UTF-16, big end first; 8bit: as is. udh: the header's elements.
    """

    alphabet: Alphabet
    octets: bytes
    udh: tuple[Element, ...] = ()

    @property
    def locking(self) -> int:
        """National language identifier of the locking shift table, 0: the default alphabet."""
        return languages_of(self.udh)[0]

    @property
    def single(self) -> int:
        """National language identifier of the single shift table, 0: the default extension."""
        return languages_of(self.udh)[1]

    @property
    def text(self) -> str | None:
        """The text, None for 8 bit data. Half a surrogate pair reads as U+FFFD."""
        if self.alphabet is _GSM7:
            for element in self.udh:
                if element.iei in _LANGUAGES:
                    return seven_bit(*languages_of(self.udh)).decode(self.octets)
            return _plain(self.octets)
        if self.alphabet is _UCS2:
            return self.octets.decode("utf-16-be", "replace")
        return None

    @property
    def concat(self) -> Concat | None:
        """Which part of which message; None for a message of its own."""
        return concat_of(self.udh) if self.udh else None

    @property
    def is_stray_part(self) -> bool:
        """Whether it may be one part of several, although no valid concatenation says which."""
        return bool(self.udh) and is_stray_part(self.udh)

    @property
    def ports(self) -> Ports | None:
        """Application port addressing, None without."""
        return ports_of(self.udh) if self.udh else None


_build = builder(UserData)


def decode_user_data(
    data: bytes, octet: int, dcs: Dcs, header: bool, flags: list[str], entire: bool = False
) -> tuple[UserData, int]:
    """TP-UDL and TP-UD at `octet` -> user data, next offset.

    header: TP-UDHI. entire: the input is known to be whole, so that a TP-UDL beyond it is the
    sender's mistake; else it is an error. Adds to flags: "udl" (it disagrees with the octets, or
    says more than 140), "ucs2" (an odd number of octets, a lone surrogate), and those of the
    header. Raises DecodeError("udl", "ud", "udh...").
    """
    total = len(data)
    if octet >= total:
        raise DecodeError("udl", octet, need=1, have=0)
    length = data[octet]
    start = octet + 1
    alphabet = dcs.coding
    size = (7 * length + 7) >> 3 if alphabet is _GSM7 else length
    end = start + size
    if end != total or size > MAX_OCTETS:
        length, size = _settle(data, start, length, size, alphabet, flags, entire)
        end = start + size
    udh: tuple[Element, ...] = ()
    skip = 0
    if header:
        if not size:
            raise DecodeError("udh.length", start, need=1, have=0)
        skip = 1 + data[start]
        if skip > size:
            raise DecodeError("udh.length", start + 1, need=skip - 1, have=size - 1)
        udh = decode_header(data, start + 1, start + skip, flags)
    if alphabet is _GSM7:
        skip = (8 * skip + 6) // 7
        count = length - skip
        if count < 0:
            flags.append("udl")  # the header ends in the middle of a septet that is not counted
            count = 0
        bits = int.from_bytes(data[start:end], "little")
        octets = spread(bits >> 7 * skip if skip else bits, count)
    else:
        octets = data[start + skip : end]
        if alphabet is _UCS2 and not _is_utf16(octets):
            flags.append("ucs2")
    return _build(alphabet, octets, udh), end


def _settle(
    data: bytes,
    start: int,
    length: int,
    size: int,
    alphabet: Alphabet,
    flags: list[str],
    entire: bool,
) -> tuple[int, int]:
    """TP-UDL and octets that hold when TP-UDL does not fit the octets that there are."""
    have = len(data) - start
    if size > have:
        if not entire:
            raise DecodeError("ud", start, need=size, have=have)
        flags.append("udl")
        return have * 8 // 7 if alphabet is _GSM7 else have, have
    if size > MAX_OCTETS:
        flags.append("udl")
    elif size < length == have and not _is_filling(data[start + size :]):
        # Some senders count octets where septets are due; that it fits to the octet is no chance.
        flags.append("udl")
        septets = length * 8 // 7
        if not data[-1] >> 1 and not length % 7:
            septets -= 1  # seven bits of filling, not "@"
        return septets, length
    return length, size


def _is_filling(octets: bytes) -> bool:
    return octets in {bytes(len(octets)), b"\xff" * len(octets)}


def _is_utf16(octets: bytes) -> bool:
    if octets[::2].isascii():  # no surrogate can be in it
        return not len(octets) & 1
    try:
        octets.decode("utf-16-be")
    except UnicodeDecodeError:
        return False
    return True


def encode_user_data(user_data: UserData, dcs: Dcs) -> bytes:
    """TP-UDL and TP-UD. Raises EncodeError("ud", "udh", "dcs")."""
    alphabet, octets = user_data.alphabet, user_data.octets
    if alphabet is not dcs.coding:
        raise EncodeError("dcs", f"0x{dcs.octet:02X} does not say {alphabet}")
    header = encode_header(user_data.udh) if user_data.udh else b""
    if alphabet is _GSM7:
        skip = (8 * len(header) + 6) // 7
        length = skip + len(octets)
        size = (7 * length + 7) >> 3
        bits = squeeze(octets)
        if skip:
            bits = bits << 7 * skip | int.from_bytes(header, "little")
        content = bits.to_bytes(size, "little")
    else:
        if alphabet is _UCS2 and not _is_utf16(octets):
            raise EncodeError("ud", "not UTF-16")
        content = header + octets
        length = size = len(content)
    if size > MAX_OCTETS:
        raise EncodeError("ud", f"{size} octets, at most {MAX_OCTETS}")
    return bytes((length,)) + content
