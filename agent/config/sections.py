"""The configuration as it is written: every key of the file, None where it is absent."""

from __future__ import annotations

from dataclasses import dataclass, field

# These live only until the Config is made of them. Frozen, with slots and comparison they would
# cost 7 ms of every start: the generated methods are compiled at import.

# A key that may hold any scalar (a default, a choice) is `object`: what it must be depends on
# the declared type beside it, and is checked there.


@dataclass(repr=False, eq=False)
class DeviceSection:
    """[device]."""

    id: str | None = None


@dataclass(repr=False, eq=False)
class ModemSection:
    """[modem]."""

    port: str | None = None
    baudrate: int | None = None
    profile: str | None = None
    sms_mode: str | None = None
    poll_s: float | None = None
    pin_file: str | None = None
    power_cycle: tuple[str, ...] | None = None
    radio_on: bool | None = None


@dataclass(repr=False, eq=False)
class PlatformSection:
    """[platforms.NAME]: overrides of a row, or a platform of one's own."""

    senders: tuple[str, ...] | None = None
    reply_to: str | None = None
    trust: str | None = None
    max_segments: int | None = None
    charset: str | None = None
    sid: str | None = None


@dataclass(repr=False, eq=False)
class MqttSection:
    """[mqtt]."""

    url: str | None = None
    username: str | None = None
    password_file: str | None = None
    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    root: str | None = None
    response_prefix: str | None = None
    protocol: str | None = None
    keepalive_s: int | None = None


@dataclass(repr=False, eq=False)
class ReportSection:
    """[report]."""

    route: str | None = None
    policy: str | None = None
    sms_after_s: float | None = None


@dataclass(repr=False, eq=False)
class KeySection:
    """[security.keys.ID]."""

    file: str | None = None


@dataclass(repr=False, eq=False)
class SecuritySection:
    """[security]."""

    require_signature: str | None = None
    keys: dict[str, KeySection] = field(default_factory=dict)


@dataclass(repr=False, eq=False)
class BudgetSection:
    """[budget]."""

    sms_per_hour: int | None = None
    sms_per_day: int | None = None
    commands_per_minute: int | None = None


@dataclass(repr=False, eq=False)
class JournalSection:
    """[journal]."""

    path: str | None = None


@dataclass(repr=False, eq=False)
class ControlSection:
    """[control]."""

    socket: str | None = None


@dataclass(repr=False, eq=False)
class ArgSection:
    """[command.NAME.args.ARG]."""

    type: str | None = None
    min: float | None = None
    max: float | None = None
    pattern: str | None = None
    choices: tuple[object, ...] | None = None
    default: object = None
    required: bool | None = None


@dataclass(repr=False, eq=False)
class CommandSection:
    """[command.NAME]."""

    enabled: bool | None = None
    channels: tuple[str, ...] | None = None
    platforms: tuple[str, ...] | None = None
    keys: tuple[str, ...] | None = None
    exec: tuple[str, ...] | None = None
    timeout_s: float | None = None
    args: dict[str, ArgSection] = field(default_factory=dict)
    idempotent: bool | None = None
    read_only: bool | None = None


@dataclass(repr=False, eq=False)
class PropertySection:
    """[property.NAME]."""

    type: str | None = None
    min: float | None = None
    max: float | None = None
    pattern: str | None = None
    choices: tuple[object, ...] | None = None
    exec: tuple[str, ...] | None = None
    get_exec: tuple[str, ...] | None = None
    timeout_s: float | None = None


@dataclass(repr=False, eq=False)
class Sections:
    """The whole file; platforms: overrides by row name, beside `enabled`."""

    device: DeviceSection = field(default_factory=DeviceSection)
    modem: ModemSection = field(default_factory=ModemSection)
    enabled: tuple[str, ...] | None = None
    platforms: dict[str, PlatformSection] = field(default_factory=dict)
    mqtt: MqttSection | None = None
    report: ReportSection = field(default_factory=ReportSection)
    security: SecuritySection = field(default_factory=SecuritySection)
    budget: BudgetSection = field(default_factory=BudgetSection)
    journal: JournalSection = field(default_factory=JournalSection)
    control: ControlSection = field(default_factory=ControlSection)
    command: dict[str, CommandSection] = field(default_factory=dict)
    property: dict[str, PropertySection] = field(default_factory=dict)
