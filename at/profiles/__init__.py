"""The registry of modem profiles: one file per vendor, the first that fits is the one."""

from __future__ import annotations

from typing import Final

from at.profiles import (
    generic,
    huawei,
    quectel,
    sierra,
    simcom,
    simcom_legacy,
    telit,
    ublox,
)
from at.profiles.profile import Profile

GENERIC: Final = generic.PROFILE
PROFILES: Final[tuple[Profile, ...]] = (
    quectel.PROFILE,
    simcom.PROFILE,
    simcom_legacy.PROFILE,
    ublox.PROFILE,
    telit.PROFILE,
    sierra.PROFILE,
    huawei.PROFILE,
    GENERIC,
)


def choose(manufacturer: str, model: str) -> Profile:
    """The profile for what +CGMI and +CGMM say; the generic one where none fits."""
    for profile in PROFILES:
        if profile.manufacturer.search(manufacturer) and profile.model.search(model):
            return profile
    return GENERIC


def named(name: str) -> Profile | None:
    """The profile of this name; None where there is none."""
    return next((profile for profile in PROFILES if profile.name == name), None)
