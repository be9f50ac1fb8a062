"""What messages cost on the air."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from at.sms.dcs import Alphabet
from at.sms.udh import encode_header
from at.sms.userdata import UserData


@dataclass(frozen=True, slots=True)
class Cost:
    """segments: messages to pay for. units: septets for GSM7, else octets, headers not counted.

    octets: of all TP-UD, headers counted. alphabet, locking, single: of the parts.
    """

    alphabet: Alphabet
    segments: int
    units: int
    octets: int
    locking: int = 0
    single: int = 0


def cost(parts: Sequence[UserData]) -> Cost:
    """What the parts of one message cost together; at least one part."""
    units = octets = 0
    for part in parts:
        header = len(encode_header(part.udh))
        units += len(part.octets)
        if part.alphabet is Alphabet.GSM7:
            septets = (8 * header + 6) // 7 + len(part.octets)
            octets += (7 * septets + 7) // 8
        else:
            octets += header + len(part.octets)
    first = parts[0]
    return Cost(first.alphabet, len(parts), units, octets, first.locking, first.single)
