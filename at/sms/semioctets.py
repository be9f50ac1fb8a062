"""Semi-octet digits: two to an octet, the first in the lower half (TS 23.040 §9.1.2.3)."""

from __future__ import annotations

SWAP = bytes((octet & 15) << 4 | octet >> 4 for octet in range(256))
"""bytes.translate table that exchanges the halves of every octet."""

DECIMAL = tuple(
    (octet & 15) * 10 + (octet >> 4) if octet & 15 < 10 and octet >> 4 < 10 else -1
    for octet in range(256)
)
"""The two decimal digits in an octet as a number, -1 where a half is no digit."""

_WRITE = str.maketrans("*#abc", "abcde")


def from_digits(digits: str) -> bytes:
    """Pack "0"-"9", "*", "#", "a", "b", "c", filling an odd last half with 0xF."""
    nibbles = digits if digits.isdecimal() else digits.translate(_WRITE)
    return bytes.fromhex(nibbles + "f" if len(nibbles) & 1 else nibbles).translate(SWAP)


def octet_of(number: int) -> int:
    """0-99 as one octet of two digits."""
    return number % 10 << 4 | number // 10
