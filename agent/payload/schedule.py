"""The times a payload may name: `when` and `exp` as typed values, judged against a given clock."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

MISSED_AFTER_S = 3600  # a schedule missed by more is expired
MAX_DELAY_S = 3660 * 86400  # ten years: later than any gateway's next visit, and never an overflow

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_OFFSET = re.compile(r"\+([0-9]{1,9})([smhd])")
_ISO = re.compile(
    r"([0-9]{4})(-?)([0-9]{2})\2([0-9]{2})[Tt ]"
    r"([0-9]{2})(?:(:?)([0-9]{2})(?:\6([0-9]{2})(?:[.,]([0-9]{1,9}))?)?)"
    r"([Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)"
)


@dataclass(frozen=True, slots=True)
class Immediate:
    """As soon as it is accepted."""


@dataclass(frozen=True, slots=True)
class Delay:
    """So many seconds after the acceptance (`when`) or the message's own time stamp (`exp`)."""

    seconds: int


@dataclass(frozen=True, slots=True)
class At:
    """A moment of the wall clock, aware, in UTC."""

    time: datetime


@dataclass(frozen=True, slots=True)
class NextBoot:
    """The first start of the agent with another boot id than at acceptance."""


When = Immediate | Delay | At | NextBoot
Expiry = Delay | At


def parse_when(text: str | None) -> When:
    """Read `when`; None (absent) is Immediate. Raises ValueError for anything the grammar lacks."""
    word = "immediate" if text is None else text.lower() if text.isascii() else ""
    if word == "immediate":
        return Immediate()
    if word == "nextboot":
        return NextBoot()
    return parse_exp(text or "")


def parse_exp(text: str) -> Expiry:
    """Read `exp`: `+<n>s|m|h|d`, or an ISO 8601 time with zone. Raises ValueError otherwise."""
    if offset := _OFFSET.fullmatch(text):
        seconds = int(offset[1]) * _UNITS[offset[2]]
        if seconds > MAX_DELAY_S:
            raise ValueError("longer than ten years")
        return Delay(seconds)
    return At(parse_time(text))


def parse_time(text: str) -> datetime:
    """Read an ISO 8601 date and time with zone, basic or extended, to UTC; raises ValueError.

    Seconds and a fraction may be left out; week dates, day numbers and 24:00 are not read.
    """
    match = _ISO.fullmatch(text)
    if match is None:
        raise ValueError("not an ISO 8601 time with zone")
    year, _, month, day, hour, _, minute, second, fraction, zone = match.groups()
    moment = datetime(
        int(year),
        int(month),
        int(day),
        int(hour),
        int(minute),
        int(second or 0),
        int((fraction or "0").ljust(6, "0")[:6]),
        tzinfo=UTC,
    )
    try:
        return moment - _zone(zone)
    except OverflowError:
        raise ValueError("outside the calendar") from None


def _zone(text: str) -> timedelta:
    if text in "Zz":
        return timedelta()
    digits = text[1:].replace(":", "")
    hours, minutes = int(digits[:2]), int(digits[2:] or 0)
    if hours > 23 or minutes > 59:
        raise ValueError("no such zone")
    offset = timedelta(hours=hours, minutes=minutes)
    return -offset if text[0] == "-" else offset


def deadline(expiry: Expiry, stamped: datetime) -> datetime:
    """Give the last moment of a message; stamped: its own time stamp, else its receipt (aware)."""
    if isinstance(expiry, At):
        return expiry.time
    try:
        return stamped + timedelta(seconds=expiry.seconds)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def is_past(moment: datetime, *, now: datetime | None, floor: datetime | None) -> bool | None:
    """Whether `moment` has gone by; None where nobody can tell (`clock`).

    now: the clock where it is trusted, else None. floor: the newest time stamp of a received
    message, a lower bound of the true time also without a clock.
    """
    if now is not None:
        return now > moment
    if floor is not None and floor > moment:
        return True
    return None


def is_missed(due: datetime, now: datetime) -> bool:
    """Whether a schedule was missed by more than an hour, so that it is expired and not run."""
    return now - due > timedelta(seconds=MISSED_AFTER_S)
