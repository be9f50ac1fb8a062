"""Platforms: who may send commands, and whether they must sign."""

from __future__ import annotations

from typing import Final

from agent.doctor.check import Check
from agent.doctor.configuration import FILE
from agent.doctor.context import Patient
from agent.doctor.finding import Result, good, note
from agent.payload.platforms import OPEN

__all__ = ["CHECKS"]


def _senders(patient: Patient) -> Result:
    assert patient.config is not None  # noqa: S101 - the configuration is good
    rows = patient.config.platforms
    return good("; ".join(f"{row.name} ({row.trust}): {', '.join(row.senders)}" for row in rows))


def _signatures(patient: Patient) -> Result:
    assert patient.config is not None  # noqa: S101 - the configuration is good
    security = patient.config.security
    any_open = any(row.trust == OPEN for row in patient.config.platforms)
    required = security.require_signature == "always" or (
        security.require_signature == "open-platforms" and any_open
    )
    if required and not security.keys:
        told = "needed, and there is no key: only read-only commands run by SMS"
        return note(told, "put a key under [security.keys.0]")
    if any_open and not required:
        told = "not needed, although a platform is open: whoever forges its sender commands"
        return note(told, 'require_signature = "open-platforms"')
    return good(f"needed, {len(security.keys)} keys" if required else "not needed")


CHECKS: Final = (
    Check("platforms", "senders", _senders, needs=(FILE,)),
    Check("platforms", "signatures", _signatures, needs=(FILE,)),
)
