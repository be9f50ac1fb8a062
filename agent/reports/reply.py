"""Reply SMS: one line of GSM-7 basic characters, the id first, cut to what may be sent."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime

from agent.payload.characters import code_point
from agent.payload.line_form import quote
from agent.payload.templates import render_value
from at.sms.alphabets import gsm7

SINGLE_SEPTETS = 160
PART_SEPTETS = 153  # TS 23.040 §9.2.3.24.1: the concatenation header takes seven
SHORT_WORD = 12  # a cut word of which less would be left is dropped whole
NO_ID = "-"

_ALIKE = str.maketrans(
    {
        "{": "(",
        "}": ")",
        "[": "(",
        "]": ")",
        "\\": "/",
        "|": "/",
        "^": "'",
        "~": "-",
        "`": "'",
        "\u00b4": "'",
        "\u20ac": "EUR",
        "\u2018": "'",
        "\u2019": "'",
        "\u201a": ",",
        "\u201c": '"',
        "\u201d": '"',
        "\u201e": '"',
        "\u00ab": '"',
        "\u00bb": '"',
        "\u2010": "-",
        "\u2011": "-",
        "\u2012": "-",
        "\u2013": "-",
        "\u2014": "-",
        "\u2212": "-",
        "\u2022": "*",
        "\u00b0": "o",
        "\u00b5": "u",
        "\u03bc": "u",
        "\u00d7": "x",
    }
)


def compose_ok(
    id_: str | None,
    result: Mapping[str, str | float],
    *,
    repeated: bool = False,
    max_segments: int = 1,
) -> str:
    """Compose `<id> OK key=value …`, the values quoted as in line form."""
    words = [f"{basic(key)}={quote(basic(render_value(value)))}" for key, value in result.items()]
    return _line(id_, "OK", words, repeated=repeated, max_segments=max_segments)


def compose_error(
    id_: str | None,
    reason: str,
    detail: str = "",
    *,
    refused: bool = False,
    repeated: bool = False,
    max_segments: int = 1,
) -> str:
    """Compose `<id> ER <reason> <detail>`.

    refused: the detail is about what was written, so that nothing in it is replaced: a character
    that cannot be sent is told as <U+201C>.
    """
    words = [basic(reason), (_spelled if refused else basic)(detail).strip()]
    return _line(id_, "ER", words, repeated=repeated, max_segments=max_segments)


def compose_waiting(
    id_: str | None, state: str, due: datetime | None = None, *, max_segments: int = 1
) -> str:
    """Compose `<id> WT running` or `<id> WT scheduled <time>`; due: aware, told in UTC."""
    words = [basic(state)]
    if due is not None:
        words.append(due.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    return _line(id_, "WT", words, repeated=False, max_segments=max_segments)


def basic(text: str) -> str:
    """Write a text in GSM-7 basic characters on one line (docs/payloads.md).

    White space becomes a space; brackets, quotes, dashes and the like become their plain
    neighbours; accents that the alphabet lacks are dropped; the rest becomes `?`.
    """
    if gsm7.is_basic(text) and text.isprintable():
        return text
    return "".join(_basic(character) for character in text)


def _spelled(text: str) -> str:
    return "".join(
        character
        if gsm7.is_basic(character) and character.isprintable()
        else f"<{code_point(character)}>"
        for character in text
    )


def _basic(character: str) -> str:
    if character.isspace():
        return " "
    if gsm7.is_basic(character):
        return character
    plain = character.translate(_ALIKE)
    if plain == character:
        parts = unicodedata.normalize("NFKD", character)
        plain = "".join(c for c in parts if not unicodedata.combining(c)).translate(_ALIKE)
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return ""  # belongs to its neighbour, and says nothing alone
    return plain if plain and gsm7.is_basic(plain) else "?"


def _line(
    id_: str | None, kind: str, words: list[str], *, repeated: bool, max_segments: int
) -> str:
    text = " ".join(word for word in (id_ or NO_ID, kind, *words) if word)
    tail = " dup" if repeated else ""
    room = SINGLE_SEPTETS if max_segments == 1 else PART_SEPTETS * max_segments
    return _cut(text, room - len(tail)) + tail


def _cut(text: str, room: int) -> str:
    """Shorten to `room` characters, `+` last; a short remainder of a word goes with the word."""
    if len(text) <= room:
        return text
    start = text.rfind(" ", 0, room - 1) + 1
    if start and room - start <= SHORT_WORD:
        return text[:start] + "+"
    return text[: room - 1] + "+"
