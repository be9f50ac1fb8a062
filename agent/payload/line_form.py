"""The line form of a payload: a command word and key=value words, or such words alone."""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass

from agent.payload.characters import QUOTES, no_quote, typographic
from agent.payload.draft import Draft, Entry, Unfit, folded, scalar

_SPACE = re.compile(r"\s*")
_WORD = re.compile(r'[^\s;="]+(?=[\s;]|\Z)')
_PAIR = re.compile(
    r'([A-Za-z0-9_-]+)=(?:"((?:[^"]++|"")*+)"'
    rf'|([{QUOTES}][^{QUOTES}";]*+[{QUOTES}"]|[^\s=;"]*+))(?=[\s;]|\Z)'
)
_OTHER = re.compile(r"[^\s;]+")
_NEEDS_QUOTES = re.compile(rf'[\s=;"{QUOTES}]')


@dataclass(frozen=True, slots=True)
class Line:
    """A text taken apart as far as the line grammar goes.

    word: the first word where it is no key=value word, else None. draft: the key=value words.
    stray: the first word after it that is none; quote: the typographic quotation mark in it or
    behind. end: where the `;` outside quotes stands that was met, None where there is none.
    """

    word: str | None
    draft: Draft
    stray: str | None
    end: int | None
    quote: str | None = None

    @property
    def is_free_text(self) -> bool:
        """No command and no properties: one word alone, or any word that is no key=value."""
        return self.stray is not None or not (self.draft.entries)

    def knows(self, known: Container[str]) -> bool:
        """Whether the first word names a command."""
        name = None if self.word is None else folded(self.word)
        return name is not None and name in known


def parse(text: str) -> Line:
    """Take a text apart; never refuses, free text is simply found to be some."""
    entries: list[Entry] = []
    word = stray = quote = None
    at = _skip(text, 0)
    if first := _WORD.match(text, at):
        word = first[0]
        at = _skip(text, first.end())
    while at < len(text) and text[at] != ";":
        pair = _PAIR.match(text, at)
        if pair is None:
            other = _OTHER.match(text, at)
            stray = other[0] if other else text[at]
            quote = typographic(text[at:])
            break
        entries.append(_entry(pair))
        at = _skip(text, pair.end())
    end = at if stray is None and at < len(text) else None
    draft = Draft("line", word)
    for key, value in entries:
        if folded(key) == "args":
            draft.args.append(Unfit("bad-args", "no object"))
        else:
            draft.entries.append((key, value))
    return Line(word, draft, stray, end, quote)


def quote(value: str) -> str:
    """Write a value as the line form wants it: bare where that is safe, else "…", `"` doubled."""
    if value and not _NEEDS_QUOTES.search(value):
        return value
    return '"' + value.replace('"', '""') + '"'


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at


def _entry(pair: re.Match[str]) -> Entry:
    key, quoted, bare = pair.groups()
    if quoted is not None:
        return key, scalar(quoted.replace('""', '"'))
    quote = typographic(bare)
    return key, scalar(bare) if quote is None else Unfit("parse", no_quote(quote))
