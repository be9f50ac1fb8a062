"""From the sections as written to the Config as meant."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, cast, get_args

from agent.config import model as values
from agent.config.broker import broker
from agent.config.commands import TIMEOUT_MAX_S, check_name, commands
from agent.config.defined_at import origins
from agent.config.endpoints import endpoint
from agent.config.problems import Complaints, guess, join, listed, shown
from agent.config.topic_names import device_id_problem
from agent.config.vectors import check_vector, spec_of
from agent.payload.platforms import OPEN, ROWS, Platform
from at import profiles

if TYPE_CHECKING:
    from agent.config.files import Files
    from agent.config.sections import ModemSection, PropertySection, Sections

PORT = '"auto", an absolute path or socket://host:port'
KEY_OCTETS = 16  # shorter keys are told of: 128 bits is what HMAC-SHA256 should be fed at least
SOCKET_NAME_MAX = 95  # octets: sun_path has 108 (unix(7)), and the socket is made beside its name
_KEY_ID = re.compile(r"[A-Za-z0-9._:-]{1,36}")
_PROFILE = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


def meaning(
    sections: Sections, source: Path | None, files: Files, complaints: Complaints
) -> values.Config | None:
    """Check what the sections mean; None where that cannot even be said for lack of a broker."""
    device = _device(sections, complaints)
    modem = _modem(sections.modem, files, complaints)
    platforms = origins(sections, complaints)
    mqtt = broker(sections.mqtt, device.id, files, complaints) if sections.mqtt else None
    report = _report(sections, complaints)
    security = _security(sections, device, platforms, files, complaints)
    budget = _budget(sections, complaints)
    journal = _journal(sections, files, complaints)
    control = _control(sections, files, complaints)
    configured = commands(
        sections.command,
        platforms=tuple(row.name for row in platforms),
        known_platforms=tuple({**ROWS, **sections.platforms}),
        keys=tuple(sections.security.keys),
        complaints=complaints,
    )
    properties = _properties(sections.property, complaints)
    if sections.mqtt is not None and mqtt is None:
        return None
    return values.Config(
        source=source,
        device=device,
        modem=modem,
        platforms=platforms,
        mqtt=mqtt,
        report=report,
        security=security,
        budget=budget,
        journal=journal,
        control=control,
        commands=MappingProxyType(configured),
        properties=MappingProxyType(properties),
        warnings=tuple(complaints.warnings),
    )


def _device(sections: Sections, complaints: Complaints) -> values.DeviceConfig:
    explicit = sections.device.id
    name = os.uname().nodename if explicit is None else explicit
    if (problem := device_id_problem(name)) or name != name.strip():
        told = shown(name) if explicit is not None else f"the host's name {shown(name)}"
        reason = problem or "has white space at an end"
        complaints.error("device.id", "a name that can be a topic level", f"{told}, which {reason}")
    return values.DeviceConfig(name, explicit is not None)


def _modem(section: ModemSection, files: Files, complaints: Complaints) -> values.ModemConfig:
    default = values.ModemConfig()
    port = default.port if section.port is None else section.port
    _port(port, complaints)
    baudrate = default.baudrate if section.baudrate is None else section.baudrate
    complaints.within("modem.baudrate", baudrate, 300, 4_000_000)
    profile = default.profile if section.profile is None else section.profile
    if not _PROFILE.fullmatch(profile):
        complaints.error("modem.profile", '"auto" or the name of a profile', shown(profile))
    elif profile != default.profile and profiles.named(profile) is None:
        # A warning: the modem says what it is, and a box in the field must start.
        known = ("auto", *(one.name for one in profiles.PROFILES))
        complaints.warn(
            "modem.profile", f"one of {listed(known)}{guess(profile, known)}", shown(profile)
        )
    sms_mode = default.sms_mode if section.sms_mode is None else section.sms_mode
    complaints.one_of("modem.sms_mode", sms_mode, get_args(values.SmsMode))
    poll_s = default.poll_s if section.poll_s is None else section.poll_s
    complaints.within("modem.poll_s", poll_s, 0.1, 86400)
    pin = files.secret("modem.pin_file", section.pin_file, "a file with the SIM's PIN")
    if (
        pin is not None
        and pin[1] is not None
        and not re.fullmatch(rb"(?:\xef\xbb\xbf)?[0-9]{4,8}", pin[1].strip())
    ):
        complaints.error("modem.pin_file", "4 to 8 digits in it", "something else (not shown)")
    if section.power_cycle:
        check_vector("modem.power_cycle", section.power_cycle, (), complaints)
    return values.ModemConfig(
        port=port,
        baudrate=baudrate,
        profile=profile,
        sms_mode=cast("values.SmsMode", sms_mode),
        poll_s=poll_s,
        pin_file=pin[0] if pin else None,
        power_cycle=section.power_cycle or (),
        radio_on=default.radio_on if section.radio_on is None else section.radio_on,
    )


def _port(port: str, complaints: Complaints) -> None:
    if port == "auto" or (port.startswith("/") and "\0" not in port and len(port) > 1):
        return
    parts = endpoint(port)
    if parts is not None and parts[0] == "socket" and parts[2] is not None:
        return
    is_socket = port.startswith("socket:")
    expected = "socket://host:port with a port from 1 to 65535" if is_socket else PORT
    complaints.error("modem.port", expected, shown(port))


def _report(sections: Sections, complaints: Complaints) -> values.ReportConfig:
    section, default = sections.report, values.ReportConfig()
    route = default.route if section.route is None else section.route
    complaints.one_of("report.route", route, get_args(values.Route))
    if sections.mqtt is None and route in ("mqtt", "both"):
        complaints.error("report.route", "a route that needs no broker, or [mqtt]", shown(route))
    policy = default.policy if section.policy is None else section.policy
    complaints.one_of("report.policy", policy, get_args(values.Policy))
    sms_after_s = default.sms_after_s if section.sms_after_s is None else section.sms_after_s
    complaints.within("report.sms_after_s", sms_after_s, 0, 86400)
    return values.ReportConfig(
        cast("values.Route", route), cast("values.Policy", policy), sms_after_s
    )


def _security(
    sections: Sections,
    device: values.DeviceConfig,
    platforms: tuple[Platform, ...],
    files: Files,
    complaints: Complaints,
) -> values.SecurityConfig:
    section = sections.security
    required = section.require_signature or "open-platforms"
    complaints.one_of("security.require_signature", required, get_args(values.RequireSignature))
    keys = {}
    for name, key in section.keys.items():
        path = join("security.keys", name)
        if not _KEY_ID.fullmatch(name):
            complaints.error(
                path, "a key id of 1 to 36 characters A-Z a-z 0-9 . _ : -", shown(name)
            )
        if key.file is None:
            complaints.error(f"{path}.file", "the name of the key's file", "nothing")
        found = files.secret(f"{path}.file", key.file, "a key file")
        if found is None:
            continue
        keys[name] = values.KeyFile(found[0])
        if found[1] is not None and len(found[1]) < KEY_OCTETS:
            complaints.warn(
                f"{path}.file", f"a key of at least {KEY_OCTETS} octets", f"{len(found[1])}"
            )
    if section.keys and not device.explicit:
        complaints.error(
            "device.id", "an id, as it is part of every signature (security.keys)", "nothing"
        )
    _exposure(required, section.keys, platforms, complaints)
    return values.SecurityConfig(cast("values.RequireSignature", required), MappingProxyType(keys))


def _exposure(
    required: str,
    keys: Mapping[str, object],
    platforms: tuple[Platform, ...],
    complaints: Complaints,
) -> None:
    """Warn where the combination surprises: nobody may command, or everybody can."""
    key = "security.require_signature"
    is_open = any(row.trust == OPEN for row in platforms)
    if required == "never" and is_open:
        complaints.warn(
            key,
            '"open-platforms": whoever forges a sender can command',
            '"never" with an open platform',
        )
    elif not keys and (required == "always" or (required == "open-platforms" and is_open)):
        complaints.warn(
            "security.keys", "a key: without one, only read-only commands run by SMS", "none"
        )


def _budget(sections: Sections, complaints: Complaints) -> values.BudgetConfig:
    default, section = values.BudgetConfig(), sections.budget

    def bound(key: str, low: int) -> int:
        written: int | None = getattr(section, key)
        number: int = getattr(default, key) if written is None else written
        complaints.within(f"budget.{key}", number, low, 1_000_000)
        return number

    return values.BudgetConfig(
        sms_per_hour=bound("sms_per_hour", 0),
        sms_per_day=bound("sms_per_day", 0),
        commands_per_minute=bound("commands_per_minute", 1),
    )


def _journal(sections: Sections, files: Files, complaints: Complaints) -> values.JournalConfig:
    written = sections.journal.path
    if written is None:
        return values.JournalConfig(files.journal())
    if not written or "\0" in written:
        complaints.error("journal.path", "the name of a file", shown(written))
        return values.JournalConfig(files.journal())
    path = files.locate(written)
    if files.is_folder(path):
        complaints.error("journal.path", "the name of a file", f"{path}, which is a folder")
    return values.JournalConfig(path)


def _control(sections: Sections, files: Files, complaints: Complaints) -> values.ControlConfig:
    written = sections.control.socket
    if written is None:
        return values.ControlConfig()
    if not written or "\0" in written:
        complaints.error("control.socket", "the name of a socket", shown(written))
        return values.ControlConfig()
    path = files.locate(written)
    if files.is_folder(path):
        complaints.error("control.socket", "the name of a socket", f"{path}, which is a folder")
    elif len(os.fsencode(path)) > SOCKET_NAME_MAX:
        complaints.error("control.socket", f"at most {SOCKET_NAME_MAX} octets", str(path))
    return values.ControlConfig(path)


def _properties(
    sections: Mapping[str, PropertySection], complaints: Complaints
) -> dict[str, values.PropertyConfig]:
    result = {}
    for name, section in sections.items():
        path = join("property", name)
        check_name(path, name, "a property", complaints)
        spec = spec_of(path, section, complaints, needed=False)
        if section.exec is not None:
            check_vector(f"{path}.exec", section.exec, ("value",), complaints)
        if section.get_exec is not None:
            check_vector(f"{path}.get_exec", section.get_exec, (), complaints)
        timeout_s = 30.0 if section.timeout_s is None else section.timeout_s
        complaints.within(f"{path}.timeout_s", timeout_s, 0.1, TIMEOUT_MAX_S)
        if spec is not None:
            result[name] = values.PropertyConfig(
                name, spec, section.exec or (), section.get_exec or (), timeout_s
            )
    return result
