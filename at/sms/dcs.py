"""TP-DCS, the data coding scheme (TS 23.038 §4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from at.errors import EncodeError


class Alphabet(StrEnum):
    """How the octets of a TP-UD are to be read."""

    GSM7 = "gsm7"
    OCTETS = "8bit"
    UCS2 = "ucs2"


_GENERAL = (Alphabet.GSM7, Alphabet.OCTETS, Alphabet.UCS2, Alphabet.GSM7)  # 3 is reserved
_INDICATIONS = ("voicemail", "fax", "email", "other")


@dataclass(frozen=True, slots=True)
class Dcs:
    """One octet of TP-DCS, with its meaning spelt out; only the octet counts in comparisons.

    alphabet: the coding group's; message_class: 0-3 or None; compressed: §4, text is not
    attempted; auto_delete: the 01xx groups; indication: "voicemail", "fax", "email", "other" or
    None, indication_active: whether messages wait (False also without an indication), discard:
    the indication may be thrown away after its use; reserved: a coding that the standard says to
    read as the default alphabet. Raises EncodeError("dcs") outside 0-255.
    """

    octet: int
    alphabet: Alphabet = field(init=False, compare=False)
    message_class: int | None = field(init=False, compare=False)
    compressed: bool = field(init=False, compare=False)
    auto_delete: bool = field(init=False, compare=False)
    indication: str | None = field(init=False, compare=False)
    indication_active: bool = field(init=False, compare=False)
    discard: bool = field(init=False, compare=False)
    reserved: bool = field(init=False, compare=False)
    coding: Alphabet = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        octet = self.octet
        if not 0 <= octet <= 0xFF:
            raise EncodeError("dcs", f"{octet} is not an octet")
        group = octet >> 4
        alphabet, message_class, indication = Alphabet.GSM7, None, None
        compressed = reserved = False
        if group < 8:  # 00xx general, 01xx automatic deletion
            alphabet = _GENERAL[octet >> 2 & 3]
            message_class = octet & 3 if octet & 0x10 else None
            compressed = bool(octet & 0x20)
            reserved = octet & 0x0C == 0x0C
        elif group == 15:
            alphabet = Alphabet.OCTETS if octet & 4 else Alphabet.GSM7
            message_class = octet & 3
        elif group >= 12:
            alphabet = Alphabet.UCS2 if group == 14 else Alphabet.GSM7
            indication = _INDICATIONS[octet & 3]
        else:
            reserved = True
        assign = object.__setattr__
        assign(self, "alphabet", alphabet)
        assign(self, "message_class", message_class)
        assign(self, "compressed", compressed)
        assign(self, "auto_delete", 4 <= group < 8)
        assign(self, "indication", indication)
        assign(self, "indication_active", indication is not None and bool(octet & 8))
        assign(self, "discard", group == 12)
        assign(self, "reserved", reserved)
        # TS 23.040 §9.2.3.16: TP-UDL counts octets when the data is compressed, whatever it holds
        assign(self, "coding", Alphabet.OCTETS if compressed else alphabet)

    @classmethod
    def of(cls, alphabet: Alphabet, message_class: int | None = None) -> Dcs:
        """The plainest octet for an alphabet and a class: group 00xx. Raises EncodeError("dcs")."""
        octet = 0 if alphabet is Alphabet.GSM7 else 8 if alphabet is Alphabet.UCS2 else 4
        if message_class is not None:
            if not 0 <= message_class <= 3:
                raise EncodeError("dcs", f"{message_class} is not a message class")
            octet |= 0x10 | message_class
        return CODINGS[octet]


CODINGS = tuple(Dcs(octet) for octet in range(256))
"""Every Dcs there is, by octet."""
