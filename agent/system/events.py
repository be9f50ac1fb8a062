"""What happens, as it happens: every verdict and state change, for whoever watches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

__all__ = ["Event", "Events"]


@dataclass(frozen=True, slots=True)
class Event:
    """One change. kind: "message", "command", "report", "send", "link" and the like."""

    at: datetime
    kind: str
    id: str = ""
    state: str = ""
    verdict: str = ""
    reason: str = ""
    detail: str = ""


class Events:
    """Hands events to watchers, which must not block; the journal is the record, not these."""

    def __init__(self) -> None:
        self._watchers: list[Callable[[Event], None]] = []

    def watch(self, watcher: Callable[[Event], None]) -> Callable[[], None]:
        """Add a watcher; the function that is returned removes it."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def tell(self, event: Event) -> None:
        """Hand an event to every watcher."""
        for watcher in tuple(self._watchers):
            watcher(event)
