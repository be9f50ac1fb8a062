"""Runs a configured program: argument vector, minimal environment, own group, a deadline."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["Completed", "run"]

OUTPUT_MAX: Final = 4096  # octets kept of what a program prints; the rest is read and dropped
TERM_GRACE_S: Final = 5.0  # between TERM and KILL
# A program may leave a grandchild behind that holds its output open: not waited for.
EOF_GRACE_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Completed:
    """What became of a program.

    status: its exit status, 128 + n after signal n, None where it could not be started (`output`
    then says why). output: what it printed (both streams, UTF-8, replaced where it is not).
    """

    status: int | None
    output: str
    timed_out: bool = False


class _Collector(asyncio.Protocol):
    """Keeps the beginning of what a program prints; the rest is read and dropped."""

    def __init__(self) -> None:
        self.kept = bytearray()
        self.ended = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        self.kept += data[: OUTPUT_MAX - len(self.kept)]

    def connection_lost(self, exc: Exception | None) -> None:
        del exc  # however it ended, there is no more to read
        if not self.ended.done():
            self.ended.set_result(None)


async def run(argv: Sequence[str], *, timeout_s: float, id_: str = "") -> Completed:
    """Run a program to its end or its deadline; the group is ended at the deadline.

    A cancelled call ends the group as well, and waits for that.
    """
    # A pipe of our own: asyncio's would make a program that leaves a daemon behind, which holds
    # its output open, look as if it had not ended.
    ours, theirs = os.pipe()
    loop = asyncio.get_running_loop()
    pipe = os.fdopen(ours, "rb", buffering=0)
    process: asyncio.subprocess.Process | None = None
    timed_out = False
    try:
        transport, collector = await loop.connect_read_pipe(_Collector, pipe)
    except BaseException:
        os.close(theirs)
        pipe.close()
        raise
    try:
        process = await _start(argv, theirs, id_)
        # Not wait_for: until Python 3.12 it loses a cancellation that meets the program's end.
        async with asyncio.timeout(timeout_s):
            await process.wait()
    except TimeoutError:
        timed_out = True
    except (OSError, ValueError) as error:
        return Completed(None, f"{argv[0]}: {getattr(error, 'strerror', None) or error}")
    finally:
        try:
            if process is not None:
                await asyncio.shield(asyncio.ensure_future(_end(process)))
                await asyncio.wait([collector.ended], timeout=EOF_GRACE_S)
        finally:
            transport.close()
    status = process.returncode if process is not None else None
    if status is not None and status < 0:
        status = 128 - status
    return Completed(status, collector.kept.decode("utf-8", "replace").strip(), timed_out)


async def _start(argv: Sequence[str], output: int, id_: str) -> asyncio.subprocess.Process:
    """Start the program; `output` is closed here. Raises OSError, ValueError."""
    try:
        return await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=_environment(id_),
            start_new_session=True,
        )
    finally:
        os.close(output)


def _environment(id_: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "TZ") if name in os.environ}
    kept.setdefault("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    return {**kept, "LANG": "C.UTF-8", "MODEM_AGENT_COMMAND_ID": id_}


async def _end(process: asyncio.subprocess.Process) -> None:
    """End the whole group if its leader still runs: TERM, then KILL."""
    for number, patience_s in ((signal.SIGTERM, TERM_GRACE_S), (signal.SIGKILL, None)):
        if process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                await process.wait()
