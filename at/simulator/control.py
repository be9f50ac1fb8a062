"""The control socket: operations on a running simulated modem as JSON lines."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path

from at.simulator.operations import perform
from at.simulator.shell import Shell

LONGEST_REQUEST = 1 << 20  # bytes of one line


def _bound(path: Path) -> socket.socket:
    """Return a socket at path that only its owner can reach, a stale one replaced."""
    if path.is_socket():
        path.unlink()
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(str(path))
        path.chmod(0o600)
    except OSError:
        listener.close()
        raise
    return listener


def _removed(path: Path) -> None:
    path.unlink(missing_ok=True)


@contextlib.asynccontextmanager
async def control_socket(shell: Shell, path: Path) -> AsyncIterator[None]:
    """Serve the operations on a Unix socket at path (mode 0600) for as long as it is entered.

    A request is one JSON object a line, {"op": NAME, ...}; so is its answer, in order. A stale
    socket at path is replaced; raises OSError where something else is there.
    """
    clients: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        clients.add(writer)
        with contextlib.suppress(ConnectionError, ValueError):  # ValueError: an endless line
            while line := await reader.readline():
                writer.write(json.dumps(answer(shell, line)).encode() + b"\n")
                await writer.drain()
        writer.close()
        clients.discard(writer)

    server = await asyncio.start_unix_server(serve, sock=_bound(path), limit=LONGEST_REQUEST)
    try:
        yield
    finally:
        server.close()
        for client in clients:
            client.close()
        _removed(path)


def answer(shell: Shell, line: bytes) -> dict[str, object]:
    """Answer one request line."""
    try:
        request = json.loads(line)
    except ValueError as error:
        return {"ok": False, "error": f"not JSON: {error}"}
    if not isinstance(request, dict):
        return {"ok": False, "error": "a request is a JSON object"}
    return perform(shell, request)
