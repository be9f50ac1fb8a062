"""A modem that does what the standards say, with no habit of its own."""

from __future__ import annotations

from at.simulator.personality import Extra, Personality

GENERIC = Personality(
    name="generic",
    extras=(Extra("+CCID", read=("+CCID: {iccid}",), run=("+CCID: {iccid}",), needs_sim=True),),
)

ROWS = (GENERIC,)
