"""The JSON form of a payload: an object of scalars, read without converting a single number."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from agent.payload.characters import (
    code_point,
    first_hidden,
    named,
    no_quote,
    space_out,
    typographic,
    visible,
)
from agent.payload.draft import Draft, Entry, Unfit, Value, folded, scalar
from agent.payload.values import Refused

MAX_DEPTH = 4

# A string (closed or not) or a bracket; possessive, so that no input makes it look twice.
_STRING = r'"(?:[^"\\]++|\\.)*+"?'
_TOKEN = re.compile(rf"{_STRING}|[{{}}\[\]]", re.DOTALL)
_BETWEEN = re.compile(rf'({_STRING})|[^"]+', re.DOTALL)
_ID_PAIR = re.compile(
    r'"[Ii][Dd]"[ \t\r\n]*:[ \t\r\n]*(?:("[^"\\]*")|(-?[0-9][0-9.eE+-]*))(?=[ \t\r\n]*[,}])'
)


class _Pairs(list[tuple[str, Any]]):
    """An object as its pairs: a repeated key is still there."""


class _Number(str):
    """A number literal as written."""

    __slots__ = ()


class _Constant(str):
    """NaN, Infinity or -Infinity, which JSON has not."""

    __slots__ = ()


_DECODER = json.JSONDecoder(
    object_pairs_hook=_Pairs,
    parse_int=_Number,
    parse_float=_Number,
    parse_constant=_Constant,
)


def parse(text: str) -> Draft:
    """Take apart a body that starts with "{"; a `;` after the object ends the command.

    Raises Refused("parse"): no JSON, deeper than MAX_DEPTH, or followed by other text.
    """
    _check_depth(text)
    text = _BETWEEN.sub(lambda piece: piece[1] or space_out(piece[0]), text)
    try:
        pairs, end = _DECODER.raw_decode(text)
    except json.JSONDecodeError as error:
        raise Refused("parse", f"JSON at {error.pos}: {_blame(text, error)}") from None
    if text[end:].lstrip()[:1] not in ("", ";"):
        raise Refused("parse", f"JSON at {end}: text after the object")
    draft = Draft("json")
    for key, value in _seen(pairs):
        if folded(key) == "args":
            draft.args.append(_entries(value))
        else:
            draft.entries.append((key, _value(key, value)))
    return draft


def legible_id(text: str) -> list[Entry]:
    """Find the `id` entries on the top level of an object that is no JSON (cut, most likely)."""
    found: list[Entry] = []
    for depth, token in _tokens(text):
        if depth == 1 and (pair := _ID_PAIR.match(text, token.start())):
            quoted, number = pair.groups()
            found.append(("id", quoted[1:-1] if quoted is not None else number))
    return found


def _tokens(text: str) -> Iterator[tuple[int, re.Match[str]]]:
    """Strings and brackets up to the end of the object, each with the depth it stands at."""
    depth = 0
    for token in _TOKEN.finditer(text):
        if token[0] in "{[":
            depth += 1
        elif token[0] in "}]":
            depth -= 1
            if depth == 0:
                return
        yield depth, token


def _check_depth(text: str) -> None:
    """Bound the decoder's recursion before it starts."""
    if any(depth > MAX_DEPTH for depth, _ in _tokens(text)):
        raise Refused("parse", f"JSON deeper than {MAX_DEPTH}")


def _blame(text: str, error: json.JSONDecodeError) -> str:
    """Name the character that stands in the way where it does not show what it is."""
    here = text[error.pos : error.pos + 1]
    quote = typographic(here)
    if quote is None and error.msg.startswith("Expecting"):
        quote = typographic(text[1 : error.pos])
    if quote is not None:
        return no_quote(quote)
    if here and not (here.isascii() and here.isprintable()):
        return f"{code_point(here)}; {error.msg}"
    return error.msg


def _seen(pairs: _Pairs) -> Iterator[tuple[str, Any]]:
    """Give the pairs, their keys without what is invisible at the ends; inside it is refused."""
    for written, value in pairs:
        key = visible(written)
        if hidden := first_hidden(key):
            raise Refused("parse", f"{named(hidden.rest)} {hidden.what}")
        yield key, value


def _entries(value: object) -> list[Entry] | Unfit:
    if not isinstance(value, _Pairs):
        return Unfit("bad-args", "no object")
    return [(key, _value("", inner)) for key, inner in _seen(value)]


def _value(key: str, value: object) -> Value:
    """Give the canonical text of a scalar; `cmd` is a string, `id` a string or a number."""
    name = folded(key)
    match value:
        case bool() if name not in ("cmd", "id"):
            return "true" if value else "false"
        case _Number() if name != "cmd":
            return str(value)
        case str() if not isinstance(value, _Number | _Constant):
            return scalar(value)
        case _:
            return _unfit(value)


def _unfit(value: object) -> Unfit:
    match value:
        case _Constant():
            return Unfit("parse", str(value))
        case _Pairs():
            return Unfit("bad-args", "object")
        case list():
            return Unfit("bad-args", "array")
        case None:
            return Unfit("bad-args", "null")
        case _:
            return Unfit("bad-args", "no string")
