"""Budget: how much of what may be sent has been."""

from __future__ import annotations

import sqlite3
from typing import Final

from agent.doctor.check import Check
from agent.doctor.configuration import FILE
from agent.doctor.context import Patient
from agent.doctor.finding import Result, error, good, note, warning
from agent.journal.readonly import ReadOnlyError, open_read_only
from agent.sms.budget import PERIODS_S, spent

__all__ = ["CHECKS"]

NEARLY: Final = 0.8
_WAITING: Final = "SELECT count(*) FROM sends WHERE state = 'queued'"


def _sms(patient: Patient) -> Result:
    path = patient.journal_path
    assert path is not None  # noqa: S101 - the configuration names it
    assert patient.config is not None  # noqa: S101 - the configuration is good
    if not path.exists():
        return note("nothing sent yet")
    limits = patient.config.budget
    try:
        with open_read_only(path) as db:
            hour, day, waiting = _counts(db)
    except ReadOnlyError as problem:
        return note(str(problem))
    told = (
        f"{hour} of {limits.sms_per_hour} in the last hour, "
        f"{day} of {limits.sms_per_day} in the last day, {waiting} wait"
    )
    remedy = "modem-agent history shows what for; [budget] sets the limits"
    if hour >= limits.sms_per_hour or day >= limits.sms_per_day:
        return error(f"{told}: spent", remedy)
    if hour >= NEARLY * limits.sms_per_hour or day >= NEARLY * limits.sms_per_day:
        return warning(f"{told}: nearly spent", remedy)
    return good(told)


def _counts(db: sqlite3.Connection) -> tuple[int, int, int]:
    hour, day = (spent(db, period_s) for period_s in PERIODS_S.values())
    return hour, day, int(db.execute(_WAITING).fetchone()[0])


CHECKS: Final = (Check("budget", "SMS", _sms, needs=(FILE,)),)
