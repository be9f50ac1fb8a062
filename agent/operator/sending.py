"""Sends a message through its platform, follows it, and waits for the agent's answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agent.operator import answer as answers
from agent.operator.answer import Answer
from agent.operator.http import Http, RefusedError, UnavailableError
from agent.operator.inventory import Device
from agent.operator.message import Composed
from agent.operator.platforms.catalogue import CLIENTS
from agent.operator.platforms.client import Client
from agent.operator.received import texts_of

__all__ = ["Outcome", "listed", "send"]

FIRST_POLL_S: Final = 0.3
POLL_S: Final = 5.0  # the most between two looks
POLL_GROWS: Final = 1.5
PAUSE_S: Final = 2.0  # before another try of a platform that cannot be reached


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a command.

    platform_id, platform_status: of the last sending, "" where there was none. answer: the last
    one, also "running" or "scheduled"; None where none came. refused: what the platform said to
    it; unavailable: why the platform could not be asked, the last time it was tried.
    """

    platform_id: str = ""
    platform_status: str = ""
    answer: Answer | None = None
    failed: bool = False
    refused: str = ""
    unavailable: str = ""
    tries: int = 0

    @property
    def is_answered(self) -> bool:
        """Whether the agent told the command's end."""
        return self.answer is not None and self.answer.is_final


Tell = Callable[[str], None]


async def send(
    device: Device,
    message: Composed,
    *,
    log: Path,
    wait_s: float | None,
    retries: int,
    tell: Tell,
) -> Outcome:
    """Send a message, up to 1 + retries times the very same, and wait `wait_s` after each.

    wait_s: None to wait for nothing but the platform's acceptance. log: what `operator listen`
    keeps. tell: is told of progress.
    """
    async with Http(device.account.timeout_s) as http:
        client = CLIENTS[device.account.platform](device.account, http)
        sender = _Sender(client, device, message, log, tell)
        for number in range(retries + 1):
            if number and not sender.platform_id:
                await asyncio.sleep(PAUSE_S)
            outcome = await sender.once(wait_s)
            if outcome.is_answered or outcome.refused or (wait_s is None and outcome.platform_id):
                break
        return outcome


async def listed(device: Device) -> Sequence[dict[str, Any]]:
    """List what the platform knows of a device; raises UnavailableError, RefusedError."""
    async with Http(device.account.timeout_s) as http:
        client = CLIENTS[device.account.platform](device.account, http)
        return [one.to_json() for one in await client.messages(device)]


class _Sender:
    """One command; each try posts the same text, so that the agent runs it once at most."""

    def __init__(
        self, client: Client, device: Device, message: Composed, log: Path, tell: Tell
    ) -> None:
        self._client = client
        self._device = device
        self._message = message
        self._log = log
        self._tell = tell
        self._old: Collection[str] | None = None if message.own_id else ()
        self._ids = {message.id}
        self._tries = 0
        self._answer: Answer | None = None
        self._unavailable = ""
        self.platform_id = ""
        self._status = ""

    async def once(self, wait_s: float | None) -> Outcome:
        """Make one try."""
        self._tries += 1
        try:
            if wait_s is not None and self._old is None:
                # The id is the caller's: an older answer may bear it too.
                self._old = frozenset(id_ for id_, _ in await self._texts())
            self.platform_id = await self._client.send(self._device, self._message.text)
        except UnavailableError as error:
            self._unavailable = str(error)
            self._tell(f"not sent: {error}")
            return self._outcome()
        except RefusedError as error:
            return self._outcome(refused=str(error))
        self._unavailable = self._status = ""
        self._ids.add(self.platform_id.upper())  # a SID in the body is the id where none is legible
        self._tell(f"sent as {self.platform_id}")
        return self._outcome() if wait_s is None else await self._follow(wait_s)

    async def _follow(self, wait_s: float) -> Outcome:
        deadline, pause_s = time.monotonic() + wait_s, FIRST_POLL_S
        while True:
            left_s = deadline - time.monotonic()
            try:
                async with asyncio.timeout(max(left_s, FIRST_POLL_S)):
                    await self._look()
            except TimeoutError:
                self._unavailable = "the platform is too slow to be asked"
            except UnavailableError as error:
                self._unavailable = str(error)
            except RefusedError as error:
                self._unavailable = f"the platform does not tell: {error}"
            failed = self._status in self._client.failed
            left_s = deadline - time.monotonic()
            if (self._answer is not None and self._answer.is_final) or failed or left_s <= 0:
                return self._outcome(failed=failed)
            await asyncio.sleep(min(pause_s, left_s))
            pause_s = min(pause_s * POLL_GROWS, POLL_S)

    async def _look(self) -> None:
        """Look for the answer, then for the status."""
        for id_, text in await self._texts():
            found = None if id_ in (self._old or ()) else answers.read(text, self._ids)
            if found is not None:
                if self._answer is None or found.text != self._answer.text:
                    self._tell(f"answer: {found.text}")
                self._answer = found
                if found.is_final:
                    break
        if self._status == self._client.delivered:
            return
        status = await self._client.status(self._device, self.platform_id)
        if status and status != self._status:
            self._status = status
            self._tell(f"{self._device.account.platform}: {status}")

    async def _texts(self) -> list[tuple[str, str]]:
        """Give (id, text) of what came from the device: as listed, and as listened to."""
        found = texts_of(self._log, self._device)
        if self._client.lists_answers:
            rows = await self._client.messages(self._device)
            found += [(row.id, row.text) for row in rows if row.from_device]
        return found

    def _outcome(self, *, failed: bool = False, refused: str = "") -> Outcome:
        return Outcome(
            self.platform_id,
            self._status,
            self._answer,
            failed,
            refused,
            self._unavailable,
            self._tries,
        )
