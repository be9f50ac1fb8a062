"""Huawei: E1xx and E3xxx sticks, ME909 and MU modules."""

from __future__ import annotations

import re
from typing import Final

from at import commands
from at.commands import PinTries
from at.profiles.profile import Profile, Setup, UsbPort


def _tries(values: list[str]) -> PinTries:
    """^CPIN: <code>,[<times>],<PUK tries>,<PIN tries>,<PUK2 tries>,<PIN2 tries>."""
    return PinTries(int(values[3]), int(values[2]))


PROFILE: Final = Profile(
    "huawei",
    manufacturer=re.compile("huawei", re.IGNORECASE),
    iccid=(commands.iccid("^ICCID?"), commands.iccid("+CCID"), commands.ICCID_FILE),
    pin_tries=(commands.pin_tries("^CPIN?", _tries), commands.PIN_TRIES),
    setup=(Setup("^CURC=0"),),  # signal strength every few seconds, and ^BOOT every minute
    reset=commands.do("^RESET", 15.0, patient=True),
    ports=(
        UsbPort("12d1", "", 2),  # the control port of the sticks; their interface 0 is for data
        UsbPort("12d1", "", 1),
        UsbPort("12d1", "", 0),
    ),
    vendors=frozenset({"12d1"}),
)
