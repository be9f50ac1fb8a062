"""Addresses and time stamps as text mode shows them (TS 27.005 §3.1)."""

from __future__ import annotations

import re

from at.errors import DecodeError
from at.sms.address import KINDS, Address
from at.sms.alphabets.charsets import read
from at.sms.scts import SIZE, Timestamp
from at.sms.semioctets import octet_of

_STAMP = re.compile(
    r"(?:\d\d)?(\d\d)/(\d\d?)/(\d\d?),(\d\d?):(\d\d?):(\d\d?)\s*(?:([+-])(\d{1,3}))?"
)
_NO_TIME = Timestamp(bytes(SIZE))
_NUMBER = re.compile(r"\+?[0-9*#A-Ca-c]+")
_ALPHANUMERIC = 5  # type of number
_SIGN = 80  # bit 3 of the zone's octet (TS 23.040 §9.2.3.11), read as part of its tens


def read_address(shown: str | None, kind: int | None, charset: str) -> Address:
    """An address with its type (129, 145, 208 ...), in whatever combination modules show them.

    A "+" makes it international and letters make it alphanumeric, whatever the type says; digits
    without either are of the type's kind. Raises DecodeError("text").
    """
    text = _text((shown or "").strip(), kind, charset)
    ton = None if kind is None else kind >> 4 & 7
    if ton == _ALPHANUMERIC:
        return Address(text, "alphanumeric", (kind or 0) & 15)
    if not _NUMBER.fullmatch(text):
        return Address(text, "alphanumeric", 0) if text else Address("", "unknown")
    plan = 1 if kind is None else kind & 15
    digits = text.lower().removeprefix("+")
    if digits != text.lower():
        return Address(digits, "international", plan)
    return Address(digits, KINDS[ton or 0], plan)


def _text(shown: str, kind: int | None, charset: str) -> str:
    """The string without its character set; many modules show numbers bare where hex is due."""
    if charset not in {"UCS2", "HEX"}:
        return shown if _NUMBER.fullmatch(shown) else read(shown, charset)
    try:
        found = read(shown, charset)
    except DecodeError:
        return shown
    number = kind is None or kind >> 4 & 7 != _ALPHANUMERIC
    if number and not _NUMBER.fullmatch(found) and _NUMBER.fullmatch(shown):
        return shown
    return found


def read_timestamp(shown: str | None, flags: list[str]) -> Timestamp:
    """A time as "yy/MM/dd,hh:mm:ss±zz", zz in quarter hours.

    80 and more is the sign bit of the semi-octets shown as a digit: "+104" is -24.
    Flag "timestamp": it is missing, says no time, or has no zone, which then counts as zero.
    """
    match = _STAMP.fullmatch(shown.strip()) if shown else None
    if match is None:
        _flag(flags)
        return _NO_TIME
    numbers = [octet_of(int(part)) for part in match.groups()[:6]]
    quarters = int(match[8] or 0)
    if quarters >= 2 * _SIGN:
        _flag(flags)
        return _NO_TIME
    west = match[7] == "-" or quarters >= _SIGN
    zone = octet_of(quarters % _SIGN) | (8 if west else 0)
    timestamp = Timestamp(bytes((*numbers, zone)))
    if timestamp.time is None or match[8] is None:
        _flag(flags)
    return timestamp


def _flag(flags: list[str]) -> None:
    if "timestamp" not in flags:
        flags.append("timestamp")


def show_timestamp(timestamp: Timestamp) -> str:
    """A valid time stamp as text mode shows it."""
    digits = [f"{octet & 15}{octet >> 4}" for octet in timestamp.raw[:6]]
    zone = timestamp.raw[6]
    sign = "-" if zone & 8 else "+"
    return "/".join(digits[:3]) + "," + ":".join(digits[3:]) + f"{sign}{zone & 7}{zone >> 4}"
