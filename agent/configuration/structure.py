"""Gives parsed TOML its shape: tables to sections, types checked strictly, unknown keys refused."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, get_args, get_origin

import cattrs
from cattrs.errors import BaseValidationError, ForbiddenExtraKeysError, IterableValidationNote
from cattrs.gen import make_dict_structure_fn, mapping_structure_factory

from agent.configuration.complaints import Complaints, guess, join, listed, shown
from agent.configuration.sections import (
    BudgetSection,
    CommandSection,
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

Keys = tuple[str | int, ...]
Hook = Callable[[Any, Any], Any]

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
    "command": dict[str, CommandSection],
    "property": dict[str, PropertySection],
}


class Mismatch(Exception):  # noqa: N818 - carried by cattrs from the leaf to the walker, never seen
    """Values of the wrong type below one key: (keys, expected, value) each."""

    def __init__(self, *leaves: tuple[Keys, str, object]) -> None:
        super().__init__(leaves)
        self.leaves = leaves


def structure(document: Mapping[str, Any], complaints: Complaints) -> Sections:
    """Structure a parsed document; keys of the wrong shape are complained of and left out."""
    values: dict[str, Any] = {}
    for name, table in document.items():
        if name not in TOP:
            complaints.error(
                join("", name), f"one of {listed(TOP)}{guess(name, TOP)}", "an unknown key"
            )
        elif not isinstance(table, dict):
            complaints.error(name, "a table", shown(table))
            complaints.cover(name)
        elif name == "platforms":
            values["enabled"], values["platforms"] = _platforms(table, complaints)
        else:
            values[name] = _piece(table, TOP[name], (name,), complaints)
    return Sections(**values)


def _platforms(
    table: dict[str, Any], complaints: Complaints
) -> tuple[tuple[str, ...] | None, dict[str, PlatformSection]]:
    """`enabled` stands beside the rows' tables: part them, so that each has one type."""
    rows = {name: value for name, value in table.items() if name != "enabled"}
    enabled: tuple[str, ...] | None = None
    if "enabled" in table:
        piece = _piece({"enabled": table["enabled"]}, _Enabled, ("platforms",), complaints)
        enabled = piece.enabled
    return enabled, _piece(rows, TOP["platforms"], ("platforms",), complaints)


@dataclasses.dataclass(frozen=True, slots=True)
class _Enabled:
    enabled: tuple[str, ...] | None = None


def _piece(table: dict[str, Any], type_: Any, at: Keys, complaints: Complaints) -> Any:
    """Structure one table; what does not fit is complained of, cut out, and the rest kept."""
    while True:
        try:
            return _CONVERTER.structure(table, type_)
        except BaseValidationError as error:
            misfits = list(_walk(error))
        for keys, expected, got in misfits:
            complaints.error(_path(*at, *keys), expected, got)
        for keys, _, _ in misfits:
            cut = _table_keys(keys)
            complaints.cover(_path(*at, *cut))
            table = _without(table, cut)


def _walk(error: BaseException, at: Keys = ()) -> Iterator[tuple[Keys, str, str]]:
    """Yield every leaf of a cattrs error as (keys, expected, got)."""
    match error:
        case BaseValidationError():
            noted, plain = error.group_exceptions()  # type: ignore[attr-defined]
            for inner, note in noted:
                key = note.index if isinstance(note, IterableValidationNote) else note.name
                yield from _walk(inner, (*at, key))
            for inner in plain:
                yield from _walk(inner, at)
        case ForbiddenExtraKeysError(cl=cls, extra_fields=extra):
            names = [field.name for field in dataclasses.fields(cls)]
            for key in sorted(extra):
                yield (*at, key), f"one of {listed(names)}{guess(key, names)}", "an unknown key"
        case Mismatch(leaves=leaves):
            for keys, expected, value in leaves:
                yield (*at, *keys), expected, shown(value)
        case _:
            raise error


def _path(*keys: str | int) -> str:
    path = ""
    for key in keys:
        path = join(path, key)
    return path


def _table_keys(keys: Keys) -> tuple[str, ...]:
    """Give the keys down to the innermost array: a misfit element takes the array with it."""
    return tuple(itertools.takewhile(lambda key: isinstance(key, str), keys))  # type: ignore[arg-type] # mypy does not narrow through takewhile


def _without(table: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    """Copy the table without the key."""
    copy = dict(table)
    head, *rest = keys
    if rest and isinstance(copy.get(head), dict):
        copy[head] = _without(copy[head], tuple(rest))
    else:
        copy.pop(head, None)
    return copy


def _scalar(type_: type) -> Hook:
    def hook(value: Any, _: Any) -> Any:
        good = isinstance(value, (int, float) if type_ is float else type_)
        if not good or (isinstance(value, bool) and type_ is not bool):
            raise Mismatch(((), WORDS[type_], value))
        return value

    return hook


def _array(type_: Any) -> Hook:
    element = get_args(type_)[0]
    expected = "an array of strings" if element is str else "an array"

    def hook(value: Any, _: Any) -> Any:
        if not isinstance(value, list):
            raise Mismatch(((), expected, value))
        wrong = [n for n, item in enumerate(value) if element is str and not isinstance(item, str)]
        if wrong:
            raise Mismatch(*(((n,), "a string", value[n]) for n in wrong))
        return tuple(value)

    return hook


def _table(structure_fields: Hook) -> Hook:
    def hook(value: Any, type_: Any) -> Any:
        if not isinstance(value, dict):
            raise Mismatch(((), "a table", value))
        return structure_fields(value, type_)

    return hook


def _is(origin: type) -> Callable[[Any], bool]:
    return lambda type_: bool(get_origin(type_) == origin)


def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True)
    for type_ in WORDS:
        converter.register_structure_hook(type_, _scalar(type_))
    converter.register_structure_hook_func(lambda t: t is object, lambda value, _: value)
    converter.register_structure_hook_factory(_is(tuple), _array)
    converter.register_structure_hook_factory(
        dataclasses.is_dataclass,
        lambda t: _table(make_dict_structure_fn(t, converter, _cattrs_forbid_extra_keys=True)),
    )
    converter.register_structure_hook_factory(
        _is(dict), lambda t: _table(mapping_structure_factory(t, converter, dict))
    )
    return converter


_CONVERTER = _converter()
