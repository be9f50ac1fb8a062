"""SIMCom LTE: SIM7500, SIM7600, A76xx."""

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
    "simcom",
    manufacturer=re.compile("simcom|^incorporated", re.IGNORECASE),
    model=re.compile("SIM7[56]|A76|A79"),
    iccid=(commands.iccid("+CICCID"), commands.iccid("+CCID"), commands.ICCID_FILE),
    pin_tries=(commands.pin_tries("+SPIC", _tries), commands.PIN_TRIES),
    reset=commands.do("+CRESET", 15.0, patient=True),
    power_off=commands.do("+CPOF", 10.0, patient=True),
    ports=(
        UsbPort("1e0e", "9001", 2),
        UsbPort("1e0e", "9001", 3),
        UsbPort("1e0e", "9011", 4),
        UsbPort("1e0e", "9011", 5),
    ),
    vendors=frozenset({"1e0e"}),
)
