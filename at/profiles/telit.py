"""Telit: LE910, ME910, HE910."""

from __future__ import annotations

import re
from typing import Final

from at import commands
from at.commands import PinTries
from at.profiles.profile import Profile, UsbPort


def _tries(values: list[str]) -> PinTries:
    """#PCT: <tries left of the code that is asked for now>."""
    return PinTries(int(values[0]), None)


PROFILE: Final = Profile(
    "telit",
    manufacturer=re.compile("telit", re.IGNORECASE),
    iccid=(commands.iccid("#CCID"), commands.iccid("+CCID"), commands.ICCID_FILE),
    pin_tries=(commands.pin_tries("#PCT", _tries), commands.PIN_TRIES),
    reset=commands.do("#REBOOT", 15.0, patient=True),
    power_off=commands.do("#SHDN", 10.0, patient=True),
    ports=(
        UsbPort("1bc7", "1201", 4),
        UsbPort("1bc7", "1201", 5),
        UsbPort("1bc7", "1101", 1),
        UsbPort("1bc7", "0036", 0),
        UsbPort("1bc7", "0021", 0),
    ),
    vendors=frozenset({"1bc7"}),
)
