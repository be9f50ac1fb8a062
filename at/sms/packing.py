"""Packs septets into octets (TS 23.038 §6.1.2.1.1)."""

from __future__ import annotations

from at.errors import EncodeError

_LEVELS = 8  # 2**8 = 256 septets, one more than a TP-UDL can say


def _steps(level: int) -> tuple[tuple[int, int, int], ...]:
    """Masks and shifts that spread 2**level septets, halving the groups from the largest down."""
    steps = []
    for half in (1 << k for k in range(level - 1, -1, -1)):
        groups = (1 << level) // (2 * half)
        ones = (1 << (7 * half)) - 1
        low = sum(ones << (16 * half * g) for g in range(groups))
        steps.append((low, low << (7 * half), half))
    return tuple(steps)


# The whole message is one big integer: each step moves the upper half of every group at once, so
# 160 septets take eight steps instead of 160. Moving by n bits is adding the moved part times
# 2**n - 1, which is faster than shifting as long as the factor is one machine word.
_WORD = 16


def _unpacking(
    steps: tuple[tuple[int, int, int], ...],
) -> tuple[tuple[tuple[int, int, int], ...], tuple[tuple[int, int], ...]]:
    """What spread() does at one level: shifting steps, multiplying steps."""
    small = tuple((high, (1 << shift) - 1) for _, high, shift in steps if shift <= _WORD)
    return tuple(step for step in steps if step[2] > _WORD), small


# Made once for each level: made for each count, the masks would take 0.7 MB.
_STEPS = tuple(_steps(level) for level in range(_LEVELS + 1))
_PACKING = tuple(
    tuple((low, low << (8 * half), half) for low, _, half in reversed(steps)) for steps in _STEPS
)
_UNPACKING = tuple(_unpacking(steps) for steps in _STEPS)

# By the count of septets, 0 to 256: its level is that of the next power of two.
_LEVEL_OF = (0, *((count - 1).bit_length() for count in range(1, (1 << _LEVELS) + 1)))
_PACK = tuple(_PACKING[level] for level in _LEVEL_OF)
_UNPACK = tuple(((1 << 7 * count) - 1, *_UNPACKING[level]) for count, level in enumerate(_LEVEL_OF))


def spread(bits: int, count: int) -> bytes:
    """The lowest `count` (0-256) septets of a bit string, one per byte, the first septet first."""
    mask, shifting, multiplying = _UNPACK[count]
    bits &= mask
    for low, high, shift in shifting:
        bits = (bits & low) | ((bits & high) << shift)
    for high, factor in multiplying:
        bits += (bits & high) * factor
    return bits.to_bytes(count, "little")


def squeeze(septets: bytes) -> int:
    """One-per-byte septets (at most 256) as a bit string, the first septet lowest.

    Raises EncodeError("ud") if a septet is above 0x7F or there are more than 256.
    """
    count = len(septets)
    if not septets.isascii() or count > 1 << _LEVELS:
        raise EncodeError("ud", "not septets, or more than 256 of them")
    bits = int.from_bytes(septets, "little")
    for low, high, shift in _PACK[count]:
        bits = (bits & low) | ((bits & high) >> shift)
    return bits


def unpack(octets: bytes, count: int, fill_bits: int = 0) -> bytes:
    """`count` septets out of octets, one per byte, least significant bit first.

    fill_bits: 0-6 bits to skip before the first septet, as after a user data header. Octets that
    end too early read as zero bits; the callers check lengths.
    """
    return spread(int.from_bytes(octets, "little") >> fill_bits, count)


def pack(septets: bytes, fill_bits: int = 0) -> bytes:
    """One-per-byte septets into octets, least significant bit first.

    fill_bits: 0-6 zero bits before the first septet, to start after a user data header.
    Raises EncodeError("ud") if a septet is above 0x7F.
    """
    size = (7 * len(septets) + fill_bits + 7) // 8
    return (squeeze(septets) << fill_bits).to_bytes(size, "little")
