"""Puts the parts of a concatenated message together again (TS 23.040 §9.2.3.24.1)."""

from __future__ import annotations

from collections.abc import Sequence

from at.errors import DecodeError
from at.sms.dcs import Alphabet
from at.sms.udh import CONCAT_8, CONCAT_16, LOCKING_SHIFT, SINGLE_SHIFT, languages_of
from at.sms.userdata import UserData

_CONCATS = frozenset({CONCAT_8, CONCAT_16})
_SHIFTS = frozenset({LOCKING_SHIFT, SINGLE_SHIFT})


def join(parts: Sequence[UserData]) -> UserData:
    """The whole message out of all its parts, in any order, equal repeats allowed.

    Octets are joined before they are read, so an escape or surrogate pair that a sender split
    heals. The header keeps the first part's elements without the concatenation; parts of different
    national languages become UCS-2. A single part without concatenation is itself the whole.
    Raises DecodeError("concat") for parts that are missing, contradict each other or are not of
    one message.
    """
    if len(parts) == 1 and parts[0].concat is None:
        return parts[0]
    chosen: dict[int, UserData] = {}
    message = None
    for part in parts:
        concat = part.concat
        if concat is None:
            raise DecodeError("concat", 0, detail="a part without concatenation")
        identity = (concat.reference, concat.wide, concat.total, part.alphabet)
        if message not in {None, identity}:
            raise DecodeError("concat", 0, detail="parts of several messages")
        message = identity
        if chosen.setdefault(concat.sequence, part) != part:
            raise DecodeError("concat", 0, detail=f"two different parts {concat.sequence}")
    total = message[2] if message else 1
    if len(chosen) < total:
        raise DecodeError("concat", 0, need=total, have=len(chosen), detail="parts missing")
    return _whole([chosen[number] for number in sorted(chosen)])


def _whole(ordered: list[UserData]) -> UserData:
    first = ordered[0]
    udh = tuple(element for element in first.udh if element.iei not in _CONCATS)
    if first.alphabet is Alphabet.GSM7 and len({languages_of(part.udh) for part in ordered}) > 1:
        text = "".join(part.text or "" for part in ordered)
        rest = tuple(element for element in udh if element.iei not in _SHIFTS)
        return UserData(Alphabet.UCS2, text.encode("utf-16-be"), rest)
    return UserData(first.alphabet, b"".join(part.octets for part in ordered), udh)
