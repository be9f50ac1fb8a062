"""The agent's configuration as frozen values, and the one function that loads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from agent.config.paths import control_candidates, control_path, find_config

if TYPE_CHECKING:
    from agent.payload.arguments import ArgSpec
    from agent.payload.platforms import Platform

__all__ = [
    "CHANNELS",
    "BudgetConfig",
    "CommandConfig",
    "Config",
    "ConfigError",
    "ControlConfig",
    "DeviceConfig",
    "JournalConfig",
    "KeyFile",
    "ModemConfig",
    "MqttConfig",
    "Problem",
    "PropertyConfig",
    "ReportConfig",
    "Secrets",
    "SecurityConfig",
    "control_candidates",
    "control_path",
    "find_config",
]

Route = Literal["mqtt-then-sms", "sms", "mqtt", "both", "origin", "none"]
Policy = Literal["all", "errors", "none"]
SmsMode = Literal["pdu", "text", "auto"]
RequireSignature = Literal["open-platforms", "always", "never"]
Protocol = Literal["auto", "5", "3.1.1"]
Channel = Literal["sms", "mqtt", "console"]

# What is done about the secrets that a configuration names:
#   needed    by the agent: one that cannot be read is an error;
#   judged    as far as can be seen from here: the service may have them as credentials;
#   unread    the files are located and left alone.
Secrets = Literal["needed", "judged", "unread"]

CHANNELS: tuple[Channel, ...] = ("sms", "mqtt", "console")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a configuration.

    path: the key ("modem.poll_s", "modem.power_cycle[0]"), or the place in the file where the
    text is not TOML; expected, got: noun phrases. A secret is never quoted in `got`.
    """

    path: str
    expected: str
    got: str

    def __str__(self) -> str:
        return f"{self.path}: expected {self.expected}, found {self.got}"


class ConfigError(Exception):
    """A configuration that cannot be used: all its problems, in the order of the file's sections.

    source: the file, None where the text came from elsewhere.
    """

    def __init__(self, source: Path | None, problems: tuple[Problem, ...]) -> None:
        where = str(source) if source else "configuration"
        super().__init__("\n".join(f"{where}: {problem}" for problem in problems))
        self.source = source
        self.problems = problems


@dataclass(frozen=True, slots=True)
class DeviceConfig:
    """id: signs, names the MQTT root; explicit: False where it is only the host's name."""

    id: str
    explicit: bool


@dataclass(frozen=True, slots=True)
class ModemConfig:
    """port: "auto", an absolute path or socket://host:port; profile: "auto" or a row's name.

    poll_s: period of the slow timer; pin_file: resolved, None: no PIN is ever tried;
    power_cycle: argument vector of the ladder's last rung, empty: there is none. radio_on:
    switch on a radio that is off.
    """

    port: str = "auto"
    baudrate: int = 115200
    profile: str = "auto"
    sms_mode: SmsMode = "pdu"
    poll_s: float = 60.0
    pin_file: Path | None = None
    power_cycle: tuple[str, ...] = ()
    radio_on: bool = True


@dataclass(frozen=True, slots=True)
class MqttConfig:
    """The broker; files are resolved paths, their contents are read by who needs them.

    root: topic prefix without a slash at the end; response_prefix: None: a Response Topic is
    never honoured.
    """

    host: str
    port: int
    tls: bool
    root: str
    username: str | None = None
    password_file: Path | None = None
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    response_prefix: str | None = None
    protocol: Protocol = "auto"
    keepalive_s: int = 60


@dataclass(frozen=True, slots=True)
class ReportConfig:
    """Where outcomes are told; sms_after_s: patience with MQTT before the fall-back to SMS."""

    route: Route = "mqtt-then-sms"
    policy: Policy = "all"
    sms_after_s: float = 60.0


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A signing key by its resolved file, which was readable when the configuration was."""

    path: Path


@dataclass(frozen=True, slots=True)
class SecurityConfig:
    """keys: by key id (the `k` of a signed command)."""

    require_signature: RequireSignature
    keys: Mapping[str, KeyFile]


@dataclass(frozen=True, slots=True)
class BudgetConfig:
    """Upper bounds; commands over theirs wait, SMS over theirs wait."""

    sms_per_hour: int = 20
    sms_per_day: int = 100
    commands_per_minute: int = 30


@dataclass(frozen=True, slots=True)
class JournalConfig:
    """path: absolute; its folder may not exist yet."""

    path: Path


@dataclass(frozen=True, slots=True)
class ControlConfig:
    """socket: absolute, None: in the runtime folder."""

    socket: Path | None = None


@dataclass(frozen=True, slots=True)
class CommandConfig:
    """One command: a built-in one, an installed handler, or an argument vector to run.

    As constructed by its name alone, it is what a command without a table of its own gets.
    exec: empty for built-in commands and installed handlers; {name} stands for an argument.
    platforms, keys: who may, by row name and key id; None: any.
    idempotent, read_only: None where the handler itself knows (built-in, installed).
    """

    name: str
    enabled: bool = True
    channels: tuple[Channel, ...] = CHANNELS
    platforms: tuple[str, ...] | None = None
    keys: tuple[str, ...] | None = None
    exec: tuple[str, ...] = ()
    timeout_s: float = 30.0
    args: Mapping[str, ArgSpec] = field(default_factory=dict)
    idempotent: bool | None = None
    read_only: bool | None = None


@dataclass(frozen=True, slots=True)
class PropertyConfig:
    """One property.

    exec: applies it, {value} is the new value; empty: the value is only remembered.
    get_exec: reads it; empty: the last applied value is told.
    """

    name: str
    spec: ArgSpec
    exec: tuple[str, ...]
    get_exec: tuple[str, ...]
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Config:
    """Everything the agent is told, checked; nothing in it needs another look at the file.

    platforms: the enabled rows, overrides merged, trust effective. mqtt: None: no broker.
    commands: every built-in command and every configured one, by name; properties: in the order
    of the file, which is the order they are applied in. warnings: what is odd but usable.
    """

    source: Path | None
    device: DeviceConfig
    modem: ModemConfig
    platforms: tuple[Platform, ...]
    mqtt: MqttConfig | None
    report: ReportConfig
    security: SecurityConfig
    budget: BudgetConfig
    journal: JournalConfig
    control: ControlConfig
    commands: Mapping[str, CommandConfig]
    properties: Mapping[str, PropertyConfig]
    warnings: tuple[Problem, ...] = ()
