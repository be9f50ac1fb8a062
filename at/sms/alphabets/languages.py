"""The alphabet that a pair of national language identifiers selects (TS 23.038 §6.2.1.2)."""

from __future__ import annotations

from functools import cache

from at.sms.alphabets import gsm7
from at.sms.alphabets.charmap import SevenBit
from at.sms.alphabets.locking_shift import LOCKING
from at.sms.alphabets.single_shift import SINGLE

NAMES = (
    "default",
    "Turkish",
    "Spanish",
    "Portuguese",
    "Bengali",
    "Gujarati",
    "Hindi",
    "Kannada",
    "Malayalam",
    "Oriya",
    "Punjabi",
    "Tamil",
    "Telugu",
    "Urdu",
)
"""By national language identifier (§6.2.1.2.4)."""


def alphabet(locking: int, single: int) -> SevenBit:
    """The seven bit alphabet of two identifiers; those unknown select the default tables."""
    if not locking and not single:
        return gsm7.ALPHABET
    return _alphabet(locking if locking in LOCKING else 0, single if single in SINGLE else 0)


@cache
def _alphabet(locking: int, single: int) -> SevenBit:
    name = f"{NAMES[locking]} alphabet with {NAMES[single]} extension"
    return SevenBit(name, LOCKING.get(locking, gsm7.DEFAULT), SINGLE.get(single, gsm7.EXTENSION))
