"""TP-VP, the validity period (TS 23.040 §9.2.3.12); the absolute form is a Timestamp."""

from __future__ import annotations

from dataclasses import dataclass

from at.errors import DecodeError, EncodeError
from at.sms.scts import SIZE, Timestamp, decode_timestamp
from at.sms.semioctets import DECIMAL, octet_of

NONE, ENHANCED, RELATIVE, ABSOLUTE = range(4)
"""TP-VPF, §9.2.3.3."""

_HOUR, _DAY, _WEEK = 60, 1440, 10080


def _minutes(octet: int) -> int:
    if octet <= 143:
        return (octet + 1) * 5
    if octet <= 167:
        return 12 * _HOUR + (octet - 143) * 30
    if octet <= 196:
        return (octet - 166) * _DAY
    return (octet - 192) * _WEEK


_MINUTES = tuple(_minutes(octet) for octet in range(256))


@dataclass(frozen=True, slots=True)
class Relative:
    """§9.2.3.12.1: counted from the centre's receipt; octet: 0-255."""

    octet: int

    @property
    def minutes(self) -> int:
        """5 minutes to 63 weeks."""
        return _MINUTES[self.octet]

    @classmethod
    def of(cls, minutes: int) -> Relative:
        """The shortest period not below `minutes`. Raises EncodeError("vp") over 63 weeks."""
        for octet, offered in enumerate(_MINUTES):
            if offered >= minutes > 0:
                return cls(octet)
        raise EncodeError("vp", f"{minutes} is not 1 to {_MINUTES[-1]} minutes")


@dataclass(frozen=True, slots=True)
class Enhanced:
    """§9.2.3.12.3: seven octets, kept as they are."""

    raw: bytes

    @property
    def single_shot(self) -> bool:
        """The centre tries once."""
        return bool(self.raw[0] & 0x40)

    @property
    def sound(self) -> bool:
        """Whether the standard defines every bit of the indicator and the time is one."""
        form = self.raw[0] & 7
        return not self.raw[0] & 0xB8 and form <= 3 and (form != 3 or self.seconds is not None)

    @property
    def seconds(self) -> int | None:
        """The period; None where none is given or its form is reserved."""
        form, raw = self.raw[0] & 7, self.raw
        at = 1
        while raw[at - 1] & 0x80 and at < SIZE - 1:
            at += 1  # extension octets of the functionality indicator
        if form == 1:
            return _MINUTES[raw[at]] * 60
        if form == 2:
            return raw[at]
        if form == 3 and at + 3 <= SIZE:
            hours, minutes, seconds = (DECIMAL[octet] for octet in raw[at : at + 3])
            if min(hours, minutes, seconds) >= 0:
                return hours * 3600 + minutes * 60 + seconds
        return None

    @classmethod
    def of(cls, seconds: int, *, single_shot: bool = False) -> Enhanced:
        """The exact period in seconds: up to 255 as such, up to 99:59:59 as a time.

        Raises EncodeError("vp").
        """
        first = 0x40 if single_shot else 0
        if 0 < seconds <= 255:
            return cls(bytes((first | 2, seconds)).ljust(SIZE, b"\0"))
        if not 0 < seconds < 360000:
            raise EncodeError("vp", f"{seconds} is not 1 to 359999 seconds")
        parts = (seconds // 3600, seconds // 60 % 60, seconds % 60)
        return cls(bytes((first | 3, *map(octet_of, parts))).ljust(SIZE, b"\0"))


Validity = Relative | Timestamp | Enhanced
"""A validity period; None stands for "none"."""


def decode_validity(
    data: bytes, octet: int, form: int, flags: list[str]
) -> tuple[Validity | None, int]:
    """TP-VP of a TP-VPF at `octet` -> period, next offset. Raises DecodeError("vp").

    Adds to flags: "timestamp" (an absolute period that is no time), "vp" (a reserved form).
    """
    if form == NONE:
        return None, octet
    if form == RELATIVE:
        if octet >= len(data):
            raise DecodeError("vp", octet, need=1, have=0)
        return Relative(data[octet]), octet + 1
    if form == ABSOLUTE:
        return decode_timestamp(data, octet, "vp", flags), octet + SIZE
    raw = data[octet : octet + SIZE]
    if len(raw) < SIZE:
        raise DecodeError("vp", octet, need=SIZE, have=max(0, len(data) - octet))
    enhanced = Enhanced(raw)
    if not enhanced.sound:
        flags.append("vp")
    return enhanced, octet + SIZE


def encode_validity(validity: Validity | None) -> tuple[int, bytes]:
    """(TP-VPF, TP-VP). Raises EncodeError("vp")."""
    if validity is None:
        return NONE, b""
    if isinstance(validity, Relative):
        if not 0 <= validity.octet <= 255:
            raise EncodeError("vp", f"{validity.octet} is not an octet")
        return RELATIVE, bytes((validity.octet,))
    if isinstance(validity, Enhanced):
        if len(validity.raw) != SIZE or not validity.sound:
            raise EncodeError("vp", f"{validity.raw.hex()} is no enhanced period")
        return ENHANCED, validity.raw
    if validity.time is None:
        raise EncodeError("vp", f"{validity.raw.hex()} is no time")
    return ABSOLUTE, validity.raw
