"""Whether the messages in the modem can be read: told at changes, trouble in a minute."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from agent.system.clock import Clock
from at.errors import AtError

__all__ = ["Unreadable"]

log = logging.getLogger(__name__)

UNREADABLE_S: Final = 60.0  # messages unreadable for this long: the card is looked at


class Unreadable:
    """Hears how the reading went. error: why messages cannot be read, "" while they can.

    tell: hears of changes, in a phrase; trouble: hears of the cause after each UNREADABLE_S.
    """

    def __init__(
        self, clock: Clock, *, tell: Callable[[str], None], trouble: Callable[[str], None]
    ) -> None:
        self.error = ""
        self._clock = clock
        self._tell = tell
        self._trouble = trouble
        self._since_s: float | None = None  # boot time

    def failed(self, error: AtError) -> None:
        """Hear that the messages cannot be read."""
        now_s = self._clock.boottime()
        if self._since_s is None:
            self._since_s = now_s
        told = f"messages cannot be read: {error}"
        if str(error) != self.error:
            self.error = str(error)
            self._tell(told)
        if now_s - self._since_s >= UNREADABLE_S:
            self._since_s = now_s
            self._trouble(told)

    def read(self) -> None:
        """Hear that all messages have been read."""
        self._since_s = None
        if self.error:
            self.error = ""
            log.info("messages can be read again")
            self._tell("messages can be read again")
