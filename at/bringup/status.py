"""A look at the modem's surroundings: registration, operator, signal, how full the storage is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from at import commands
from at.bringup.bringup import REGISTRATIONS, attempt

if TYPE_CHECKING:
    from at.modem import Modem

# TS 27.007 §7.2 <stat>
STATUS: Final = {
    0: "idle",
    1: "home",
    2: "searching",
    3: "denied",
    4: "unknown",
    5: "roaming",
    6: "home",  # for SMS only
    7: "roaming",  # for SMS only
    8: "emergency",
    9: "home",  # CS fall-back not preferred
    10: "roaming",
    11: "emergency",
}
# TS 27.007 §7.2 <AcT>
TECHNOLOGY: Final = {
    0: "GSM",
    1: "GSM",
    2: "UMTS",
    3: "EDGE",
    4: "HSDPA",
    5: "HSUPA",
    6: "HSPA",
    7: "LTE",
    8: "EC-GSM-IoT",
    9: "NB-IoT",
    10: "LTE-5GCN",
    11: "NR",
    12: "NG-RAN",
    13: "EN-DC",
}
REGISTERED: Final = frozenset({"home", "roaming"})
# The best news wins: a modem may be denied in one domain and at home in another.
_RANK: Final = ("home", "roaming", "searching", "denied", "emergency", "idle", "unknown")


@dataclass(frozen=True, slots=True)
class Survey:
    """What the modem sees now; None: it does not tell.

    registration: "home", "roaming", "searching", "denied", "emergency", "idle" or "unknown".
    storage_used / storage_total: messages in the memory that receives.
    """

    registration: str
    operator: str | None
    technology: str | None
    signal_dbm: int | None
    storage_used: int | None
    storage_total: int | None

    @property
    def registered(self) -> bool:
        """Whether messages can come and go."""
        return self.registration in REGISTERED


async def survey(modem: Modem) -> Survey:
    """Ask for everything a person would. Raises CommandTimeoutError, PortLostError."""
    found = []
    technology = None
    for name in REGISTRATIONS:
        answer = await attempt(modem, commands.registration(name))
        if answer is not None:
            found.append(STATUS.get(answer.status, "unknown"))
            if answer.technology is not None:
                technology = TECHNOLOGY.get(answer.technology, technology)
    operator = await attempt(modem, commands.OPERATOR)
    signal = await attempt(modem, commands.SIGNAL)
    if signal is None or signal.dbm is None:
        signal = await attempt(modem, commands.EXTENDED_SIGNAL)
    memories = await attempt(modem, commands.MEMORIES)
    if operator is not None and operator.technology is not None:
        technology = TECHNOLOGY.get(operator.technology, technology)
    return Survey(
        registration=min(found, key=_RANK.index, default="unknown"),
        operator=operator.name or None if operator is not None else None,
        technology=technology,
        signal_dbm=signal.dbm if signal is not None else None,
        storage_used=memories[-1].used if memories else None,
        storage_total=memories[-1].total if memories else None,
    )
