"""What the broker does not take: topics it refuses, or hangs up at; each is tried again seldom."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from agent.channels.mqtt.reasons import PACKET_TOO_LARGE
from agent.channels.mqtt.values import PublishRefusedError

__all__ = ["Refusals"]

log = logging.getLogger(__name__)

PAUSES_S: Final = (5.0, 30.0, 120.0, 600.0, 1800.0, 3600.0)
PROOF: Final = 2  # hang-ups in a row: one may be the network's
LARGE_OCTETS: Final = 4096  # a body above it is suspected before its topic
LIMIT_FOR_S: Final = 3600.0
TOPICS_MAX: Final = 64  # Response Topics are whatever requesters name


@dataclass(slots=True)
class _Topic:
    """hang_ups: in a row, while this was unanswered. reason: why it is set aside, "": it is not."""

    hang_ups: int = 0
    code: int = 0
    reason: str = ""
    tries: int = 0
    until_s: float = 0.0


class Refusals:
    """Remembers over connections what the broker refused.

    MQTT 5 says it by a reason code. A broker of 3.1.1 can only hang up (3.1.1 §3.3.5): what it had
    not acknowledged then is suspected, and flies alone until one hang-up proves it or an
    acknowledgement clears it. told: called with "refused" or "taken" and a sentence, once for each.
    """

    def __init__(
        self, told: Callable[[str, str], None], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._told = told
        self._now = now
        self._topics: dict[str, _Topic] = {}
        self._alone = asyncio.Lock()
        self._limit: tuple[int, float] | None = None  # octets, until when

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics that are set aside."""
        return tuple(name for name, topic in self._topics.items() if topic.reason)

    def is_suspect(self, topic: str) -> bool:
        """Whether the broker has hung up while this was unanswered, or refused it."""
        return topic in self._topics

    def pause_s(self, topic: str) -> float:
        """How long the topic is still to be left alone."""
        known = self._topics.get(topic)
        return max(0.0, known.until_s - self._now()) if known is not None else 0.0

    def check(self, topic: str, octets: int) -> None:
        """Raise PublishRefusedError for what is not to be tried now."""
        if self._limit is not None:
            limit, until_s = self._limit
            if self._now() >= until_s:
                self._limit = None
            elif octets >= limit:
                name = f"the broker hangs up at {limit} octets"
                raise PublishRefusedError(topic, PACKET_TOO_LARGE, name, permanent=True)
        if self.pause_s(topic) > 0:
            known = self._topics[topic]
            raise PublishRefusedError(topic, known.code, known.reason, permanent=True)

    @asynccontextmanager
    async def turn(self, topic: str, octets: int) -> AsyncIterator[None]:
        """Give leave to publish: to a suspect only while no other one is under way.

        Raises PublishRefusedError as `check` does.
        """
        self.check(topic, octets)
        if not self.is_suspect(topic):
            yield
            return
        async with self._alone:
            self.check(topic, octets)
            yield

    def refused(self, topic: str, code: int, reason: str) -> None:
        """Note a refusal by a reason code."""
        self._set_aside(topic, self._known(topic), code, reason)

    def taken(self, topic: str) -> None:
        """Note an acknowledgement."""
        known = self._topics.pop(topic, None)
        if known is not None and known.reason:
            log.info("mqtt topic taken again topic=%s", topic)
            self._told("taken", f"{topic}: taken again")

    def hung_up(self, unanswered: Collection[tuple[str, int]]) -> bool:
        """Note the end of a connection by the broker. unanswered: topics with their octets.

        Returns whether that explains the end.
        """
        suspects = [one for one in unanswered if self.is_suspect(one[0])]
        for topic, octets in suspects or unanswered:
            known = self._known(topic)
            known.hang_ups += 1
            if known.hang_ups < PROOF:
                continue
            if octets > LARGE_OCTETS:
                known.hang_ups = 0
                self._limit = (octets, self._now() + LIMIT_FOR_S)
                log.warning("mqtt broker hangs up at large messages octets=%d", octets)
            else:
                self._set_aside(topic, known, 0x80, "the broker hangs up at it")
        return bool(unanswered)

    def _set_aside(self, topic: str, known: _Topic, code: int, reason: str) -> None:
        news = not known.reason
        known.code, known.reason = code, reason
        known.until_s = self._now() + PAUSES_S[min(known.tries, len(PAUSES_S) - 1)]
        known.tries += 1
        if news:
            log.error("mqtt topic refused by the broker topic=%s reason=%s", topic, reason)
            self._told("refused", f"{topic}: {reason}")

    def _known(self, topic: str) -> _Topic:
        if topic not in self._topics and len(self._topics) >= TOPICS_MAX:
            del self._topics[next(iter(self._topics))]
        return self._topics.setdefault(topic, _Topic())
