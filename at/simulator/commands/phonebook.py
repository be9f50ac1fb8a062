"""An empty phone book, for programs that insist on one (TS 27.007 §8.11-8.14)."""

from __future__ import annotations

from at.simulator.lines import Arguments
from at.simulator.table import Modem, Row
from at.simulator.values import OK, Outcome, Reply, cme


def _storage(_: Modem) -> Outcome:
    return Reply(('+CPBS: "SM",0,250',))


def _choose(_: Modem, args: Arguments) -> Outcome:
    if args.text(0) not in {"SM", "ME"}:
        raise cme(50)
    return OK


def _entries(_: Modem, args: Arguments) -> Outcome:
    args.integer(0, range(1, 251))
    return OK


ROWS = (
    Row("+CPBS", read=_storage, set=_choose, test='("SM","ME")', needs="sim"),
    Row("+CPBR", set=_entries, test="(1-250),40,16", needs="sim"),
)
