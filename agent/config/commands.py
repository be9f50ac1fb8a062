"""The [command.NAME] tables: built-in commands configured, new ones defined."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import cast

from agent.config.model import CHANNELS, Channel, CommandConfig
from agent.config.problems import Complaints, guess, join, listed, shown
from agent.config.sections import CommandSection
from agent.config.vectors import check_vector, placeholders, spec_of
from agent.payload.arguments import ArgSpec

# The commands of the agent itself, and whether they are on without being asked for.
BUILT_IN: Mapping[str, bool] = MappingProxyType(
    {
        "ping": True,
        "help": True,
        "info": True,
        "status": True,
        "get": True,
        "history": True,
        "set": True,
        "cancel": True,
        "reboot": True,
        "restart": True,
        "modem-reset": True,
        "sms": False,
        "at": False,
    }
)
ENTRY_POINTS = "modem_agent.handlers"
RESERVED = ("cmd", "args", "id", "when", "exp", "reply", "k", "c", "m")
DEFINING = ("exec", "timeout_s", "args", "idempotent", "read_only")
TIMEOUT_MAX_S = 86400
_NAME = re.compile(r"[a-z0-9_-]{1,32}")


def check_name(path: str, name: str, what: str, complaints: Complaints) -> None:
    """Complain of a name that no payload could carry, or that means something else there."""
    if not _NAME.fullmatch(name):
        complaints.error(
            path, f"{what} name of 1 to 32 characters a-z 0-9 _ -", f"the name {shown(name)}"
        )
    elif what != "a command" and name in RESERVED:
        complaints.error(
            path, f"{what} name that is none of the reserved {listed(RESERVED)}", shown(name)
        )


def commands(
    sections: Mapping[str, CommandSection],
    *,
    platforms: Collection[str],
    known_platforms: Collection[str],
    keys: Collection[str],
    complaints: Complaints,
) -> dict[str, CommandConfig]:
    """Give every built-in and configured command; platforms: enabled, keys: configured ones."""
    result = {name: CommandConfig(name, enabled=on) for name, on in BUILT_IN.items()}
    for name, section in sections.items():
        path = join("command", name)
        check_name(path, name, "a command", complaints)
        _permissions(path, section, platforms, known_platforms, keys, complaints)
        enabled = BUILT_IN.get(name, True) if section.enabled is None else section.enabled
        args: dict[str, ArgSpec] = {}
        if section.exec is None:
            _not_defined(path, name, section, complaints)
        elif name in BUILT_IN:
            complaints.error(
                f"{path}.exec", "another name: this command is built in", shown(section.exec)
            )
        else:
            args = _defined(path, section, section.exec, complaints)
        timeout_s = 30.0 if section.timeout_s is None else section.timeout_s
        complaints.within(f"{path}.timeout_s", timeout_s, 0.1, TIMEOUT_MAX_S)
        result[name] = CommandConfig(
            name=name,
            enabled=enabled,
            channels=CHANNELS
            if section.channels is None
            else cast("tuple[Channel, ...]", section.channels),
            platforms=section.platforms,
            keys=section.keys,
            exec=section.exec or (),
            timeout_s=timeout_s,
            args=MappingProxyType(args),
            idempotent=section.idempotent if section.exec is None else bool(section.idempotent),
            read_only=section.read_only if section.exec is None else bool(section.read_only),
        )
    return result


def _defined(
    path: str, section: CommandSection, vector: tuple[str, ...], complaints: Complaints
) -> dict[str, ArgSpec]:
    args: dict[str, ArgSpec] = {}
    used = placeholders(vector)
    for name, written in section.args.items():
        at = join(f"{path}.args", name)
        check_name(at, name, "an argument", complaints)
        spec = spec_of(at, written, complaints, needed=name in used)
        if spec is None:
            continue
        args[name] = spec
        if name not in used:
            complaints.warn(at, f"{{{name}}} somewhere in {path}.exec", "an argument without use")
        elif spec.default is None and not spec.required:
            complaints.warn(
                f"{at}.required",
                "a default, or true: exec cannot do without the argument",
                "false",
            )
    # Placeholders of an argument whose table is broken are known all the same.
    check_vector(f"{path}.exec", vector, section.args, complaints)
    return args


def _not_defined(path: str, name: str, section: CommandSection, complaints: Complaints) -> None:
    """Check a table without exec: it can only restrict a command that exists elsewhere."""
    if name not in BUILT_IN:
        installed = installed_handlers()
        if name not in installed:
            known = (*BUILT_IN, *installed)
            complaints.error(
                f"{path}.exec",
                f"a program, as {name} is neither built in nor installed{guess(name, known)}",
                "nothing",
            )
            return
    for key in DEFINING:
        if getattr(section, key) not in (None, {}):
            complaints.error(f"{path}.{key}", "no definition: the command brings its own", "one")


def installed_handlers() -> tuple[str, ...]:
    """Name the handlers that installed packages offer."""
    from importlib.metadata import entry_points  # noqa: PLC0415 - slow to import, seldom asked

    return tuple(sorted({point.name for point in entry_points(group=ENTRY_POINTS)}))


def _permissions(
    path: str,
    section: CommandSection,
    platforms: Collection[str],
    known_platforms: Collection[str],
    keys: Collection[str],
    complaints: Complaints,
) -> None:
    for index, channel in enumerate(section.channels or ()):
        complaints.one_of(join(f"{path}.channels", index), channel, CHANNELS)
    for index, platform in enumerate(section.platforms or ()):
        at = join(f"{path}.platforms", index)
        if complaints.one_of(at, platform, known_platforms) and platform not in platforms:
            complaints.warn(at, "an enabled platform", shown(platform))
    for index, key in enumerate(section.keys or ()):
        if key not in keys:
            complaints.error(
                join(f"{path}.keys", index),
                f"one of security.keys ({listed(keys) or 'there are none'})",
                shown(key),
            )
