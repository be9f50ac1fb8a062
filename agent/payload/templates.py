"""`{name}` placeholders in argument vectors: one element stays one element, and no option."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from agent.payload.values import Refused

_PIECE = re.compile(r"\{\{|\}\}|\{([a-z0-9_-]+)\}|([^{}]+)|(.)", re.DOTALL)
_LITERALS = {"{{": "{", "}}": "}"}
_LARGEST_EXACT = 1e15  # whole floats below it are written without a point


class TemplateError(ValueError):
    """An argument vector in the configuration that cannot be meant."""


def check_exec(exec_: Sequence[str], names: Collection[str]) -> tuple[str, ...]:
    """Name what is wrong with an argument vector whose arguments are `names`; empty: nothing."""
    if not exec_ or not exec_[0]:
        return ("no program",)
    wrong: list[str] = []
    for index, element in enumerate(exec_):
        if "\0" in element:
            wrong.append(f"element {index} holds a NUL")
        try:
            pieces = _pieces(element)
        except TemplateError as error:
            wrong.append(f"element {index}: {error}")
            continue
        for is_name, text in pieces:
            if is_name and index == 0:
                wrong.append("the program cannot be an argument")
            elif is_name and text not in names:
                wrong.append(f"element {index}: no argument {text}")
    return tuple(wrong)


def render_argv(exec_: Sequence[str], args: Mapping[str, str | float]) -> list[str]:
    """Fill the placeholders in; as many elements come out as went in.

    Raises Refused("bad-args") for an absent argument, a NUL, or a value that begins with "-" where
    it begins the element (it would be read as an option); TemplateError for bad braces.
    """
    return [_render(element, args) for element in exec_]


def render_value(value: str | float) -> str:
    """Write a typed value: booleans true / false, whole numbers without a point."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < _LARGEST_EXACT:
        return str(int(value))
    return str(value)


def _render(element: str, args: Mapping[str, str | float]) -> str:
    text = ""
    for is_name, piece in _pieces(element):
        if not is_name:
            text += piece
            continue
        if piece not in args:
            raise Refused("bad-args", f"{piece} missing")
        value = render_value(args[piece])
        if "\0" in value:
            raise Refused("bad-args", f"{piece} holds a NUL")
        if not text and value.startswith("-"):
            raise Refused("bad-args", f"{piece} begins with -")
        text += value
    return text


def _pieces(element: str) -> list[tuple[bool, str]]:
    """Part an element into (is a placeholder, name or literal text)."""
    pieces: list[tuple[bool, str]] = []
    for match in _PIECE.finditer(element):
        name, literal, stray = match.groups()
        if stray is not None:
            raise TemplateError(f"a lone {stray} at {match.start()}; write {stray * 2} for one")
        if name is not None:
            pieces.append((True, name))
        else:
            pieces.append((False, literal or _LITERALS[match[0]]))
    return pieces
