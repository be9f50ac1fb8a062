"""Quectel: EC2x, EG2x, EG9x, BG9x and their kin."""

from __future__ import annotations

import re
from typing import Final

from at import commands
from at.commands import PinTries
from at.profiles.profile import Profile, Setup, UsbPort


def _tries(values: list[str]) -> PinTries:
    """+QPINC: "SC",<PIN tries>,<PUK tries>."""
    if values[0] != "SC":
        raise ValueError("another code's counter")
    return PinTries(int(values[1]), int(values[2]))


PROFILE: Final = Profile(
    "quectel",
    manufacturer=re.compile("quectel", re.IGNORECASE),
    iccid=(commands.iccid("+QCCID"), commands.iccid("+CCID"), commands.ICCID_FILE),
    pin_tries=(commands.pin_tries('+QPINC="SC"', _tries), commands.PIN_TRIES),
    # By default news goes to one USB port only, which need not be ours; kept in flash.
    setup=(Setup('+QURCCFG="urcport","all"', ask='+QURCCFG="urcport"', shows='"all"'),),
    power_off=commands.do("+QPOWD=1", 10.0, patient=True),
    chatter=re.compile("POWERED DOWN|NORMAL POWER DOWN"),
    ports=tuple(
        UsbPort("2c7c", product, interface)
        for product in (
            "0125", "0121", "0296", "0700", "0306", "0191", "0195", "0512", "0620", "0800",
        )
        for interface in (2, 3)
    ),
    vendors=frozenset({"2c7c"}),
)  # fmt: skip
