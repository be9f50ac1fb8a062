"""A command line taken apart as V.250 §5.4 says: basic and extended commands, their arguments."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from at.simulator.values import Refused, cme

Form = Literal["run", "read", "test", "set"]

_EXTENDED = re.compile(r"[+^*$#%!@][A-Z][A-Z0-9!%\-./:_]*", re.IGNORECASE)
_REGISTER = re.compile(r"S(\d+)(?:=(\d*)|(\?))", re.IGNORECASE)
_BASIC = re.compile(r"([&\\]?[A-Z])(\d*)", re.IGNORECASE)
_ESCAPE = re.compile(r"\\([0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class Call:
    """One command of a line: name upper-case, form, and what stands behind it."""

    name: str
    form: Form
    rest: str = ""

    @property
    def text(self) -> str:
        """The command as it is written, without its AT."""
        return self.name + {"run": "", "read": "?", "test": "=?", "set": "="}[self.form] + self.rest


def _extended_end(text: str, at: int) -> int:
    quoted = False
    for index in range(at, len(text)):
        if text[index] == '"':
            quoted = not quoted
        elif text[index] == ";" and not quoted:
            return index
    return len(text)


def _extended(name: str, tail: str) -> Call | None:
    if not tail:
        return Call(name, "run")
    if tail == "?":
        return Call(name, "read")
    if tail == "=?":
        return Call(name, "test")
    if tail.startswith("="):
        return Call(name, "set", tail[1:])
    return None


def _basic(body: str, at: int) -> tuple[Call, int] | None:
    if body[at] in "Dd":  # a dial string runs to the end of the line
        return Call("D", "run", body[at + 1 :]), len(body)
    match = _REGISTER.match(body, at)
    if match:
        name = f"S{int(match[1])}"
        call = Call(name, "read") if match[3] else Call(name, "set", match[2])
        return call, match.end()
    match = _BASIC.match(body, at)
    if not match:
        return None
    return Call(match[1].upper(), "run", match[2]), match.end()


def calls(body: str) -> list[Call] | None:
    """Take apart what follows "AT"; None: the line cannot be read."""
    found: list[Call] = []
    at = 0
    while at < len(body):
        if body[at] in " ;":
            at += 1
            continue
        match = _EXTENDED.match(body, at)
        if match:
            end = _extended_end(body, match.end())
            call = _extended(match[0].upper(), body[match.end() : end].strip())
            if call is None:
                return None
            found.append(call)
            at = end + 1
            continue
        basic = _basic(body, at)
        if basic is None:
            return None
        found.append(basic[0])
        at = basic[1]
    return found


@dataclass(frozen=True, slots=True)
class Arguments:
    """The values of a set command: strings lose their quotes, empty ones are None.

    bad: raised when a value is missing or out of range.
    """

    values: tuple[str | None, ...]
    bad: Refused

    @classmethod
    def parse(cls, rest: str, bad: Refused | None = None) -> Arguments:
        """Split at commas outside quotes; bad: +CME ERROR: 50 unless told."""
        values: list[str | None] = []
        word, quoted, was_quoted = "", False, False
        for char in [*rest, ","]:
            if char == '"':
                quoted, was_quoted = not quoted, True
            elif char == "," and not quoted:
                text = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), word)
                values.append(text if was_quoted else text.strip() or None)
                word, was_quoted = "", False
            else:
                word += char
        bad = bad if bad is not None else cme(50)
        if quoted:
            raise bad
        return cls(tuple(values), bad)

    def __len__(self) -> int:
        return len(self.values)

    def text(self, index: int, default: str | None = None) -> str:
        """Return string value index, counted from 0; raises bad where it and the default miss."""
        value = self.values[index] if index < len(self.values) else None
        if value is None:
            value = default
        if value is None:
            raise self.bad
        return value

    def integer(
        self, index: int, allowed: range | tuple[int, ...] | None = None, default: int | None = None
    ) -> int:
        """Return integer value index; raises bad where it is missing, no number or not allowed."""
        value = self.values[index] if index < len(self.values) else None
        if value is None:
            if default is None:
                raise self.bad
            return default
        if not (value.isascii() and value.isdigit()):
            raise self.bad
        number = int(value)
        if allowed is not None and number not in allowed:
            raise self.bad
        return number
