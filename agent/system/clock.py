"""What time it is, and whether that may be trusted."""

from __future__ import annotations

import functools
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from agent.system import network_time
from agent.system.network_time import BEYOND_S, MARGIN_S, Claim, Stamp, Standing

__all__ = ["Clock", "Told", "boot_id", "from_iso", "iso"]

# Touched by systemd-timesyncd at every synchronisation; the sandbox hides adjtimex(2).
_TIMESYNC_MARKER = Path("/run/systemd/timesync/synchronized")
STAMPS_MAX: Final = 50  # the newest are compared with
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


class Told(NamedTuple):
    """The time, where it can be trusted; one that has passed; network time that may be early."""

    now: datetime | None
    floor: datetime | None
    perhaps: datetime | None


class Clock:
    """Wall and boot time, with what is known of the wall clock's truth.

    The wall clock is trusted once NTP has synchronised it. Network time is a claim, which counts
    while it agrees with the stamps of received messages; these are a lower bound all the same.
    """

    def __init__(self, marker: Path = _TIMESYNC_MARKER) -> None:
        self._marker = marker
        self._synchronised_until_s = float("-inf")
        self._claim: Claim | None = None
        self._stamps: tuple[Stamp, ...] = ()  # replaced, not changed: the journal's thread reads it
        self._before_boot_s = 0.0  # elapsed time less boottime()

    def wall(self) -> datetime:
        """Return the system's wall clock as it stands: for records."""
        return datetime.now(UTC)

    def boottime(self) -> float:
        """Return seconds since boot, suspend included: for delays."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def elapsed(self) -> float:
        """Return elapsed time in seconds: what ages, waits and budgets are counted by.

        It has passed since the journal was begun, as far as the boot clock vouches for it, and
        NTP for what lay between two boots (see
        agent/journal/elapsed.py). Setting a clock does not move it.
        """
        return self._before_boot_s + self.boottime()

    def resume(self, elapsed_s: float) -> None:
        """Let elapsed time go on from here."""
        self._before_boot_s = elapsed_s - self.boottime()

    def synchronised(self) -> datetime | None:
        """Return the wall clock's time where NTP vouches for it, else None."""
        if self.has_marker() or self.boottime() < self._synchronised_until_s:
            return self.wall()
        return None

    def has_marker(self) -> bool:
        """Whether timesyncd has synchronised the wall clock since boot."""
        return self._marker.exists()

    def tell_synchronised(self, for_s: float) -> None:
        """Take the word of another NTP client, for so long; 0: it says no."""
        self._synchronised_until_s = self.boottime() + for_s

    def tell_network_time(self, text: str) -> None:
        """Take network time as the modem tells it (agent/system/network_time.py).

        Two readings that disagree prove one of them wrong: then one has to be borne out.
        """
        reading = network_time.read(text)
        if reading is None:
            return
        zone_s = None if reading.zone is None else reading.zone.total_seconds()
        claim, before = Claim(self._boot_at(reading.moment), zone_s), self._claim
        if before is not None:
            jumped = abs(claim.boot_at - before.boot_at) > MARGIN_S
            claim = Claim(claim.boot_at, zone_s, jumped=jumped or before.jumped)
            if jumped and self._agrees(before) and not self._agrees(claim):
                return
        self._claim = claim

    def tell_lower_bound(self, moment: datetime, *, age_s: float = 0.0) -> None:
        """Take the time stamp of a message that was received `age_s` ago: it was sent before.

        Only of senders that may command.
        """
        received = self.boottime() - age_s
        stamp = Stamp(moment.timestamp() - received, fresh=received >= 0)
        self._stamps = (*self._stamps, stamp)[-STAMPS_MAX:]

    def trusted(self) -> datetime | None:
        """Return the time where it can be trusted, else None."""
        return self.synchronised() or self._claimed(None)

    def lower_bound(self) -> datetime | None:
        """Return a time that has certainly passed; None where nothing is known."""
        return self.trusted() or self._borne_out(None)

    def beside(self, stamp: datetime | None) -> Told:
        """Tell what is known beside one more stamp, that of the message which is judged.

        stamp: None where its sender may not command, or there is none.
        """
        if stamp is None or self._claim is None:
            return Told(self.trusted(), self.lower_bound(), None)
        now = self.synchronised() or self._claimed(stamp)
        perhaps = None
        if now is None and self._is_plain and self._weighed(self._claim, stamp) is Standing.AHEAD:
            perhaps = self._moment(self._claim.boot_at)
        return Told(now, now or self._borne_out(stamp), perhaps)

    def vouched(self) -> datetime | None:
        """Return the time where NTP vouches for it, or wall clock and network time agree on it."""
        now, claim = self.trusted(), self._claim
        if claim is None or self.synchronised() is not None:
            return now
        return now if abs(claim.boot_at - self._boot_at(self.wall())) <= MARGIN_S else None

    @property
    def _is_plain(self) -> bool:
        """Whether the claim says that it is UTC: else it may be local time, or UTC all the same."""
        return self._claim is not None and self._claim.zone_s == 0 and not self._claim.jumped

    def _claimed(self, stamp: datetime | None) -> datetime | None:
        """Return network time while it counts."""
        if self._claim is None:
            return None
        standing = self._weighed(self._claim, stamp)
        if standing is Standing.AGREES or (standing is Standing.ALONE and self._is_plain):
            return self._moment(self._claim.boot_at)
        return None

    def _borne_out(self, stamp: datetime | None) -> datetime | None:
        """Return the newest time stamp that is not far beyond wall clock and network time."""
        latest = self._boot_at(self.wall())
        if self._claim is not None and self._weighed(self._claim, stamp) is not Standing.WRONG:
            latest = max(latest, self._claim.boot_at)
        borne_out = (at for at, _ in self._compared(stamp) if at <= latest + BEYOND_S)
        newest = max(borne_out, default=None)
        return None if newest is None else self._moment(newest)

    def _agrees(self, claim: Claim) -> bool:
        return self._weighed(claim, None) is Standing.AGREES

    def _weighed(self, claim: Claim, stamp: datetime | None) -> Standing:
        return network_time.weigh(claim, self._boot_at(self.wall()), self._compared(stamp))

    def _compared(self, stamp: datetime | None) -> tuple[Stamp, ...]:
        if stamp is None:
            return self._stamps
        return (*self._stamps, Stamp(self._boot_at(stamp), fresh=True))

    def _boot_at(self, moment: datetime) -> float:
        return moment.timestamp() - self.boottime()

    def _moment(self, boot_at: float) -> datetime:
        # Whole milliseconds, as in the journal: the sum of two floats is not exact.
        return datetime.fromtimestamp(round(boot_at + self.boottime(), 3), UTC)
