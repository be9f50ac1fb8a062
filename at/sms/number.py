"""Telephone numbers as people write them (ITU-T E.123, RFC 3966)."""

from __future__ import annotations

import re
import unicodedata

from at.errors import EncodeError

MAX_DIGITS = 20
"""What an address field holds (TS 23.040 §9.1.2.5)."""

_PLAIN = re.compile(r"\+[0-9]{1,20}|(?=[abc]*[0-9*#])[0-9*#abc]{1,20}")  # a to c: §9.1.2.3
_SCHEME = re.compile(r"[\s\ufeff]*(?:tel|sms|callto):", re.IGNORECASE)
_TRUNK = re.compile(r"[(\[]\s*0\s*[)\]]")
_SEPARATORS = frozenset("./()[]\t\r\n\u00b7\u2212\u2215")
_IGNORED = frozenset({"Zs", "Pd", "Cf"})  # blanks, dashes, direction marks and the like


def read_number(text: str) -> str:
    """Give the digits of a number, as it is dialled: "0171-123 456" -> "0171123456".

    A "+" in front stays; white space, brackets, dashes, dots, slashes, invisible characters and a
    leading "tel:" go. Raises EncodeError("address"), which names the mistake and never repeats the
    number.
    """
    if _PLAIN.fullmatch(text):
        return text
    start = scheme.end() if (scheme := _SCHEME.match(text)) else 0
    number = ""
    for place, character in enumerate(text[start:], start + 1):
        if character in "0123456789*#" or (character == "+" and not number):
            number += character
        elif not _is_separator(character):
            raise EncodeError("address", f"not a number: {_named(character)} at character {place}")
    digits = number.removeprefix("+")
    if not digits:
        raise EncodeError("address", "not a number: no digit in it")
    if digits != number:
        if not digits.isdecimal():
            raise EncodeError("address", "not a number: * or # after +")
        if _TRUNK.search(text):
            raise EncodeError("address", "not a number: (0) after a country code is not dialled")
    if len(digits) > MAX_DIGITS:
        raise EncodeError("address", f"a number of {len(digits)} digits, at most {MAX_DIGITS}")
    return number


def is_meant_as_number(text: str) -> bool:
    """Whether a text that is no number has digits and no letter: a slip, hardly a name."""
    return any(map(str.isdigit, text)) and not any(map(str.isalpha, text))


def _is_separator(character: str) -> bool:
    return character in _SEPARATORS or unicodedata.category(character) in _IGNORED


def _named(character: str) -> str:
    if " " < character <= "~":
        return repr(character)
    return unicodedata.name(character, f"U+{ord(character):04X}")
