"""The alphabet that a pair of national language identifiers selects (TS 23.038 §6.2.1.2)."""

from __future__ import annotations

from functools import cache

from at.sms import gsm7
from at.sms.charmap import SevenBit

LOCKING: dict[int, tuple[str, str]] = {}
"""Name and main table by identifier (Annex A.3)."""

SINGLE: dict[int, tuple[str, dict[int, str]]] = {}
"""Name and extension table by identifier (Annex A.2)."""


@cache
def alphabet(locking: int, single: int) -> SevenBit:
    """The seven bit alphabet of two identifiers; those unknown select the default tables."""
    if locking not in LOCKING and single not in SINGLE:
        return gsm7.ALPHABET
    name, main = LOCKING.get(locking, ("default", gsm7.DEFAULT))
    shift, extension = SINGLE.get(single, ("default", gsm7.EXTENSION))
    return SevenBit(f"{name} alphabet with {shift} extension", main, extension)
