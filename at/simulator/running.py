"""A simulated modem in a thread of its own, for tests and programs without asyncio."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from at.simulator.operations import operate
from at.simulator.shell import Shell
from at.simulator.state import Faults
from at.simulator.storage import Slot
from at.simulator.traffic import Sent
from at.sms import Deliver

S = TypeVar("S", bound=Shell)
T = TypeVar("T")


class RunningModem(Generic[S]):
    """Runs a shell in its own thread and event loop; a context manager.

    make: builds the shell, called in that thread. Every method acts there and waits for the
    result; `faults` may be changed from any thread.
    """

    def __init__(self, make: Callable[[], S]) -> None:
        self._make = make
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._shell: S | None = None
        self._stop: asyncio.Event | None = None
        self._error: BaseException | None = None
        self._ready = threading.Event()

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, name="simulated-modem", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._error is not None:
            self._thread.join()
            raise self._error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        try:
            shell = self._make()
            await shell.__aenter__()
        except (OSError, KeyError, ValueError) as error:
            self._error = error
            self._ready.set()
            return
        self._shell = shell
        self._ready.set()
        try:
            await self._stop.wait()
        finally:
            await shell.__aexit__(None, None, None)

    def call(self, action: Callable[[S], T]) -> T:
        """Run action on the shell in its thread; returns or raises what it does."""
        loop, shell = self._loop, self._shell
        if loop is None or shell is None:
            raise RuntimeError("the simulated modem is not running")

        async def act() -> T:
            return action(shell)

        return asyncio.run_coroutine_threadsafe(act(), loop).result()

    def control(self, op: str, **members: Any) -> dict[str, Any]:
        """Carry out one operation of the control socket, by name."""
        return self.call(lambda shell: operate(shell, op, **members))

    @property
    def path(self) -> str:
        """Where the port is."""
        return self.call(lambda shell: shell.path)

    @property
    def faults(self) -> Faults:
        """What is wrong with the modem; change its fields at any time."""
        return self.call(lambda shell: shell.faults)

    @property
    def sent(self) -> list[Sent]:
        """Messages the network took so far."""
        return self.call(lambda shell: list(shell.sent))

    @property
    def bytes_in(self) -> int:
        """Bytes from the host."""
        return self.call(lambda shell: shell.bytes_in)

    @property
    def bytes_out(self) -> int:
        """Bytes to the host."""
        return self.call(lambda shell: shell.bytes_out)

    def messages(self, storage: str) -> dict[int, Slot]:
        """Return what a memory or view holds, by slot."""
        return self.call(lambda shell: dict(shell.store[storage].items()))

    def deliver(
        self, message: str | Deliver, *, announce: bool = True, storage: str | None = None
    ) -> int | None:
        """Bring a message to the modem; see Shell.deliver."""
        return self.call(lambda shell: shell.deliver(message, announce=announce, storage=storage))

    def deliver_text(
        self, sender: str, text: str | bytes, *, announce: bool = True, storage: str | None = None
    ) -> list[int | None]:
        """Bring a message written as text; see Shell.deliver_text."""
        return self.call(
            lambda shell: shell.deliver_text(sender, text, announce=announce, storage=storage)
        )

    def say(self, *lines: str) -> None:
        """Say an unsolicited block of lines."""
        self.call(lambda shell: shell.say(*lines))

    def inject(self, data: bytes) -> None:
        """Put bytes on the line to the host as they are."""
        self.call(lambda shell: shell.inject(data))

    def register(self, stat: int, access: int | None = None) -> None:
        """Change the registration, telling who asked for it."""
        self.call(lambda shell: shell.register(stat, access))

    def restart(self) -> None:
        """Restart the modem as if by itself."""
        self.call(lambda shell: shell.restart())

    def vanish(self, for_s: float | None = None, **how: Any) -> None:
        """Take the port away; see Shell.vanish."""
        self.call(lambda shell: shell.vanish(for_s, **how))

    def appear(self, **how: Any) -> None:
        """Bring the port back; see Shell.appear."""
        self.call(lambda shell: shell.appear(**how))

    def stall(self, on: bool = True) -> None:
        """Stop (or go on) reading what the host writes."""
        self.call(lambda shell: shell.stall(on))
