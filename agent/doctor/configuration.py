"""Configuration: the file, its problems, the handlers it names."""

from __future__ import annotations

from typing import Final

from agent.config.loader import load
from agent.config.model import ConfigError, find_config
from agent.doctor.check import Check
from agent.doctor.context import Patient
from agent.doctor.finding import Result, error, good, note, warning

__all__ = ["CHECKS", "FILE"]

FILE: Final = "configuration: file"


def _file(patient: Patient) -> Result:
    if patient.config_path is None and patient.port_named is not None and find_config() is None:
        return note("none; only the port that was named is looked at", stops=True)
    try:
        patient.config = load(patient.config_path, secrets="judged")
    except ConfigError as problem:
        where = f"{problem.source}: " if problem.source is not None else ""
        told = "; ".join(str(one) for one in problem.problems)
        if problem.source is None:
            return error(told, "modem-agent config example prints one to start from")
        return error(f"{where}{told}", "mend it; modem-agent config check judges it again")
    return good(f"{patient.config.source}, device {patient.config.device.id}")


def _oddities(patient: Patient) -> Result:
    assert patient.config is not None  # noqa: S101 - the check before
    told = "; ".join(str(one) for one in patient.config.warnings)
    if told:
        return warning(told, "mend it; modem-agent config check judges it again")
    return good("nothing odd in it")


def _handlers(patient: Patient) -> Result:
    from agent.commands.catalogue import HandlerError, build  # noqa: PLC0415 - loads them all

    assert patient.config is not None  # noqa: S101 - the check before
    try:
        build(patient.config)
    except HandlerError as problem:
        remedy = f"install its distribution, or take [command.{problem.name}] out"
        return error(f"command.{problem.name}: {problem}", remedy)
    count = sum(1 for command in patient.config.commands.values() if command.enabled)
    return good(f"{count} enabled")


CHECKS: Final = (
    Check("configuration", "file", _file, means="configuration"),
    Check("configuration", "oddities", _oddities, needs=(FILE,)),
    Check("configuration", "commands", _handlers, needs=(FILE,), means="configuration"),
)
