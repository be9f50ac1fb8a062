"""A broker at the level of octets, for what no real one does on demand; loopback only."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

CONNECT, PUBLISH, PUBACK, SUBSCRIBE, PINGREQ, DISCONNECT = 1, 3, 4, 8, 12, 14


def variable(value: int) -> bytes:
    """A variable byte integer (MQTT 5 §1.5.5)."""
    octets = bytearray()
    while True:
        value, low = divmod(value, 128)
        octets.append(low | (0x80 if value else 0))
        if not value:
            return bytes(octets)


def packet(first: int, body: bytes) -> bytes:
    return bytes([first]) + variable(len(body)) + body


def text(value: str) -> bytes:
    return struct.pack("!H", len(value.encode())) + value.encode()


@dataclass
class Scripted:
    """What to answer, and what came.

    connack: properties of CONNACK, MQTT 5. suback: the reason code for a topic. puback: the reason
    code for a topic, None: hang up instead.
    """

    port: int = 0
    connack: bytes = b""
    suback: Callable[[str], int | None] = lambda _topic: 1
    puback: Callable[[str, bytes], int | None] = lambda _topic, _body: 0
    versions: Iterable[int] = (4, 5)
    published: list[tuple[str, bytes]] = field(default_factory=list)
    acknowledged: list[int] = field(default_factory=list)
    connections: int = 0
    writer: asyncio.StreamWriter | None = None
    modern: bool = False

    async def send(self, topic: str, chunks: Iterable[bytes], octets: int, mid: int = 7) -> None:
        """Stream a PUBLISH at QoS 1 whose body has so many octets."""
        assert self.writer is not None
        head = text(topic) + struct.pack("!H", mid) + (b"\0" if self.modern else b"")
        self.writer.write(b"\x32" + variable(len(head) + octets) + head)
        for chunk in chunks:
            self.writer.write(chunk)
            await self.writer.drain()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._talk(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            first, body = await _packet(reader)
            kind = first >> 4
            if kind == CONNECT:
                version = body[6]
                if version not in self.versions:
                    writer.write(packet(0x20, b"\0\1"))
                    return
                self.modern = version == 5
                self.writer = writer
                self.connections += 1
                properties = variable(len(self.connack)) + self.connack if self.modern else b""
                writer.write(packet(0x20, b"\0\0" + properties))
            elif kind == SUBSCRIBE:
                codes = [self.suback(topic) for topic in _topics(body, modern=self.modern)]
                if None in codes:
                    return
                properties = b"\0" if self.modern else b""
                writer.write(packet(0x90, body[:2] + properties + bytes(codes)))  # type: ignore[arg-type]  # none is None
            elif kind == PUBLISH:
                size = struct.unpack_from("!H", body)[0]
                topic, rest = body[2 : 2 + size].decode(), body[2 + size :]
                payload = rest[2 + (1 + rest[2] if self.modern else 0) :]
                self.published.append((topic, payload))
                code = self.puback(topic, payload)
                if code is None:
                    return
                writer.write(packet(0x40, rest[:2] + (bytes([code]) if code else b"")))
            elif kind == PUBACK:
                self.acknowledged.append(struct.unpack_from("!H", body)[0])
            elif kind == PINGREQ:
                writer.write(b"\xd0\0")
            elif kind == DISCONNECT:
                return


def _topics(body: bytes, *, modern: bool) -> list[str]:
    at = 3 + body[2] if modern else 2
    topics = []
    while at < len(body):
        size = struct.unpack_from("!H", body, at)[0]
        topics.append(body[at + 2 : at + 2 + size].decode())
        at += 3 + size
    return topics


async def _packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    first = (await reader.readexactly(1))[0]
    length = shift = 0
    while True:
        octet = (await reader.readexactly(1))[0]
        length |= (octet & 0x7F) << shift
        shift += 7
        if not octet & 0x80:
            return first, await reader.readexactly(length)


@asynccontextmanager
async def scripted(broker: Scripted) -> AsyncIterator[Scripted]:
    server = await asyncio.start_server(broker.talk, "127.0.0.1", 0)
    broker.port = server.sockets[0].getsockname()[1]
    try:
        yield broker
    finally:
        server.close()
        if broker.writer is not None:
            broker.writer.close()
