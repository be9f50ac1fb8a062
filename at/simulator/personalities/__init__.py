"""The table of modem personalities: one file a vendor, one row a model."""

from __future__ import annotations

from at.simulator.personalities import (
    generic,
    huawei,
    quectel,
    sierra,
    simcom_classic,
    simcom_lte,
    telit,
    ublox,
)
from at.simulator.personality import Personality

PERSONALITIES: dict[str, Personality] = {
    row.name: row
    for rows in (
        generic.ROWS,
        quectel.ROWS,
        simcom_lte.ROWS,
        simcom_classic.ROWS,
        ublox.ROWS,
        telit.ROWS,
        sierra.ROWS,
        huawei.ROWS,
    )
    for row in rows
}


def personality(name: str) -> Personality:
    """Return the personality of that name; raises KeyError naming those there are."""
    try:
        return PERSONALITIES[name]
    except KeyError:
        raise KeyError(f"{name!r} is none of {', '.join(sorted(PERSONALITIES))}") from None
