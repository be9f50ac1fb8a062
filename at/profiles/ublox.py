"""u-blox: SARA, LARA, TOBY, LISA."""

from __future__ import annotations

import re
from typing import Final

from at import commands
from at.command import UrcSpec
from at.commands import PinTries
from at.profiles.profile import Profile, UsbPort
from at.urcs import Restarted, StorageFull


def _tries(values: list[str]) -> PinTries:
    """+UPINCNT: <PIN tries>,<PIN2 tries>,<PUK tries>,<PUK2 tries>."""
    return PinTries(int(values[0]), int(values[2]))


PROFILE: Final = Profile(
    "u-blox",
    manufacturer=re.compile("u-blox", re.IGNORECASE),
    iccid=(commands.iccid("+CCID"), commands.ICCID_FILE),
    pin_tries=(commands.pin_tries("+UPINCNT", _tries), commands.PIN_TRIES),
    reset=commands.do("+CFUN=15", 15.0, patient=True),  # SARA-R4 has no 1,1
    power_off=commands.do("+CPWROFF", 40.0, patient=True),
    urcs=(
        UrcSpec(re.compile(r"\+CIEV: ?10,1"), lambda match, _: StorageFull(match.string)),
        UrcSpec(re.compile(r"\+PACSP[01]"), lambda match, _: Restarted(match.string)),
    ),
    ports=tuple(UsbPort("1546", "", interface) for interface in (0, 2, 4)),
    vendors=frozenset({"1546"}),
)
