"""Splits the parameters of an information line (V.250 §5.4.2, TS 27.007 §4)."""

from __future__ import annotations

import re
from typing import Final

_FIELD = re.compile(r'\s*+(?:"([^"]*)"|([^,"]*+))\s*+(?:,|$)')
_GROUP = re.compile(r"\(([^()]*)\)|([^,()]+)")
_RANGE = re.compile(r"([0-9]{1,10})\s*-\s*([0-9]{1,10})")
_NUMBER = re.compile("-?[0-9]{1,10}")
MAX_RANGE: Final = 1000  # (0-4294967295) is said by some modems for "any"


def split(line: str) -> list[str]:
    """The parameters after "+NAME: ", quotes removed; an omitted one is "".

    A quote that is never closed takes the rest of the line.
    """
    text = line.partition(":")[2] if ":" in line.partition('"')[0] else line
    text = text.strip()
    if not text:
        return []
    found = []
    position = 0
    while position <= len(text):
        match = _FIELD.match(text, position)
        if match is None or (match.end() == position and position < len(text)):
            found.append(text[position:].strip('"'))
            break
        found.append(match[1] if match[1] is not None else match[2].strip())
        position = match.end()
        if position == len(text) and text[-1] != ",":
            break
        if position == len(text):
            found.append("")
            break
    return found


def number(text: str) -> int | None:
    """A decimal parameter; None where it is omitted or no number."""
    stripped = text.strip()
    return int(stripped) if _NUMBER.fullmatch(stripped) else None


def _plain(value: str) -> str:
    """A number without its leading zeros (V.250 §5.4.2.1 allows them); any other value as it is."""
    return str(int(value)) if _NUMBER.fullmatch(value) else value


def offers(line: str) -> list[frozenset[str]]:
    """What a test command says it takes, a set of values per parameter.

    "+CNMI: (0-2),(0,1),2" -> [{"0","1","2"}, {"0","1"}, {"2"}]; quotes are removed, and leading
    zeros of numbers. A value in quotes is a name: "8859-1" is no range.
    """
    text = line.partition(":")[2] if ":" in line else line
    result = []
    for match in _GROUP.finditer(text):
        values: set[str] = set()
        for part in (match[1] if match[1] is not None else match[2]).split(","):
            shown = part.strip()
            value = shown.strip('"').strip()
            bounds = None if shown.startswith('"') else _RANGE.fullmatch(value)
            low, high = (int(bounds[1]), int(bounds[2])) if bounds is not None else (1, 0)
            if low <= high:
                values.update(str(n) for n in range(low, min(high, low + MAX_RANGE) + 1))
            elif value or match[1] is not None:
                values.add(_plain(value))
        if values:
            result.append(frozenset(values - {""}))
    return result
