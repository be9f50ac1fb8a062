"""What a person's terminal needs: harmless text, local times, tables that fit."""

from __future__ import annotations

import shutil
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TextIO

from agent.payload.line_form import quote

__all__ = ["is_person", "local", "pairs", "printable", "span", "table"]

GAP: Final = "  "
CUT: Final = "…"
LEAST: Final = 10  # columns that the last one keeps on the narrowest terminal


def is_person(stream: TextIO | None = None) -> bool:
    """Whether somebody looks: progress, headings and shortened lines are for people."""
    return (sys.stdout if stream is None else stream).isatty()


def printable(text: object) -> str:
    """Write a text so that it stays on its line and cannot command the terminal."""
    return "".join(_harmless(character) for character in str(text))


def _harmless(character: str) -> str:
    if character.isprintable():
        return character
    named = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character)
    if named is not None:
        return named
    code = ord(character)
    return (
        f"\\x{code:02x}"
        if code < 0x100
        else f"\\u{code:04x}"
        if code < 0x10000
        else f"\\U{code:08x}"
    )


def local(moment: str | None, *, milliseconds: bool = False) -> str:
    """Write an ISO 8601 time in the zone of this machine, to the second or finer."""
    if not moment:
        return ""
    here = datetime.fromisoformat(moment).astimezone()
    text = here.strftime("%Y-%m-%d %H:%M:%S")
    return f"{text}.{here.microsecond // 1000:03d}" if milliseconds else text


def span(seconds: float) -> str:
    """Write a duration in its two largest units."""
    left = int(seconds)
    words: list[str] = []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count or (unit == "s" and not words):
            words.append(f"{count} {unit}")
    return " ".join(words[:2])


def pairs(values: Mapping[str, Any]) -> str:
    """Write values as `key=value …`, quoted as in the line form."""
    return " ".join(f"{key}={quote(_plain(value))}" for key, value in values.items())


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def table(
    rows: Sequence[Sequence[str]],
    heading: Sequence[str],
    *,
    person: bool,
    widths: Sequence[int] | None = None,
) -> list[str]:
    """Set rows in columns; the last column is cut to the terminal, for a person.

    widths: of the columns before the last, None: as wide as their cells. In a pipe there is no
    heading and nothing is cut.
    """
    shown = [tuple(heading), *rows] if person else list(rows)
    if widths is None:
        widths = [
            max((_width(row[n]) for row in shown), default=0) for n in range(len(heading) - 1)
        ]
    room = shutil.get_terminal_size().columns if person else None
    return [_line(row, widths, room) for row in shown]


def _line(row: Sequence[str], widths: Sequence[int], room: int | None) -> str:
    start = GAP.join(
        cell + " " * (width - _width(cell)) for cell, width in zip(row[:-1], widths, strict=True)
    )
    line = f"{start}{GAP}{row[-1]}".rstrip()
    if room is None:
        return line
    return _cut(line, max(room, _width(start) + LEAST))


def _width(text: str) -> int:
    """Return the columns a text takes: wide East Asian characters two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) else 2 if _is_wide(character) else 1
        for character in text
    )


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in ("W", "F")


def _cut(line: str, room: int) -> str:
    if _width(line) <= room:
        return line
    while _width(line) > room - 1:
        line = line[:-1]
    return line + CUT
