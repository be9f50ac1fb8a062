"""TE character sets: how a modem shows strings and text (AT+CSCS, TS 27.007 §5.5, Annex A).

What is on the line is given as one character a byte (Latin-1), as the driver reads it.
"""

from __future__ import annotations

import binascii
import re

from at.errors import DecodeError, EncodeError
from at.sms.alphabets import gsm7

CHARSETS = ("GSM", "IRA", "UCS2", "HEX", "8859-1", "UTF-8")
"""The names that read and write understand."""

_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})*")
_CODECS = {"IRA": "ascii", "8859-1": "latin-1", "UTF-8": "utf-8"}


def hex_octets(shown: str) -> bytes | None:
    """The octets of pairs of hex digits, None where it is anything else."""
    return binascii.unhexlify(shown) if _HEX.fullmatch(shown) else None


def read(shown: str, charset: str) -> str:
    """The text of a string as shown. Raises DecodeError("text")."""
    try:
        if charset == "GSM":
            septets = shown.encode("latin-1")
            if not septets.isascii():
                raise DecodeError("text", 0, detail="an octet above 0x7F in GSM")
            return gsm7.decode(septets)
        if charset in {"UCS2", "HEX"}:
            octets = hex_octets(shown)
            if octets is None:
                raise DecodeError("text", 0, detail=f"not hex in {charset}")
            if charset == "UCS2":
                return octets.decode("utf-16-be")
            if not octets.isascii():
                raise DecodeError("text", 0, detail="an octet above 0x7F in HEX")
            return gsm7.decode(octets)
        return shown.encode("latin-1").decode(_CODECS[charset])
    except UnicodeError as error:
        raise DecodeError("text", 0, detail=f"not {charset}: {error}") from None
    except KeyError:
        raise DecodeError("text", 0, detail=f"unknown character set {charset!r}") from None


def write(text: str, charset: str) -> str:
    """A text as the modem wants it. Raises EncodeError("text") for what the set cannot say."""
    try:
        if charset == "GSM":
            return gsm7.encode(text).decode("latin-1")
        if charset == "HEX":
            return gsm7.encode(text).hex().upper()
        if charset == "UCS2":
            return text.encode("utf-16-be").hex().upper()
        return text.encode(_CODECS[charset]).decode("latin-1")
    except UnicodeError as error:
        raise EncodeError("text", f"not {charset}: {error}") from None
    except KeyError:
        raise EncodeError("text", f"unknown character set {charset!r}") from None
