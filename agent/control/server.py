"""The control socket's server: clients, their requests, and the answers in between."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import os
import select
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from agent.control import socket_path
from agent.control.agent import Agent
from agent.control.socket_path import ControlError
from agent.control.wire import (
    LINE_MAX,
    Fields,
    RequestError,
    encode,
    encode_error,
    parse,
)
from agent.journal.journal import JournalUnavailableError
from agent.system.lasting import Lasting

if TYPE_CHECKING:
    from agent.control.operations import Operation

__all__ = ["Control"]

log = logging.getLogger(__name__)

CLIENTS_MAX: Final = 32
REQUESTS_MAX: Final = 16  # of one client at once; more wait unread
UNSENT_MAX: Final = 1 << 16  # octets; a client that does not read holds up its own requests only
RETRY_S: Final = 10.0  # until a socket that could not be made is tried again
FAREWELL_S: Final = 1.0  # for a client whose connection we end
HANGUP_S: Final = 0.5  # how often to look whether a client that says nothing more still listens


class Control:
    """Serves the control socket at `path` (docs/control-socket.md)."""

    def __init__(self, agent: Agent, path: Path) -> None:
        self._path = path
        self._unbound = Lasting()
        self._listener: socket.socket | None = None
        self._group: int | None = None
        self._clients = 0
        self._agent = agent

    @functools.cached_property
    def _operations(self) -> Mapping[str, Operation]:
        """The operations, loaded for the first client: most agents never see one."""
        from agent.control.operations import operations  # noqa: PLC0415

        return operations(self._agent)

    def listen(self) -> None:
        """Bind the socket.

        What stands in the way, another agent too, is logged and tried again by `run`: an agent
        without a console is better than none.
        """
        try:
            self._listener = socket_path.bind(self._path)
            self._group = socket_path.group_of(self._path)
        except ControlError as error:
            if self._unbound.is_news(str(error)):
                log.error("no control socket error=%s", error)

    async def run(self) -> None:
        """Serve for ever; the socket is removed at the end."""
        while self._listener is None:
            await asyncio.sleep(RETRY_S)
            self.listen()
        listener, loop, lasting = self._listener, asyncio.get_running_loop(), Lasting()
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    try:
                        connection, _ = await loop.sock_accept(listener)
                    except OSError as error:  # out of file descriptors: some will be free again
                        if lasting.is_news(str(error)):
                            log.warning("control connection not taken error=%s", error)
                        await asyncio.sleep(1.0)
                        continue
                    lasting.end()
                    group.create_task(self._serve(connection))
        finally:
            self._listener = None
            socket_path.unbind(listener, self._path)

    async def _serve(self, connection: socket.socket) -> None:
        """Serve one client to its end."""
        try:
            reader, writer = await asyncio.open_unix_connection(sock=connection, limit=LINE_MAX)
        except OSError:
            connection.close()
            return
        self._clients += 1
        try:
            refusal = self._refusal(connection)
            if refusal is None:
                writer.transport.set_write_buffer_limits(high=UNSENT_MAX)
                await _Client(self._operations, reader, writer).run()
            else:
                writer.write(encode_error(None, refusal))
            await _part(reader, writer)
        except OSError:
            log.debug("control client gone")
        finally:
            self._clients -= 1
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def _refusal(self, connection: socket.socket) -> RequestError | None:
        peer = socket_path.peer_of(connection)
        if not socket_path.may_speak(peer, uid=os.geteuid(), group=self._group):
            log.warning("control client refused pid=%d uid=%d", peer.pid, peer.uid)
            return RequestError("denied", f"user {peer.uid} may not use this agent")
        if self._clients > CLIENTS_MAX:
            return RequestError("unavailable", f"{CLIENTS_MAX} clients are connected already")
        log.debug("control client pid=%d uid=%d", peer.pid, peer.uid)
        return None


class _Client:
    """One connection: its requests run side by side, their answers interleave by line."""

    def __init__(
        self,
        table: Mapping[str, Operation],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._operations = table
        self._reader = reader
        self._writer = writer
        self._requests: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Read requests until the client ends; what is under way is answered, if it listens."""
        async with asyncio.TaskGroup() as group:
            while (line := await self._line()) is not None:
                if not line.strip():
                    continue
                while len(self._requests) >= REQUESTS_MAX:
                    await asyncio.wait(self._requests, return_when=asyncio.FIRST_COMPLETED)
                request = group.create_task(self._answer(line))
                self._requests.add(request)
                request.add_done_callback(self._requests.discard)
            # It may have closed only its own side (`nc -N`, shutdown): then it waits for answers.
            while self._requests and not self._hung_up():
                await asyncio.wait(self._requests, timeout=HANGUP_S)
            for request in self._requests:
                request.cancel()

    async def _line(self) -> bytes | None:
        """Return the next line, None at the end of the client or of our patience with it."""
        try:
            return await self._reader.readuntil(b"\n")
        except asyncio.IncompleteReadError as error:
            return error.partial or None
        except asyncio.LimitOverrunError:
            text = f"a line is at most {LINE_MAX} octets"
            with contextlib.suppress(OSError):
                await self._write(encode_error(None, RequestError("usage", text)))
            return None
        except OSError:
            return None

    async def _answer(self, line: bytes) -> None:
        """Answer one request, whatever happens to it."""
        req: Any = None
        try:
            req, op, fields = parse(line)
            await self._perform(req, op, fields)
        except RequestError as error:
            await self._refuse(error.about.pop("req", req), error)
        except JournalUnavailableError as error:
            await self._refuse(req, RequestError("unavailable", str(error)))
        except OSError:
            log.debug("control client gone")

    async def _refuse(self, req: Any, error: RequestError) -> None:
        with contextlib.suppress(OSError):  # it has gone, and nobody misses the answer
            await self._write(encode_error(req, error))

    async def _perform(self, req: Any, op: str, fields: Fields) -> None:
        operation = self._operations.get(op)
        if operation is None:
            names = ", ".join(self._operations)
            raise RequestError("usage", f"no operation {op[:40]}; there are {names}")

        async def tell(body: Any) -> None:
            await self._write(encode(req, body, done=False))

        answer = await _contained(op, operation(fields, tell))
        await self._write(encode(req, answer, done=True))

    async def _write(self, line: bytes) -> None:
        self._writer.write(line)
        await self._writer.drain()

    def _hung_up(self) -> bool:
        transport_socket = self._writer.get_extra_info("socket")
        if transport_socket is None or transport_socket.fileno() < 0:
            return True
        poll = select.poll()
        poll.register(transport_socket.fileno(), 0)  # POLLHUP is told unasked
        return any(events & (select.POLLHUP | select.POLLERR) for _, events in poll.poll(0))


async def _part(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Let a client read our last words: a socket closed over unread octets takes them back."""
    writer.write_eof()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(FAREWELL_S):
            while await reader.read(LINE_MAX):
                pass


async def _contained(op: str, work: Any) -> Any:
    """Await an operation; a mistake of its own is an answer, never the end of the agent."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait([task])
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait([task])
    error = task.exception()
    if error is None:
        return task.result()
    if isinstance(error, RequestError | JournalUnavailableError | OSError):
        raise error
    log.error("control operation failed op=%s", op, exc_info=error)
    raise RequestError("internal", f"{type(error).__name__}: {error}")
