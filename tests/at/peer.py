"""The far end of a pty that answers AT lines as a test tells it to."""

from __future__ import annotations

import asyncio
import os
import tty
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

Answer = bytes | Callable[[str], bytes | None] | None

OK = b"\r\nOK\r\n"
ERROR = b"\r\nERROR\r\n"


async def until(condition: Callable[[], object], timeout_s: float = 5.0) -> None:
    """Wait until the condition holds."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110  # what is waited for has no event
            await asyncio.sleep(0.002)


class Peer:
    """answers: AT line ("AT" left out), or a beginning that ends in "*" -> octets to say.

    None says nothing. Anything else is answered by `default`. lines: what came, bodies too.
    """

    def __init__(self, answers: Mapping[str, Answer] | None = None, default: Answer = OK) -> None:
        self.answers: dict[str, Answer] = dict(answers or {})
        self.default = default
        self.lines: list[str] = []
        self.received = bytearray()
        self.mute = False
        self._buffer = bytearray()
        self._master = -1
        self._slave = -1
        self.path = ""

    async def __aenter__(self) -> Self:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path = os.ttyname(self._slave)
        asyncio.get_running_loop().add_reader(self._master, self._readable)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.unplug()

    def unplug(self) -> None:
        """Take the device away."""
        if self._master >= 0:
            asyncio.get_running_loop().remove_reader(self._master)
            os.close(self._slave)
            os.close(self._master)
            self._master = self._slave = -1

    @property
    def master(self) -> int:
        """The far end's descriptor, which does not block."""
        return self._master

    def deaf(self) -> None:
        """Read nothing any more."""
        asyncio.get_running_loop().remove_reader(self._master)

    def say(self, data: bytes) -> None:
        """Say something unasked."""
        os.write(self._master, data)

    def _readable(self) -> None:
        data = os.read(self._master, 4096)
        self.received += data
        for byte in data:
            if byte in b"\r\x1a\x1b":
                self._line(bytes(self._buffer), byte)
                self._buffer.clear()
            elif byte not in b"\n":
                self._buffer.append(byte)

    def _line(self, line: bytes, end: int) -> None:
        text = line.decode("latin-1")
        if end == 0x1B:
            self.lines.append(text + "<ESC>")
            return
        self.lines.append(text if end == 0x0D else text + "<SUB>")
        if self.mute:
            return
        answer = self._answer(text if end == 0x0D else "<SUB>")
        if callable(answer):
            answer = answer(text)
        if answer:
            self.say(answer)

    def _answer(self, text: str) -> Answer:
        key = text.removeprefix("AT")
        if key in self.answers:
            return self.answers[key]
        for name, answer in self.answers.items():
            if name.endswith("*") and key.startswith(name[:-1]):
                return answer
        return self.default
