"""Who the modem is, and what it can do (TS 27.007 §5, V.250 §6.1)."""

from __future__ import annotations

from at.simulator.table import Modem, Row, fixed
from at.simulator.values import Outcome, Reply


def _imsi(modem: Modem) -> Outcome:
    return Reply((modem.device.sim.imsi,))


def _own_number(modem: Modem) -> Outcome:
    number = modem.device.sim.number
    kind = 145 if number.startswith("+") else 129
    return Reply((f'+CNUM: "","{number}",{kind}',) if number else ())


ROWS = (
    fixed("+CGMI", "{manufacturer}"),
    fixed("+CGMM", "{model}"),
    fixed("+CGMR", "{firmware}"),
    fixed("+CGSN", "{imei}"),
    fixed("+GMI", "{manufacturer}"),
    fixed("+GMM", "{model}"),
    fixed("+GMR", "{firmware}"),
    fixed("+GSN", "{imei}"),
    fixed("+GCAP", "+GCAP: +CGSM"),
    Row("+CIMI", run=_imsi, needs="sim"),
    Row("+CNUM", run=_own_number, needs="sim"),
)
