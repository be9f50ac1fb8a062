"""A client of the control socket that shares nothing with the agent's own."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from types import TracebackType
from typing import Any, Self

TIMEOUT_S = 40.0


class Conversation:
    """JSON lines over the socket; `send` and `hear` for what `ask` cannot say."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(TIMEOUT_S)
        self._socket.connect(str(path))
        self._file = self._socket.makefile("rb")

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
        self._file.close()
        self._socket.close()

    def say_no_more(self) -> None:
        """Close our side only, as `nc -N` does at the end of its input."""
        self._socket.shutdown(socket.SHUT_WR)

    def send(self, line: bytes) -> None:
        self._socket.sendall(line)

    def request(self, op: str, **fields: Any) -> None:
        self.send(json.dumps({"op": op, **fields}).encode() + b"\n")

    def hear(self) -> dict[str, Any]:
        """The next answer; {} at the end of the connection."""
        line = self._file.readline()
        answer: dict[str, Any] = json.loads(line) if line else {}
        return answer

    def answers(self, op: str, **fields: Any) -> list[dict[str, Any]]:
        """Every answer to one request, the last one with `done`."""
        self.request(op, **fields)
        heard = [self.hear()]
        while heard[-1] and not heard[-1]["done"]:
            heard.append(self.hear())
        return heard

    def ask(self, op: str, **fields: Any) -> dict[str, Any]:
        """The last answer to one request."""
        return self.answers(op, **fields)[-1]
