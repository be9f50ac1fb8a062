"""The two declarative types of the driver: an AT command and an unsolicited result code."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


_SECRET = re.compile(r"([+^]C(?:PIN|LCK|PWD)=).+", re.IGNORECASE)
_NUMBER = re.compile(r'"(?=[^"]*[0-9]{4})[^"]*"|(?<=^D)[0-9+*#]+|(?<=\+CPBW=).+', re.IGNORECASE)


def masked(line: str) -> str:
    """An AT line without what must not be written down: codes, and numbers in quotes."""
    return _NUMBER.sub('"..."', _SECRET.sub(r"\1...", line))


@dataclass(frozen=True, slots=True)
class Command(Generic[R_co]):
    """One AT command as a value: what to write, which lines answer it, how to read them.

    line: what follows "AT", without the carriage return.
    parse: the information lines of a successful reply -> the typed result; raises ReplyError.
        With `follow` or `length` the lines alternate: information line, its following line
        ("" where none came).
    timeout_s: from the last octet written to the final result code; with `follow` or `length`,
        which long answers have, since the last line of the answer.
    info: full-match pattern of the information lines that are this command's own; None: none.
    follow: full-match pattern of the bare line that may come after an information line
        (the PDU after +CMGR: / +CMGL:); None: none.
    length: information line -> octets that the message text after it has at least; it may hold
        line breaks and anything that looks like a result code. None: look for `follow`.
    ends: information line, text up to a line end -> whether that is all of the text; None: the
        first line end from `length` on ends it.
    several: what `follow` finds may go on for several lines, up to the next information line or
        the final result code.
    body: written after the prompt "> ", with Ctrl-Z (TS 27.005 3.1); None: no prompt expected.
    unended_s: after its information line the final result code is waited for this long, and then
        the answer counts without it; 0.0: there is no answer without one.
    patient: news may go on for long before the answer comes: the network is asked, or a PIN
        checked. Otherwise a modem that tells news after a silence has not heard the command.
    """

    line: str
    parse: Callable[[tuple[str, ...]], R_co]
    timeout_s: float = 5.0
    info: re.Pattern[str] | None = None
    follow: re.Pattern[str] | None = None
    length: Callable[[str], int | None] | None = None
    ends: Callable[[str, str], bool] | None = None
    several: bool = False
    body: bytes | None = None
    unended_s: float = 0.0
    patient: bool = False

    @property
    def shown(self) -> str:
        """The line for logs and errors: without PINs, passwords and numbers."""
        return masked(self.line)


@dataclass(frozen=True, slots=True)
class UrcSpec(Generic[R_co]):
    """One unsolicited result code: how it is recognised and what it means.

    pattern: full match on the line. follow: full-match pattern of the one line that comes after
    it (the PDU after +CMT:), None where there is none. parse: the match and the following line
    ("" without one) -> the typed event; raises ValueError for a line that only looks like it.
    length, ends: as in Command. bodiless: told with "" where no line follows, as there may be none.
    """

    pattern: re.Pattern[str]
    parse: Callable[[re.Match[str], str], R_co]
    follow: re.Pattern[str] | None = None
    length: Callable[[str], int | None] | None = None
    ends: Callable[[str, str], bool] | None = None
    bodiless: bool = False
