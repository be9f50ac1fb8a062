"""Time stamps: TP-SCTS, TP-DT, absolute TP-VP (TS 23.040 §9.2.3.11)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from at.errors import DecodeError, EncodeError
from at.sms.build import builder
from at.sms.semioctets import DECIMAL, octet_of

SIZE = 7
"""Octets of a time stamp."""

_PIVOT = 90  # the field has two digits; no SMS is older than 1992


def _zone(octet: int) -> timezone | None:
    quarters = DECIMAL[octet & 0xF7]  # bit 3 is the sign
    if quarters < 0:
        return None
    return timezone(timedelta(minutes=-15 * quarters if octet & 8 else 15 * quarters))


_ZONES = tuple(_zone(octet) for octet in range(256))


_YEARS = tuple(y if y < 0 else y + (1900 if y >= _PIVOT else 2000) for y in DECIMAL)


def read_time(raw: bytes) -> datetime | None:
    """The time in seven octets, None where they say none."""
    year, month, day, hour, minute, second, zone = raw
    where = _ZONES[zone]
    if where is None:
        return None
    try:
        return datetime(  # positional: keywords would take half as long again
            _YEARS[year],
            DECIMAL[month],
            DECIMAL[day],
            DECIMAL[hour],
            DECIMAL[minute],
            DECIMAL[second],
            0,
            where,
        )
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Timestamp:
    """A time on the air; only the octets count in comparisons.

    raw: the seven octets as received. time: aware, quarter-hour zones kept; None where the digits
    or the zone are invalid. Two-digit years 90-99 are of the 1900s.
    Raises DecodeError("scts") unless raw has seven octets.
    """

    raw: bytes
    time: datetime | None = field(init=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.raw) != SIZE:
            raise DecodeError("scts", 0, need=SIZE, have=len(self.raw))
        object.__setattr__(self, "time", read_time(self.raw))

    def __str__(self) -> str:
        return self.raw.hex() if self.time is None else self.time.isoformat()

    @classmethod
    def of(cls, time: datetime) -> Timestamp:
        """The octets of an aware time of whole seconds, 1990-2089, in a quarter-hour zone.

        Raises EncodeError("scts") for any other: nothing is rounded.
        """
        offset = time.utcoffset()
        if offset is None:
            raise EncodeError("scts", "a time without zone")
        quarters, rest = divmod(abs(offset), timedelta(minutes=15))
        if rest or quarters > 79:
            raise EncodeError("scts", f"zone {offset} is not of at most 79 quarter hours")
        if time.microsecond or not 1990 <= time.year <= 2089:
            raise EncodeError("scts", f"{time.isoformat()} is not whole seconds of 1990-2089")
        fields = (time.year % 100, time.month, time.day, time.hour, time.minute, time.second)
        sign = 8 if offset < timedelta(0) else 0
        return cls(bytes((*map(octet_of, fields), octet_of(quarters) | sign)))


build_timestamp = builder(Timestamp)
"""A Timestamp of its octets and what read_time made of them."""


def decode_timestamp(data: bytes, octet: int, name: str, flags: list[str]) -> Timestamp:
    """The time stamp at `octet`; flag "timestamp" when it says no time. Raises DecodeError."""
    raw = data[octet : octet + SIZE]
    if len(raw) < SIZE:
        raise DecodeError(name, octet, need=SIZE, have=max(0, len(data) - octet))
    time = read_time(raw)
    if time is None:
        flags.append("timestamp")
    return build_timestamp(raw, time)  # type: ignore[no-any-return]  # a builder's result is its class
