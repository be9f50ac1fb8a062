"""Argument vectors and argument types as the configuration declares them."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Collection
from pathlib import Path

from agent.config.problems import Complaints, join, listed, shown
from agent.config.sections import ArgSection, PropertySection
from agent.payload.arguments import TYPES, ArgSpec, Value, check_exec, check_spec

_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([a-z0-9_-]+)\}")
_ELEMENT = re.compile(r"element ([0-9]+):? (.*)", re.DOTALL)

# How agent.payload.arguments begins its complaints about a spec -> the key to blame, and what
# it must be.
_BLAME = (
    ("pattern", "pattern", "a regular expression"),
    ("only a string", "pattern", "nothing: only a string has a pattern"),
    ("choice", "choices", "values of the declared type"),
    ("default", "default", "a value that its own rules allow"),
    ("min", "min", "at most max"),
)


def placeholders(vector: Collection[str]) -> frozenset[str]:
    """Name the arguments that a vector uses."""
    found = (match[1] for element in vector for match in _PLACEHOLDER.finditer(element))
    return frozenset(name for name in found if name)


def check_vector(
    path: str, vector: tuple[str, ...], names: Collection[str], complaints: Complaints
) -> None:
    """Complain of a vector that cannot be run; names: the arguments it may use."""
    if not vector or not vector[0]:
        complaints.error(path, "a program and its arguments", shown(vector or ""))
        return
    if not vector[0].startswith("/") or placeholders(vector[:1]):
        complaints.error(
            join(path, 0), "the program's absolute path, without placeholders", shown(vector[0])
        )
    elif not os.access(vector[0], os.X_OK) or not Path(vector[0]).is_file():
        complaints.warn(join(path, 0), "a program that is on this machine", shown(vector[0]))
    for message in check_exec(vector, names):
        match = _ELEMENT.fullmatch(message)
        if match is None:
            continue  # about the program: told above
        index, complaint = int(match[1]), match[2]
        expected = "text without NUL, where { and } are written {{ and }}"
        if complaint.startswith("no argument"):
            expected = f"placeholders of declared arguments only ({listed(names) or 'none'})"
        complaints.error(join(path, index), expected, f"{shown(vector[index])} ({complaint})")


def spec_of(
    path: str, written: ArgSection | PropertySection, complaints: Complaints, *, needed: bool
) -> ArgSpec | None:
    """Give the type of an argument, None (and complaints) where it contradicts itself.

    needed: whether it must be given where the configuration does not say.
    """
    type_ = "string" if written.type is None else written.type
    if not complaints.one_of(f"{path}.type", type_, TYPES) or not _plain(path, written, complaints):
        return None
    default: Value | None = None
    required: bool | None = False
    if isinstance(written, ArgSection):
        default, required = _scalar(written.default), written.required
    spec = ArgSpec(
        type=type_,
        min=written.min,
        max=written.max,
        pattern=written.pattern,
        choices=_choices(written),
        default=default,
        required=(needed and default is None) if required is None else required,
    )
    wrong = check_spec(spec)
    for message in wrong:
        key, expected = next(
            ((f"{path}.{key}", text) for start, key, text in _BLAME if message.startswith(start)),
            (path, "rules that fit the type"),
        )
        complaints.error(key, expected, message)
    return None if wrong else spec


def _plain(path: str, written: ArgSection | PropertySection, complaints: Complaints) -> bool:
    """Whether every bound is finite and every choice and default is a scalar."""
    good = True
    for key in ("min", "max"):
        bound = getattr(written, key)
        if bound is not None and not math.isfinite(bound):
            complaints.error(f"{path}.{key}", "a finite number", shown(bound))
            good = False
    if written.choices is not None and not written.choices:
        complaints.error(f"{path}.choices", "at least one choice", "an empty array")
        good = False
    for index, choice in enumerate(written.choices or ()):
        if _scalar(choice) is None:
            complaints.error(
                join(f"{path}.choices", index), "a string, a number or a boolean", shown(choice)
            )
            good = False
    if isinstance(written, ArgSection) and written.default is not None:
        default = _scalar(written.default)
        if default is None or (isinstance(default, float) and not math.isfinite(default)):
            complaints.error(
                f"{path}.default", "a string, a finite number or a boolean", shown(written.default)
            )
            good = False
    return good


def _choices(written: ArgSection | PropertySection) -> tuple[Value, ...] | None:
    if written.choices is None:
        return None
    values = (_scalar(choice) for choice in written.choices)
    return tuple(value for value in values if value is not None)


def _scalar(value: object) -> Value | None:
    return value if isinstance(value, str | int | float | bool) else None
