"""Typed arguments: from the canonical strings of a request to values, or a refusal by name."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from agent.payload.characters import named
from agent.payload.patterns import PatternError, compile_pattern
from agent.payload.templates import TemplateError, check_exec, render_argv, render_value
from agent.payload.values import Refused
from at.errors import EncodeError
from at.sms import read_number

__all__ = [
    "TYPES",
    "ArgSpec",
    "Refused",
    "TemplateError",
    "Value",
    "check_exec",
    "check_spec",
    "render_argv",
    "render_value",
    "validate",
]

Value = str | int | float | bool

TYPES = ("string", "integer", "number", "boolean")
MAX_INTEGER = 2**63  # what every consumer, SQLite among them, can hold

_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_BOOLEANS = {
    "true": True,
    "1": True,
    "on": True,
    "yes": True,
    "false": False,
    "0": False,
    "off": False,
    "no": False,
}


@dataclass(frozen=True, slots=True)
class ArgSpec:
    """What one argument must be.

    type: one of TYPES. min, max: bounds of a number, inclusive; of a string, its length in
    characters. pattern: a string matches it in full. choices: the only values, None: any. default:
    taken where the argument is absent; without one and not required, it stays absent. phone: a
    string is a telephone number as people write it, its value the number as dialled.
    """

    type: str = "string"
    min: float | None = None
    max: float | None = None
    pattern: str | None = None
    choices: tuple[Value, ...] | None = None
    default: Value | None = None
    required: bool = False
    phone: bool = False


def validate(specs: Mapping[str, ArgSpec], args: Mapping[str, str]) -> dict[str, Value]:
    """Give the typed values of all arguments, defaults filled in, in the order of the specs.

    Raises Refused("bad-args"), the argument's name first in the detail.
    """
    for name in args:
        if name not in specs:
            raise Refused("bad-args", f"{named(name)} unknown")
    values: dict[str, Value] = {}
    for name, spec in specs.items():
        if name in args:
            values[name] = _typed(name, spec, args[name])
        elif spec.default is not None:
            values[name] = spec.default
        elif spec.required:
            raise Refused("bad-args", f"{name} missing")
    return values


def check_spec(spec: ArgSpec) -> tuple[str, ...]:
    """Name what is wrong with a spec itself, as the configuration wrote it; empty: nothing."""
    wrong: list[str] = []
    if spec.type not in TYPES:
        return (f"type is not one of {', '.join(TYPES)}",)
    if spec.min is not None and spec.max is not None and spec.min > spec.max:
        wrong.append("min is above max")
    if spec.type == "boolean" and (spec.min, spec.max, spec.choices) != (None, None, None):
        wrong.append("a boolean has no min, max or choices")
    if spec.pattern is not None:
        wrong += _pattern_problems(spec)
    for choice in spec.choices or ():
        if not _is_a(spec.type, choice):
            wrong.append(f"choice {choice!r} is no {spec.type}")
    if wrong or spec.default is None:
        return tuple(wrong)
    if not _is_a(spec.type, spec.default):
        return (f"default {spec.default!r} is no {spec.type}",)
    try:
        _check("default", spec, spec.default)
    except Refused as refused:
        return (refused.refusal.detail,)
    return ()


def _pattern_problems(spec: ArgSpec) -> list[str]:
    if spec.type != "string":
        return ["only a string has a pattern"]
    try:
        compile_pattern(spec.pattern or "")
    except PatternError as error:
        return [f"pattern: {error}"]
    return []


def _is_a(type_: str, value: Value) -> bool:
    if isinstance(value, bool):
        return type_ == "boolean"
    if isinstance(value, str):
        return type_ == "string"
    return type_ == "number" or (type_ == "integer" and isinstance(value, int))


def _typed(name: str, spec: ArgSpec, text: str) -> Value:
    try:
        value = _phone(text) if spec.phone else _READERS[spec.type](text)
    except ValueError as error:
        raise Refused("bad-args", f"{name} {error}") from None
    _check(name, spec, value)
    return value


def _string(text: str) -> str:
    if "\0" in text:
        raise ValueError("holds a NUL")  # no argument vector can carry one
    return text


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text) or not -MAX_INTEGER <= int(text) < MAX_INTEGER:
        raise ValueError("is no integer")
    return int(text)


def _number(text: str) -> float:
    if not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
        raise ValueError("is no number")
    return float(text)


def _boolean(text: str) -> bool:
    # isascii: U+212A and its like fold into the ASCII words
    value = _BOOLEANS.get(text.lower()) if text.isascii() else None
    if value is None:
        raise ValueError("is no boolean")
    return value


def _phone(text: str) -> str:
    try:
        return read_number(text)
    except EncodeError as error:
        raise ValueError(f"is {error.detail}") from None


_READERS: Mapping[str, Callable[[str], Value]] = {
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
}


def _check(name: str, spec: ArgSpec, value: Value) -> None:
    if isinstance(value, bool):
        return
    measure = len(value) if isinstance(value, str) else value
    below, above = ("shorter than", "longer than") if isinstance(value, str) else ("below", "above")
    if spec.min is not None and measure < spec.min:
        raise Refused("bad-args", f"{name} {below} {spec.min:g}")
    if spec.max is not None and measure > spec.max:
        raise Refused("bad-args", f"{name} {above} {spec.max:g}")
    if spec.choices is not None and value not in spec.choices:
        if not spec.choices:
            raise Refused("bad-args", f"{name} is unknown: none is configured")
        allowed = ",".join(render_value(choice) for choice in spec.choices)
        raise Refused("bad-args", f"{name} is not one of {allowed}")
    if spec.pattern is not None and not compile_pattern(spec.pattern).matches(str(value)):
        raise Refused("bad-args", f"{name} does not match its pattern")
