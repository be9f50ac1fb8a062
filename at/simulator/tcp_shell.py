"""The simulated modem behind a TCP port, as on a serial device server."""

from __future__ import annotations

import asyncio
import socket

from at.simulator.personality import Personality
from at.simulator.shell import Shell

LOCAL = "127.0.0.1"


class TcpModem(Shell):
    """A simulated modem at host:port; path is the URL socket://host:port.

    port: 0 takes a free one. One client at a time: another one is turned away.
    """

    def __init__(
        self,
        personality: Personality | str = "generic",
        *,
        host: str = LOCAL,
        port: int = 0,
        seed: int = 0,
        baud: int | None = None,
        boot: bool = False,
        reenumerate_s: float | None = None,
    ) -> None:
        super().__init__(personality, seed=seed, baud=baud, boot=boot, reenumerate_s=reenumerate_s)
        self.host = host
        self.port = port
        self._listener: socket.socket | None = None
        self._client: socket.socket | None = None
        self._unsent = bytearray()
        self._stalled = False

    async def _connect(self) -> None:
        self._listen()

    def _reconnect(self, *, another_name: bool) -> None:
        if another_name:
            self.port = 0
        self._listen()

    def _listen(self) -> None:
        listener = socket.create_server((self.host, self.port), backlog=8)
        listener.setblocking(False)
        self.port = listener.getsockname()[1]
        self.path = f"socket://{self.host}:{self.port}"
        self._listener = listener
        asyncio.get_running_loop().add_reader(listener, self._accept)

    def _disconnect(self) -> None:
        self._drop_client()
        if self._listener is not None:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()
            self._listener = None

    def _accept(self) -> None:
        if self._listener is None:
            return
        try:
            client, _ = self._listener.accept()
        except BlockingIOError:
            return
        if self._client is not None:
            client.close()
            return
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client = client
        if not self._stalled:
            asyncio.get_running_loop().add_reader(client, self._readable)

    def _drop_client(self) -> None:
        if self._client is None:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._client)
        loop.remove_writer(self._client)
        self._client.close()
        self._client = None
        self._unsent.clear()

    def stall(self, on: bool = True) -> None:
        """Stop (or go on) reading what the host writes, so that its writes come to block."""
        self._stalled = on
        if self._client is None:
            return
        loop = asyncio.get_running_loop()
        if on:
            loop.remove_reader(self._client)
        else:
            loop.add_reader(self._client, self._readable)

    def _readable(self) -> None:
        if self._client is None:
            return
        try:
            data = self._client.recv(65536)
        except BlockingIOError:
            return
        except ConnectionError:
            data = b""
        if data:
            self._received(data)
        else:
            self._drop_client()

    def _write(self, data: bytes) -> None:
        if self._client is None:
            return
        self._unsent += data
        self._writable()

    def _writable(self) -> None:
        if self._client is None:
            return
        loop = asyncio.get_running_loop()
        try:
            done = self._client.send(self._unsent)
        except BlockingIOError:
            done = 0
        except ConnectionError:
            self._drop_client()
            return
        del self._unsent[:done]
        if self._unsent:
            loop.add_writer(self._client, self._writable)
        else:
            loop.remove_writer(self._client)
