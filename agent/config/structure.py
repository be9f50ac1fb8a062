"""Gives parsed TOML its shape: tables to sections, types checked strictly, unknown keys refused."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import UnionType
from typing import Any, Final, get_args, get_origin, get_type_hints

from agent.config.problems import Complaints, guess, join, listed, shown
from agent.config.sections import (
    BudgetSection,
    CommandSection,
    ControlSection,
    DeviceSection,
    JournalSection,
    ModemSection,
    MqttSection,
    PlatformSection,
    PropertySection,
    ReportSection,
    Sections,
    SecuritySection,
)

WORDS = {str: "a string", bool: "true or false", int: "an integer", float: "a number"}

TOP: Mapping[str, Any] = {
    "device": DeviceSection,
    "modem": ModemSection,
    "platforms": dict[str, PlatformSection],
    "mqtt": MqttSection,
    "report": ReportSection,
    "security": SecuritySection,
    "budget": BudgetSection,
    "journal": JournalSection,
    "control": ControlSection,
    "command": dict[str, CommandSection],
    "property": dict[str, PropertySection],
}

MISFIT: Final = object()  # instead of a value that was complained of: its key is left out


def structure(document: Mapping[str, Any], complaints: Complaints) -> Sections:
    """Structure a parsed document; keys of the wrong shape are complained of and left out."""
    values: dict[str, Any] = {}
    for name, table in document.items():
        if name not in TOP:
            complaints.error(
                join("", name), f"one of {listed(TOP)}{guess(name, TOP)}", "an unknown key"
            )
        elif name == "platforms" and isinstance(table, dict):
            # `enabled` stands beside the rows' tables: part them, so that each has one type.
            rows = {key: value for key, value in table.items() if key != "enabled"}
            values[name] = _value(rows, TOP[name], name, complaints)
            if "enabled" in table:
                values["enabled"] = _value(
                    table["enabled"], tuple[str, ...], "platforms.enabled", complaints
                )
        else:
            values[name] = _value(table, TOP[name], name, complaints)
    return Sections(**{name: value for name, value in values.items() if value is not MISFIT})


def _value(value: Any, type_: Any, path: str, complaints: Complaints) -> Any:
    """Structure one value: as it is, an array as a tuple, a table as its section or a dict."""
    if type_ is object:
        return value
    if type_ in WORDS:
        good = isinstance(value, (int, float) if type_ is float else type_)
        if good and (type_ is bool or not isinstance(value, bool)):
            return value
        complaints.error(path, WORDS[type_], shown(value))
    elif get_origin(type_) is tuple:
        if (elements := _elements(value, get_args(type_)[0], path, complaints)) is not None:
            return elements
    elif isinstance(value, dict):
        return _table(value, type_, path, complaints)
    else:
        complaints.error(path, "a table", shown(value))
    complaints.cover(path)
    return MISFIT


def _elements(value: Any, type_: Any, path: str, complaints: Complaints) -> tuple[Any, ...] | None:
    """Structure an array; a misfit element takes the array with it, after its neighbours' turn."""
    if not isinstance(value, list):
        complaints.error(path, "an array of strings" if type_ is str else "an array", shown(value))
        return None
    elements = tuple(
        _value(element, type_, join(path, index), complaints) for index, element in enumerate(value)
    )
    return None if MISFIT in elements else elements


def _table(table: dict[str, Any], type_: Any, path: str, complaints: Complaints) -> Any:
    """Structure a table: dict[str, T] under names of the author's choice, a section under ours."""
    rows = get_origin(type_) is dict
    types = dict.fromkeys(table, get_args(type_)[1]) if rows else _types(type_)
    values = {}
    for key, value in table.items():
        at = join(path, key)
        if key not in types:
            expected = f"one of {listed(types)}{guess(key, types)}"
            complaints.error(at, expected, "an unknown key")
            complaints.cover(at)
        elif (fitting := _value(value, types[key], at, complaints)) is not MISFIT:
            values[key] = fitting
    return values if rows else type_(**values)


@functools.cache
def _types(section: type) -> Mapping[str, Any]:
    """Give a section's keys with their types, without the None that stands for an absent key."""
    hints = get_type_hints(section)
    return {k: get_args(t)[0] if isinstance(t, UnionType) else t for k, t in hints.items()}
