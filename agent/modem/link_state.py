"""The state of the link, and how it is told: what is only tried again is told once."""

from __future__ import annotations

from typing import Final

from agent.journal.states import LINK
from agent.system.clock import Clock
from agent.system.events import Event, Events

__all__ = ["LinkState"]

# What is gone through at every attempt: told once until the modem has been ready again.
ATTEMPT: Final = frozenset({"opening", "starting", "recovering"})


class LinkState:
    """state: of machines.LINK; reason: why it is that, "" where there is nothing to say.

    told: the state as the events tell it, with since: what is only tried again changes neither.
    """

    def __init__(self, clock: Clock, events: Events) -> None:
        self.state = "absent"
        self.reason = "not opened yet"
        self.told = self.state
        self.since = clock.wall()
        self._clock = clock
        self._events = events
        self._told_reason = ""
        self._attempted: set[str] = set()  # steps of an attempt told since it was ready
        self._climbed_for = ""  # why the ladder is climbed, until the modem is ready or gone

    def _tell(self, detail: str) -> None:
        self._events.tell(Event(self._clock.wall(), "link", state=self.state, detail=detail))

    def _move(self, trigger: str, reason: str = "") -> None:
        self.state = LINK.move(self.state, trigger)
        # What is tried again has the reason for which it is.
        self._climbed_for = "" if self.state == "ready" else self._climbed_for
        self.reason = reason or self._climbed_for
        if self.state in ATTEMPT:
            if self.state in self._attempted:
                return
            self._attempted.add(self.state)
        elif self.state == "ready":
            self._attempted.clear()
        if self.state != self.told:
            self.told = self.state
            self.since = self._clock.wall()
        elif reason == self._told_reason:
            return
        self._told_reason = reason
        self._events.tell(Event(self._clock.wall(), "link", state=self.told, detail=reason))
