"""Address fields (TS 23.040 §9.1.2.5)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from at.errors import DecodeError, EncodeError
from at.sms.alphabets import gsm7
from at.sms.build import builder
from at.sms.number import MAX_DIGITS, is_meant_as_number, read_number
from at.sms.packing import pack, unpack
from at.sms.semioctets import SWAP, from_digits

KINDS = (
    "unknown",
    "international",
    "national",
    "network-specific",
    "subscriber",
    "alphanumeric",
    "abbreviated",
    "reserved",
)
"""Names of the type of number, by its three bits."""

ISDN = 1
"""The numbering plan of telephone numbers (E.164 / E.163)."""

_FIRST = tuple(bytes((0x80 | kind,)) for kind in range(128))  # type-of-address octets
_TYPES = {name: number for number, name in enumerate(KINDS)}
_DIGITS = re.compile(r"[0-9*#abc]*")
_READ = str.maketrans("abcde", "*#abc")


@dataclass(frozen=True, slots=True)
class Address:
    """A number or a name on the air.

    digits: "0".."9", "*", "#", "a", "b", "c", without any "+"; for kind "alphanumeric" the text.
    kind: one of KINDS; plan: numbering plan identification, 0-15.
    """

    digits: str
    kind: str = "international"
    plan: int = ISDN

    def __str__(self) -> str:
        return "+" + self.digits if self.kind == "international" else self.digits

    @classmethod
    def number(cls, text: str) -> Address:
        """A number as a person writes it (read_number), with "+": international, else unknown.

        Raises EncodeError("address"), which names the mistake: a name is one.
        """
        number = read_number(text)
        digits = number.removeprefix("+")
        return cls(digits, "unknown" if digits == number else "international")

    @classmethod
    def parse(cls, text: str) -> Address:
        """A number as number() reads it; what has a letter, or no digit at all, is a name.

        Raises EncodeError("address") for what fits no address field.
        """
        if not text:
            raise EncodeError("address", "empty")
        try:
            return cls.number(text)
        except EncodeError:
            if is_meant_as_number(text):
                raise
        kind = "unknown" if _DIGITS.fullmatch(text) else "alphanumeric"
        address = cls(text, kind, ISDN if kind == "unknown" else 0)
        encode_address(address, "address")
        return address

    @property
    def type_of_address(self) -> int:
        """The octet in front of the digits, as `<toa>` of TS 27.005 shows it."""
        return 0x80 | _TYPES[self.kind] << 4 | self.plan


_build = builder(Address)


def _digits(packed: bytes, count: int, field: str, octet: int, flags: list[str]) -> str:
    """Digits that are not plainly 0-9 with a filler where one is due."""
    digits = packed.translate(SWAP).hex()
    if count & 1:
        if digits[-1] != "f":
            flags.append("filler")
        digits = digits[:-1]
    elif digits.endswith("f"):
        flags.append("filler")  # the length counts the filler
        digits = digits[:-1]
    if "f" in digits:
        raise DecodeError(field, octet, detail="filler between digits")
    return digits.translate(_READ)


def _text(packed: bytes, count: int, flags: list[str]) -> str:
    length = count * 4 // 7
    septets = unpack(packed, length)
    # 14 semi-octets hold 8 septets, but many centres say 14 (2 x 7 octets) for 7 characters: the
    # zero behind them is filling, not "@".
    if length == 8 and septets[-1] == 0:
        flags.append("filler")
        septets = septets[:-1]
    elif count != (7 * length + 3) // 4:
        flags.append("filler")
    return gsm7.decode(septets)


_MEANINGS = tuple((KINDS[kind >> 4 & 7], kind & 15) for kind in range(256))


def decode_address(data: bytes, octet: int, field: str, flags: list[str]) -> tuple[Address, int]:
    """The address field at `octet`, its length first -> address, next offset.

    Adds to flags: "filler", "address-type" (top bit of the type clear). Raises DecodeError(field).
    """
    total = len(data)
    if octet >= total:
        raise DecodeError(field, octet, need=2, have=0)
    count = data[octet]
    if count > MAX_DIGITS:
        raise DecodeError(field, octet, detail=f"{count} semi-octets, at most {MAX_DIGITS}")
    end = octet + 2 + (count + 1 >> 1)
    if end > total:
        raise DecodeError(field, octet + 1, need=end - octet - 1, have=total - octet - 1)
    kind = data[octet + 1]
    packed = data[octet + 2 : end]
    if kind < 0x80:
        flags.append("address-type")
    name, plan = _MEANINGS[kind]
    if name == "alphanumeric":
        return _build(_text(packed, count, flags), name, plan), end
    digits = packed.translate(SWAP).hex()
    if count & 1 and digits[-1] == "f":
        digits = digits[:-1]
    if len(digits) != count or not digits.isdecimal():
        digits = _digits(packed, count, field, octet + 2, flags)
    return _build(digits, name, plan), end


def encode_address(address: Address, field: str) -> tuple[int, bytes]:
    """(semi-octets, type-of-address and digits). Raises EncodeError(field)."""
    kind = _TYPES.get(address.kind)
    if kind is None:
        raise EncodeError(field, f"unknown kind {address.kind!r}")
    if not 0 <= address.plan <= 15:
        raise EncodeError(field, f"{address.plan} is not a numbering plan")
    first = _FIRST[kind << 4 | address.plan]
    digits = address.digits
    if address.kind == "alphanumeric":
        septets = gsm7.encode(digits)
        if len(septets) > 11:
            raise EncodeError(field, f"{digits!r} takes {len(septets)} septets, at most 11")
        if len(septets) == 8 and septets[-1] == 0:
            raise EncodeError(field, "an eighth and last '@' cannot be told from filling")
        return (7 * len(septets) + 3) // 4, first + pack(septets)
    plain = digits.isascii() and digits.isdecimal()
    if len(digits) > MAX_DIGITS or not (plain or _DIGITS.fullmatch(digits)):
        raise EncodeError(field, f"{digits!r} is not at most {MAX_DIGITS} of 0-9 * # a b c")
    return len(digits), first + from_digits(digits)
