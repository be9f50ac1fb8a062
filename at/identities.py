"""How modems show the numbers and names of cards, modems, operators and service centres."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from typing import Final

from at import fields
from at.command import Command, masked
from at.errors import ReplyError

# A number without a name before it or with one (not always the command's), quotes around or not.
_NAMED: Final = r'(?:[+^#!$%*]?[A-Za-z]{4,7}: *+)?"?'


def one_word(line: str, *patterns: str, read: Callable[[str], str] = str) -> Command[str]:
    """An answer that is one word, of the first of the patterns that some line is of.

    A pattern has the word as its one group. `read` may raise ValueError.
    """

    def parse(lines: tuple[str, ...]) -> str:
        for pattern in patterns:
            for match in filter(None, (re.fullmatch(pattern, one) for one in lines)):
                with contextlib.suppress(ValueError):
                    return read(match[1].upper())
        raise ReplyError(masked(line), lines)

    return Command(line, parse, info=re.compile("|".join(patterns)))


def digits(pattern: str) -> str:
    """The pattern of a number in an answer: these digits, and "F" where one fills it up."""
    return rf'{_NAMED}({pattern})F?"? *(?:[ ,].*)?'


def telecom_card(shown: str) -> str:
    """An ICCID (ITU-T E.118, TS 102.221 §13.2): "89", then digits; operators use hex digits too.

    shown: with its filling, as in EF-ICCID (semi-octets not swapped) or as read. Raises ValueError
    for a number that no telecom card has.
    """
    number = shown
    if number.startswith("98") and not len(number) % 2:
        number = "".join(number[i + 1] + number[i] for i in range(0, len(number), 2))
    number = number.rstrip("F")
    if not re.fullmatch("89[0-9A-F]{15,18}", number) or len(set(number[2:])) == 1:
        raise ValueError("not the number of a telecom card")
    return number


# TS 102.221 §10.2.1: all went well; the card has something to say besides (145, 146), or tells
# the length of what it gave (159).
_READ: Final = frozenset({144, 145, 146, 159})


def card_file(line: str) -> str:
    """The ICCID of an answer to +CRSM that read EF-ICCID. Raises ValueError."""
    status, _, data = fields.split(line)[:3]
    if fields.number(status) not in _READ or not re.fullmatch("[0-9A-Fa-f]{17,}", data):
        raise ValueError("EF-ICCID not read")
    return telecom_card(data[:20].upper())


UCS2_NUMBER: Final = re.compile("(?:00[0-9A-Fa-f]{2}){2,}")
UCS2_NAME: Final = re.compile("(?:[0-9A-Fa-f]{4}){2,}")


def readable(text: str, coded: re.Pattern[str] = UCS2_NUMBER) -> str:
    """With +CSCS="UCS2" even names and numbers come in hex; some names come in UTF-8."""
    octets, encoding = text.encode("latin-1", "replace"), "utf-8"
    if coded.fullmatch(text):
        octets, encoding = bytes.fromhex(text), "utf-16-be"
    try:
        found = octets.decode(encoding).strip("\0\uffff \t")
    except UnicodeDecodeError:
        return text
    return found if found.isprintable() else text
