"""A Request written out again: in either form, and as the canonical text that is signed."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from agent.payload.characters import QUOTES
from agent.payload.line_form import quote
from agent.payload.values import Request

_TAIL = ("id", "when", "exp", "reply", "k", "c", "m")
_NUMBERS = ("k", "c")
_JSON_LITERAL = re.compile(r"true|false|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_ARGV_PAIR = re.compile(r"([A-Za-z0-9_-]+)=(.*)", re.DOTALL)
_QUOTED = re.compile(r'"(?:[^"]++|"")*+"')


def canonical(request: Request, *, id: str | None = None) -> str:  # noqa: A002 - the key's name
    """Give the canonical request: UTF-8 JSON, sorted keys, no spaces, every value a string.

    Of args, cmd, exp, id, reply, when, what is present; arguments that are none are not. `id`
    replaces the payload's own: with the effective id, two messages of one command compare equal
    whether the id stood in the payload or came with the message.
    """
    present: dict[str, object] = {"cmd": request.cmd}
    if request.args:
        present["args"] = dict(request.args)
    for name in ("exp", "id", "reply", "when"):
        value = id if name == "id" and id is not None else getattr(request, name)
        if value is not None:
            present[name] = value
    return json.dumps(present, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def to_line(request: Request) -> str:
    """Write the line form; read() gives the same request again."""
    words = [] if request.properties else [request.cmd]
    words += [f"{name}={quote(value)}" for name, value in (*request.args.items(), *_tail(request))]
    return " ".join(words)


def to_json(request: Request) -> str:
    """Write the JSON form, as short as it goes: arguments beside `cmd`, literals unquoted."""
    pairs = [] if request.properties else [f'"cmd":{_string(request.cmd)}']
    pairs += [f"{_string(name)}:{_literal(value)}" for name, value in request.args.items()]
    pairs += [
        f"{_string(name)}:{(_literal if name in _NUMBERS else _string)(value)}"
        for name, value in _tail(request)
    ]
    return "{" + ",".join(pairs) + "}"


def from_words(words: Sequence[str]) -> str:
    """Join the words of an argument vector to one body.

    One word is the body itself. Of several, a key=value word whose value the shell has unquoted
    (`text=hello world`) is quoted again.
    """
    if len(words) == 1:
        return words[0]
    return " ".join(_requoted(word) for word in words)


def _tail(request: Request) -> list[tuple[str, str]]:
    values = ((name, getattr(request, name)) for name in _TAIL)
    return [(name, value) for name, value in values if value is not None]


def _string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _literal(text: str) -> str:
    return text if _JSON_LITERAL.fullmatch(text) else _string(text)


def _requoted(word: str) -> str:
    pair = _ARGV_PAIR.fullmatch(word)
    if pair is None or _QUOTED.fullmatch(pair[2]) or pair[2].startswith(tuple(QUOTES)):
        return word  # quotes of a word processor are refused as on every other way in
    return f"{pair[1]}={quote(pair[2])}"
