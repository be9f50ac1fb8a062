"""A client of the control socket, as the command line is one."""

from __future__ import annotations

import contextlib
import itertools
import json
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from agent.config.paths import SYSTEM_RUNTIME, control_candidates
from agent.control.folder import ForeignFolderError, check_folder

__all__ = ["AgentGoneError", "Client", "NoAgentError", "RequestFailedError"]


class NoAgentError(Exception):
    """No agent can be reached; the text says where one was looked for, or what is in the way."""


class AgentGoneError(NoAgentError):
    """The agent ended before it had answered."""


class RequestFailedError(Exception):
    """The agent did not do it; code and about as in wire.RequestError."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        super().__init__(str(error.get("text", "failed")))
        self.code = str(error.get("code", "failed"))
        self.about = error


class Client:
    """One connection, one request at a time.

    patience: called with the socket before each read that would wait; it may raise to give up.
    """

    def __init__(self, connection: socket.socket) -> None:
        self.patience: Callable[[socket.socket], None] | None = None
        self._connection = connection
        self._unread = b""
        self._numbers = itertools.count(1)

    @classmethod
    def connect(cls, paths: Sequence[Path] | None = None, *, device: str | None = None) -> Client:
        """Connect to the first of the sockets where an agent listens. Raises NoAgentError.

        paths: named by the user, who knows them; None: the usual places, whose folders are looked
        at first: a stranger may have made one in /tmp. device: the only one that is meant.
        """
        tried = tuple(control_candidates() if paths is None else paths)
        obstacle = ""
        for path in tried:
            try:
                client = cls(_connected(path, named=paths is not None))
            except ForeignFolderError as error:
                obstacle = obstacle or str(error)
                continue
            except PermissionError:
                told = f"{path}: permission denied; be root, or of the agent's group"
                obstacle = obstacle or told
                continue
            except OSError:
                continue
            try:
                found = client.ask("status", radio=False).get("device") if device else None
            except (NoAgentError, RequestFailedError):
                client.close()
                raise
            if found == device:
                return client
            client.close()
            obstacle = obstacle or f"{path}: the agent of device {found}, not of {device}"
        looked = " nor ".join(str(path) for path in tried)
        raise NoAgentError(obstacle or f"no agent is running (none listens at {looked})")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the connection, and with it whatever was being followed."""
        self._connection.close()

    def stream(self, op: str, **fields: Any) -> Iterator[dict[str, Any]]:
        """Yield the answers to one request; the last has `done` true.

        Fields that are None are left out. Raises RequestFailedError, AgentGoneError.
        """
        req = next(self._numbers)
        given = {name: value for name, value in fields.items() if value is not None}
        line = json.dumps({"req": req, "op": op, **given}).encode() + b"\n"
        try:
            self._connection.sendall(line)
        except OSError:
            # It may have said why before it hung up.
            with contextlib.suppress(OSError):
                self._connection.shutdown(socket.SHUT_WR)
        while True:
            answer = self._answer()
            if answer.get("req") not in (req, None):
                continue  # of a request that was given up
            if not answer.get("ok"):
                raise RequestFailedError(answer.get("error") or {})
            yield answer
            if answer.get("done"):
                return

    def ask(self, op: str, **fields: Any) -> dict[str, Any]:
        """Return the last answer to one request."""
        *_, last = self.stream(op, **fields)
        return last

    def _answer(self) -> dict[str, Any]:
        while b"\n" not in self._unread:
            if self.patience is not None:
                self.patience(self._connection)
            try:
                data = self._connection.recv(65536)
            except OSError:
                data = b""
            if not data:
                raise AgentGoneError("the agent ended before it had answered")
            self._unread += data
        line, _, self._unread = self._unread.partition(b"\n")
        answer = json.loads(line)
        return answer if isinstance(answer, dict) else {}


def _connected(path: Path, *, named: bool) -> socket.socket:
    """Connect; raises OSError, ForeignFolderError where a stranger may have put the socket."""
    folder = path.parent.stat()
    if not named and path.parent != SYSTEM_RUNTIME:
        check_folder(path.parent, folder)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(str(path))
    except OSError:
        connection.close()
        raise
    return connection
