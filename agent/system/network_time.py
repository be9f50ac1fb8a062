"""Network time as a claim: how `+CCLK` is read, and what the claim is worth.

Pure. The times that are compared are those of the boot that they imply: a time less the boot clock
at that moment, in seconds. Why each rule is so: docs/decisions/clocks.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import Final, NamedTuple

__all__ = ["MARGIN_S", "Claim", "Reading", "Stamp", "Standing", "read", "weigh"]

MARGIN_S: Final = 120.0  # two clocks that agree: a message on its way, a poll, a centre's own error
BEYOND_S: Final = 86_400.0  # a stamp this far beyond every other clock still counts: a wrong zone
LIE_MAX_S: Final = 10 * 365 * 86_400.0  # a clock that was never set may be so far behind
LATE_MAX_S: Final = 30 * 86_400.0  # no service centre keeps a message for longer
ZONE_MAX_S: Final = 14 * 3600.0
QUARTER_S: Final = 900.0
_FIRST_YEAR: Final = 2024  # no gateway of ours was in a field before
_LAST_YEAR: Final = 2099

_CCLK = re.compile(
    r"(\d\d|\d{4})/(\d\d?)/(\d\d?)\s*[,\s]\s*(\d\d?):(\d\d?):(\d\d?)\s*([+-]\s?\d\d?)?\s*(?:,\d?)?"
)


class Reading(NamedTuple):
    """What `+CCLK?` said. zone: of local time from UTC; None where it was left out."""

    moment: datetime
    zone: timedelta | None


@dataclass(frozen=True, slots=True)
class Claim:
    """Network time as one reading told it, as the time of the boot.

    zone_s: None where none was told. jumped: an earlier reading in this boot said otherwise.
    """

    boot_at: float
    zone_s: float | None
    jumped: bool = False


class Stamp(NamedTuple):
    """A message's time stamp, as the time of the boot. fresh: received in this boot."""

    boot_at: float
    fresh: bool


class Standing(Enum):
    """What a claim is worth."""

    AGREES = auto()  # with a stamp, or with the wall clock
    ALONE = auto()  # there is nothing to compare it with
    AHEAD = auto()  # of every stamp: it is early, or all of them were late
    WRONG = auto()  # a stamp or a known habit speaks against it


def read(text: str) -> Reading | None:
    """Read what follows `+CCLK:` ("yy/MM/dd,hh:mm:ss±zz", TS 27.007 §8.15); None: no time.

    Quotes and zone may be missing, years have two or four digits, blanks may stray. A modem that
    the network has told nothing says 1980, 2004 or the like: that is no time.
    """
    match = _CCLK.fullmatch(text.replace('"', " ").strip())
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(one) for one in match.groups()[:6])
    if year < 100:
        year += 1900 if year >= 70 else 2000
    zone = timedelta(minutes=15 * int(match[7].replace(" ", ""))) if match[7] else None
    if zone is not None and abs(zone.total_seconds()) > ZONE_MAX_S:
        zone = None
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        return None
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return Reading(moment - (zone or timedelta()), zone)


def weigh(claim: Claim, wall: float, stamps: Iterable[Stamp]) -> Standing:
    """Compare a claim with the wall clock and the stamps of those who may command."""
    agrees_with_wall = abs(claim.boot_at - wall) <= MARGIN_S
    # Where two clocks agree, a stamp far beyond both is the one that is wrong.
    reach_s = BEYOND_S if agrees_with_wall else LIE_MAX_S
    borne_out = [stamp for stamp in stamps if stamp.boot_at <= claim.boot_at + reach_s]
    ahead_s = claim.boot_at - max((at for at, _ in borne_out), default=float("-inf"))
    if ahead_s < -MARGIN_S:
        return Standing.WRONG  # nothing is received before it was sent
    if ahead_s <= MARGIN_S:
        return Standing.AGREES
    fresh_s = claim.boot_at - max((at for at, fresh in borne_out if fresh), default=float("-inf"))
    if fresh_s < float("inf"):
        return _weigh_ahead(fresh_s, claim.zone_s, agrees_with_wall=agrees_with_wall)
    return Standing.AGREES if agrees_with_wall else Standing.ALONE


def _weigh_ahead(ahead_s: float, zone_s: float | None, *, agrees_with_wall: bool) -> Standing:
    """Tell a claim that is early from messages that were late."""
    if _is_habit(ahead_s, zone_s):
        return Standing.WRONG
    if agrees_with_wall:
        return Standing.AGREES
    if ahead_s > LATE_MAX_S:
        return Standing.WRONG
    quarters_s = round(ahead_s / QUARTER_S) * QUARTER_S
    if ahead_s <= 2 * ZONE_MAX_S and _is_near(ahead_s, quarters_s):
        return Standing.WRONG
    return Standing.AHEAD


def _is_habit(ahead_s: float, zone_s: float | None) -> bool:
    """Whether UTC was printed beside the zone, or the zone with the opposite sign."""
    return bool(zone_s) and any(_is_near(ahead_s, -times * (zone_s or 0.0)) for times in (1, 2))


def _is_near(one_s: float, other_s: float) -> bool:
    return abs(one_s - other_s) <= MARGIN_S
