"""Strings between the line and the modem in the character set of +CSCS (TS 27.007 §5.5).

On the line a string is latin-1: one character a byte. In "GSM" those bytes are septets.
"""

from __future__ import annotations

from at.errors import EncodeError
from at.sms.alphabets import gsm7

REPLACEMENT = "?"


def shown(text: str, charset: str) -> str:
    """Return text as the line shows it; what the set lacks becomes "?"."""
    if charset == "UCS2":
        return text.encode("utf-16-be", "replace").hex().upper()
    if charset in {"GSM", "HEX"}:
        return shown_septets(_septets(text), charset)
    return text.encode("ascii" if charset == "IRA" else "latin-1", "replace").decode("latin-1")


def shown_septets(septets: bytes, charset: str) -> str:
    """Return GSM 7-bit text, one septet a byte, as the line shows it."""
    if charset == "GSM":
        return septets.decode("latin-1")
    if charset == "HEX":
        return septets.hex().upper()
    return shown(gsm7.decode(septets), charset)


def taken(line: str, charset: str) -> str:
    """Return the text of a string from the line; raises ValueError where it is none of the set."""
    if charset == "UCS2":
        octets = bytes.fromhex(line)
        return octets.decode("utf-16-be")
    if charset in {"GSM", "HEX"}:
        return gsm7.decode(taken_septets(line, charset))
    return line


def taken_septets(line: str, charset: str) -> bytes:
    """Return the septets of a string from the line; raises ValueError as taken() does."""
    if charset == "GSM":
        return bytes(byte & 0x7F for byte in line.encode("latin-1"))
    if charset == "HEX":
        return bytes(byte & 0x7F for byte in bytes.fromhex(line))
    return _septets(taken(line, charset))


def _septets(text: str) -> bytes:
    try:
        return gsm7.encode(text)
    except EncodeError:
        return b"".join(gsm7.encode(char if gsm7.can(char) else REPLACEMENT) for char in text)
