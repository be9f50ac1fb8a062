"""The JSON form of a payload: an object of scalars, read without converting a single number."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from agent.grammar.draft import Draft, Entry, Unfit, Value, folded, scalar
from agent.grammar.values import Refused

MAX_DEPTH = 4

# A string (closed or not) or a bracket; possessive, so that no input makes it look twice.
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[{}\[\]]', re.DOTALL)
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
    try:
        pairs, end = _DECODER.raw_decode(text)
    except json.JSONDecodeError as error:
        raise Refused("parse", f"JSON at {error.pos}: {error.msg}") from None
    if text[end:].lstrip()[:1] not in ("", ";"):
        raise Refused("parse", f"JSON at {end}: text after the object")
    draft = Draft("json")
    for key, value in pairs:
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


def _entries(value: object) -> list[Entry] | Unfit:
    if not isinstance(value, _Pairs):
        return Unfit("bad-args", "no object")
    return [(key, _value("", inner)) for key, inner in value]


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
