"""Sierra Wireless: MC and EM cards, WP and HL modules."""

from __future__ import annotations

import re
from typing import Final

from at import commands
from at.commands import PinTries
from at.profiles.profile import Profile, UsbPort


def _tries(values: list[str]) -> PinTries:
    """+CPINC: <PIN tries>,<PIN2 tries>,<PUK tries>,<PUK2 tries>."""
    return PinTries(int(values[0]), int(values[2]))


PROFILE: Final = Profile(
    "sierra",
    manufacturer=re.compile("sierra", re.IGNORECASE),
    iccid=(
        commands.iccid("!ICCID?"),
        commands.iccid("+CCID?"),
        commands.iccid("+ICCID"),
        commands.ICCID_FILE,
    ),
    pin_tries=(commands.pin_tries("+CPINC?", _tries), commands.PIN_TRIES),
    chatter=re.compile(r"\+WIND: .*"),
    ports=(UsbPort("1199", "", 3), UsbPort("1199", "", 2)),
    vendors=frozenset({"1199"}),
)
