"""Packet service as far as other programs ask for it (TS 27.007 §10)."""

from __future__ import annotations

from at.simulator.lines import Arguments
from at.simulator.table import Modem, Row, plain
from at.simulator.values import OK, Outcome, Reply


def _attached(modem: Modem) -> Outcome:
    return Reply((f"+CGATT: {int(modem.device.radio.registered)}",))


def _accept(_: Modem, __: Arguments) -> Outcome:
    return OK


def _contexts(_: Modem) -> Outcome:
    return Reply(('+CGDCONT: 1,"IP","internet","0.0.0.0",0,0',))


def _active(_: Modem) -> Outcome:
    return Reply(("+CGACT: 1,0",))


ROWS = (
    Row("+CGATT", read=_attached, set=_accept, test="(0,1)", needs="sim"),
    Row("+CGDCONT", read=_contexts, set=_accept, test='(1-16),"IP",,,(0-2),(0-3)', needs="sim"),
    Row("+CGACT", read=_active, set=_accept, test="(0,1)", needs="sim"),
    plain("+CGEREP", (0, 1, 2)),
)
