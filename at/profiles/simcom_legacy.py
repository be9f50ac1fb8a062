"""SIMCom 2G and low power: SIM800, SIM900, SIM7000, SIM7070, SIM7080."""

from __future__ import annotations

import re
from typing import Final

from at import commands
from at.commands import PinTries
from at.profiles.profile import Profile, UsbPort


def _tries(values: list[str]) -> PinTries:
    """+SPIC: <PIN tries>,<PUK tries>,<PIN2 tries>,<PUK2 tries>."""
    return PinTries(int(values[0]), int(values[1]))


PROFILE: Final = Profile(
    "simcom-legacy",
    manufacturer=re.compile("simcom", re.IGNORECASE),
    model=re.compile("SIM[89]00|SIM8[0-9]{2}|SIM70"),
    iccid=(commands.iccid("+CCID"), commands.ICCID_FILE),
    pin_tries=(commands.pin_tries("+SPIC", _tries), commands.PIN_TRIES),
    power_off=commands.do("+CPOWD=1", 10.0, patient=True),
    gap_s=0.12,  # SIM800 loses a command that comes within 100 ms of its own news
    chatter=re.compile(
        "NORMAL POWER DOWN|UNDER-VOLTAGE WARNN?ING|UNDER-VOLTAGE POWER DOWN|DST: .*|Call Ready"
    ),
    ports=(UsbPort("1e0e", "9205", 2), UsbPort("1e0e", "9206", 2), UsbPort("1e0e", "9001", 2)),
    vendors=frozenset({"1e0e"}),
)
