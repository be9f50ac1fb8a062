"""Times as a person gives them to an option: a moment, a day, or how long ago."""

from __future__ import annotations

import argparse
import re
from datetime import datetime, timedelta
from typing import Final

__all__ = ["moment"]

_AGO: Final = re.compile(r"(\d{1,6})(s|min|m|h|d|w)")
_UNITS: Final = {"s": 1, "min": 60, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def moment(text: str, now: datetime | None = None) -> datetime:
    """Read `2026-11-21`, `2026-11-21T10:00[:00][Z]`, `10:00` (today), `today`, or `2h` (ago).

    Without a zone it is this machine's. Raises argparse.ArgumentTypeError.
    """
    here = (now or datetime.now().astimezone()).astimezone()
    ago = _AGO.fullmatch(text)
    if ago is not None:
        return here - timedelta(seconds=int(ago[1]) * _UNITS[ago[2]])
    today = here.replace(hour=0, minute=0, second=0, microsecond=0)
    if text == "today":
        return today
    try:
        if re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", text):
            found = datetime.fromisoformat(f"{here.date()}T{text.zfill(5)}")
        else:
            found = datetime.fromisoformat(text)
    except ValueError:
        problem = f"{text} is no time (2026-11-21, 2026-11-21T10:00Z, 10:00, today, 2h)"
        raise argparse.ArgumentTypeError(problem) from None
    return found.astimezone() if found.tzinfo is None else found
