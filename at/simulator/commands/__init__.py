"""The commands of the simulated modem; each file offers its ROWS."""

from __future__ import annotations

from at.simulator.commands import (
    basic,
    identity,
    network,
    packet,
    phonebook,
    routing,
    security,
    sending,
    settings,
    stored,
)
from at.simulator.table import Row

ROWS: dict[str, Row] = {
    row.name: row
    for rows in (
        basic.ROWS,
        identity.ROWS,
        network.ROWS,
        packet.ROWS,
        phonebook.ROWS,
        routing.ROWS,
        security.ROWS,
        sending.ROWS,
        settings.ROWS,
        stored.ROWS,
    )
    for row in rows
}
