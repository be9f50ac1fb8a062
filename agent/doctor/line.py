"""The two ways to the modem: its open port, or the running agent."""

from __future__ import annotations

import functools
import select
import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from agent.control.client import NoAgentError, RequestFailedError
from at.errors import AtError, CommandTimeoutError
from at.port.off_loop import off_loop
from at.result_codes import command_error

if TYPE_CHECKING:
    from agent.control.client import Client
    from at.command import Command
    from at.modem import Modem

__all__ = ["AgentLine", "DirectLine", "Line", "NotPassedOnError", "UnreadyError", "within"]

R = TypeVar("R")
T = TypeVar("T")
GRACE_S: Final = 2.0  # the agent has its own time limit, and says so a little later


class NotPassedOnError(AtError):
    """The agent passes on no AT lines of ours."""


class UnreadyError(AtError):
    """The agent is there, and has no modem that is ready."""


class Line(Protocol):
    """A way to the modem."""

    async def ask(self, command: Command[R]) -> R:
        """Send one command; raises CommandError, ReplyError, CommandTimeoutError, other AtError."""
        ...


class DirectLine:
    """The open port of a modem that nobody else uses."""

    def __init__(self, modem: Modem) -> None:
        self._modem = modem

    async def ask(self, command: Command[R]) -> R:
        """Send one command."""
        return await self._modem.send(command)


class AgentLine:
    """The control socket of the agent that owns the modem.

    tap: hears what was said, as if on the line; the agent does not tell blank lines and echoes.
    """

    def __init__(self, client: Client, tap: Callable[[bool, bytes], None]) -> None:
        self._client = client
        self._tap = tap

    async def ask(self, command: Command[R]) -> R:
        """Send one command in its turn among the agent's own."""
        ask = functools.partial(
            self._client.ask, "at", line=command.line, timeout_s=command.timeout_s
        )
        answer = await off_loop(
            lambda: self._told(command, lambda: within(self._client, command.timeout_s, ask)),
            command.timeout_s + 2 * GRACE_S,
            late=lambda _: None,
        )
        lines, final = tuple(map(str, answer["lines"])), str(answer["final"])
        self._tap(True, f"AT{command.line}\r".encode("latin-1"))
        for text in (*lines, final):
            self._tap(False, f"\r\n{text}\r\n".encode("latin-1", "replace"))
        if final != "OK":
            raise command_error(command.shown, final)
        own = command.info
        return command.parse(tuple(text for text in lines if own is None or own.fullmatch(text)))

    def _told(self, command: Command[Any], ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        try:
            return ask()
        except TimeoutError:
            raise CommandTimeoutError(command.shown, command.timeout_s, "result") from None
        except NoAgentError as error:
            raise UnreadyError(str(error)) from None
        except RequestFailedError as error:
            if error.code == "unavailable":
                raise UnreadyError(str(error)) from None
            if error.code == "failed":
                raise CommandTimeoutError(command.shown, command.timeout_s, "result") from None
            raise NotPassedOnError(str(error)) from None


def within(client: Client, timeout_s: float, ask: Callable[[], T]) -> T:
    """Ask an agent that may hang; blocks at most timeout_s and a little. Raises TimeoutError."""
    deadline = time.monotonic() + timeout_s + GRACE_S

    def patience(connection: socket.socket) -> None:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([connection], [], [], left)[0]:
            raise TimeoutError("the agent does not answer")

    client.patience = patience
    try:
        return ask()
    finally:
        client.patience = None
