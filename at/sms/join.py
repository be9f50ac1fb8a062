"""Puts the parts of a concatenated message together again (TS 23.040 §9.2.3.24.1)."""

from __future__ import annotations

from collections.abc import Sequence

from at.errors import DecodeError
from at.sms.udh import CONCAT_8, CONCAT_16
from at.sms.userdata import UserData


def join(parts: Sequence[UserData]) -> UserData:
    """The whole message out of all its parts, in any order, equal repeats allowed.

    Octets are joined before they are read, so an escape or surrogate pair that a sender split
    heals. The header keeps the first part's elements without the concatenation. A single part
    without concatenation is itself the whole. Raises DecodeError("concat") for parts that are
    missing, contradict each other or are not of one message.
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
    if message is None or len(chosen) < message[2]:
        total = message[2] if message else 1
        raise DecodeError("concat", 0, need=total, have=len(chosen), detail="parts missing")
    ordered = [chosen[number] for number in sorted(chosen)]
    first = ordered[0]
    udh = tuple(element for element in first.udh if element.iei not in {CONCAT_8, CONCAT_16})
    return UserData(first.alphabet, b"".join(part.octets for part in ordered), udh)
