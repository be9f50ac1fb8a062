"""What a failed connection means for the next one; pure, time and chance are passed in."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, StrEnum

REMEMBER_S = (
    3600.0  # a fall-back is trusted this long: brokers get upgraded, silence had other causes
)


class Version(StrEnum):
    """The protocol versions spoken, newest first."""

    V5 = "5"
    V311 = "3.1.1"


class Failure(Enum):
    """Why a connection attempt failed, as far as the next attempt cares."""

    UNREACHABLE = "unreachable"  # no name, no route, nobody listens, TLS not finished in time
    SILENT = "silent"  # connected, and no CONNACK: paused, or a version the broker cannot parse
    VERSION = "version"  # refused because of the protocol version (132, or 1 on 3.1.1)
    RETAIN = "retain"  # the broker keeps no retained messages, so the will may not be one
    BUSY = "busy"  # refused for now: server unavailable, busy, quota, rate
    DENIED = "denied"  # credentials, certificate, identifier: somebody must change something


class ConnectError(Exception):
    """A connection attempt failed. reason: one sentence, with the remedy where there is one."""

    def __init__(self, failure: Failure, reason: str) -> None:
        super().__init__(reason)
        self.failure = failure
        self.reason = reason


class ProtocolChoice:
    """Which version to try: MQTT 5 first, 3.1.1 where 5 is refused or ignored, then what worked.

    configured: "auto", "5" or "3.1.1"; times are monotonic seconds.
    """

    def __init__(self, configured: str) -> None:
        self._fixed = None if configured == "auto" else Version(configured)
        self._version = self._fixed or Version.V5
        self._spoke_5 = False  # a broker that once spoke MQTT 5 is silent for another reason
        self._forget_at: float | None = None

    def next(self, now: float) -> Version:
        """The version for the next attempt."""
        if self._forget_at is not None and now >= self._forget_at:
            self._version, self._forget_at = Version.V5, None
        return self._version

    def probing(self) -> bool:
        """Whether silence to the next attempt would lead to the other version."""
        return self._fixed is None and self._version is Version.V5 and not self._spoke_5

    def connected(self, version: Version, now: float) -> None:
        """Note what worked."""
        if version is Version.V5:
            self._spoke_5 = True
        elif self._fixed is None and self._forget_at is None:
            self._forget_at = now + REMEMBER_S

    def failed(self, version: Version, failure: Failure) -> bool:
        """Note what did not; returns True where another version is worth trying at once."""
        if self._fixed is not None or failure not in {Failure.SILENT, Failure.VERSION}:
            return False
        if version is Version.V311:
            self._version, self._forget_at = Version.V5, None
            return False
        if failure is Failure.SILENT and self._spoke_5:
            return False
        self._version, self._spoke_5 = Version.V311, False
        return True


class BackOff:
    """Growing, jittered waits between attempts: each between half of its step and the whole.

    chance: returns a number in [0, 1); low_s, high_s: the bounds of every wait.
    """

    def __init__(self, low_s: float, high_s: float, chance: Callable[[], float]) -> None:
        self._low_s = low_s
        self._high_s = high_s
        self._chance = chance
        self._step_s = 2 * low_s

    def reset(self) -> None:
        """Start over with the shortest wait."""
        self._step_s = 2 * self._low_s

    def next_s(self, *, slow: bool = False) -> float:
        """The next wait in seconds; slow: the longest step, as hurry cannot help."""
        step_s = self._high_s if slow else min(self._step_s, self._high_s)
        self._step_s = min(2 * self._step_s, 2 * self._high_s)
        return max(self._low_s, step_s * (1 + self._chance()) / 2)
