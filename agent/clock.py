"""What time it is, and whether that may be trusted."""

from __future__ import annotations

import functools
import os
import re
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

__all__ = ["Clock", "boot_id", "from_iso", "iso"]

# Touched by systemd-timesyncd at every synchronisation; the sandbox hides adjtimex(2).
_TIMESYNC_MARKER = Path("/run/systemd/timesync/synchronized")
_CCLK = re.compile(r"(\d\d)/(\d\d)/(\d\d),(\d\d):(\d\d):(\d\d)([+-]\d\d)")
_FIRST_YEAR = 2024  # no gateway of ours was in a field before
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def iso(moment: datetime) -> str:
    """Render an aware time as UTC ISO 8601 with milliseconds and `Z`: sorts as text."""
    utc = moment.astimezone(UTC)
    return utc.strftime("%Y-%m-%dT%H:%M:%S.") + f"{utc.microsecond // 1000:03d}Z"


def from_iso(text: str) -> datetime:
    """Read what `iso` wrote."""
    return datetime.fromisoformat(text)


@functools.cache
def _boot_id_of_kernel() -> str:
    try:
        return _BOOT_ID.read_text(encoding="ascii")
    except OSError:
        return ""


def boot_id() -> str | None:
    """Return this boot's id, 32 hex digits without dashes; None where there is none to be had.

    The unit hides /proc/sys (`ProcSubset=pid`) and passes the id as BOOT_ID instead.
    """
    text = os.environ.get("BOOT_ID", "") or _boot_id_of_kernel()
    text = text.strip().replace("-", "").lower()
    return text if len(text) == 32 and all(c in "0123456789abcdef" for c in text) else None


class Clock:
    """Wall and boot time, with what is known of the wall clock's truth.

    The wall clock is trusted once timesyncd has synchronised it or the modem has told network
    time since boot. The newest time stamp of a received message is a lower bound all the same.
    """

    def __init__(self, marker: Path = _TIMESYNC_MARKER) -> None:
        self._marker = marker
        self._told: tuple[datetime, float] | None = None  # network time, and boottime() then
        self._before_boot_s = 0.0  # elapsed time less boottime()
        self._floor: datetime | None = None

    def wall(self) -> datetime:
        """Return the system's wall clock as it stands: for records."""
        return datetime.now(UTC)

    def boottime(self) -> float:
        """Return seconds since boot, suspend included: for delays."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def elapsed(self) -> float:
        """Return elapsed time in seconds: what ages, waits and budgets are counted by.

        It has passed since the journal was begun, as far as the boot clock vouches for it, and
        NTP for what lay between two boots (see agent/elapsed.py). Setting a clock does not move it.
        """
        return self._before_boot_s + self.boottime()

    def resume(self, elapsed_s: float) -> None:
        """Let elapsed time go on from here."""
        self._before_boot_s = elapsed_s - self.boottime()

    def synchronised(self) -> datetime | None:
        """Return the wall clock's time where NTP vouches for it, else None."""
        return self.wall() if self._marker.exists() else None

    def tell_network_time(self, text: str) -> None:
        """Take network time as the modem tells it ("yy/MM/dd,hh:mm:ss±zz", TS 27.007 8.15).

        A modem that the network has told nothing says 1980, 2004 or the like: that is no time,
        and neither is one before a message that was received.
        """
        match = _CCLK.fullmatch(text.strip('"'))
        if match is None:
            return
        quarters = int(match[7])
        year = int(match[1]) + (1900 if int(match[1]) >= 70 else 2000)
        try:
            moment = datetime(
                year,
                int(match[2]),
                int(match[3]),
                int(match[4]),
                int(match[5]),
                int(match[6]),
                tzinfo=timezone(timedelta(minutes=15 * quarters)),
            )
        except ValueError:
            return
        if moment.year < _FIRST_YEAR or (self._floor is not None and moment < self._floor):
            return
        self._told = (moment.astimezone(UTC), self.boottime())

    def tell_lower_bound(self, moment: datetime) -> None:
        """Take the time stamp of a received message: it cannot be later than now."""
        if self._floor is None or moment > self._floor:
            self._floor = moment

    def trusted(self) -> datetime | None:
        """Return the time where it can be trusted, else None."""
        now = self.synchronised()
        if now is not None:
            return now
        if self._told is not None:
            moment, then = self._told
            return moment + timedelta(seconds=self.boottime() - then)
        return None

    def lower_bound(self) -> datetime | None:
        """Return a time that has certainly passed; None where nothing is known."""
        return self.trusted() or self._floor
