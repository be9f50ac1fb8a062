"""Lets no packet grow in memory: a PUBLISH that is too large is cut while it streams in."""

from __future__ import annotations

import hashlib
import secrets
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from paho.mqtt.client import Client

from agent.channels.mqtt.values import Cut
from agent.inbound.evidence import KEPT_OCTETS

if TYPE_CHECKING:
    from hashlib import _Hash

__all__ = ["MAX_PACKET_OCTETS", "Sieve", "SievedClient", "cut_of"]

MAX_PACKET_OCTETS: Final = 64 * 1024  # a payload has 8 KiB at most; the rest is topic, properties
# Of a cut packet, what is looked at: topic and properties of the greatest length, and the body.
START_OCTETS: Final = MAX_PACKET_OCTETS + KEPT_OCTETS
CHUNK_OCTETS: Final = 64 * 1024
AT_ONCE_OCTETS: Final = 1024 * 1024  # then the event loop has its turn
PUBLISH: Final = 3
LENGTH_OCTETS_MAX: Final = 4


class _Large:
    """A PUBLISH that is being read and discarded.

    MQTT 3.1.1 §3.3.2: topic, packet identifier (QoS above 0), with MQTT 5 properties, body.
    """

    def __init__(self, first: int, octets: int, *, modern: bool) -> None:
        self._first = first
        self.left = octets
        self._modern = modern
        self._start = bytearray()
        self._header_octets: int | None = None
        self._digest: _Hash = hashlib.sha256()
        self._body_octets = 0

    def take(self, octets: bytes) -> None:
        self.left -= len(octets)
        if self._header_octets is None:
            self._start += octets
            self._header_octets = self._measured()
            if self._header_octets is None:
                if len(self._start) > START_OCTETS:
                    raise ValueError("a PUBLISH whose header has no end")
                return
            octets = bytes(self._start[self._header_octets :])
            del self._start[self._header_octets + KEPT_OCTETS :]
        elif (room := self._header_octets + KEPT_OCTETS - len(self._start)) > 0:
            self._start += octets[:room]
        self._digest.update(octets)
        self._body_octets += len(octets)

    def _measured(self) -> int | None:
        """Give the octets before the body; None where more have to be read."""
        start = self._start
        if len(start) < 2:  # its length is two octets
            return None
        end = 2 + int(struct.unpack_from("!H", start)[0])
        if self._first & 0x06:
            end += 2
        if not self._modern:
            return end if len(start) >= end else None
        found = _length(bytes(start[end : end + LENGTH_OCTETS_MAX]))
        if found is None:
            return None
        end += found[1] + found[0]
        return end if len(start) >= end else None

    def rendered(self, token: bytes) -> bytes:
        """Give a small PUBLISH in its place, its body marked by the token."""
        if self._header_octets is None:
            raise ValueError("a PUBLISH that ends within its header")
        header = self._start[: self._header_octets]
        head = self._start[self._header_octets :]
        size = struct.pack("!Q", self._body_octets)
        rest = bytes(header) + token + size + self._digest.digest() + bytes(head)
        return bytes([self._first]) + _length_octets(len(rest)) + rest


class Sieve:
    """Stands between the socket and the library, which would keep a packet whole.

    What it gives for a packet too large is a PUBLISH with a body that only `cut` can read: it
    begins with a token that no sender knows. Nothing is read ahead of what the library asks for.
    """

    def __init__(self, *, modern: bool) -> None:
        self._modern = modern
        self._token = secrets.token_bytes(16)
        self._out = b""
        self._header = bytearray()
        self._left = 0  # of a packet that passes as it is
        self._large: _Large | None = None

    def receive(self, octets: int, read: Callable[[int], bytes]) -> bytes:
        """Give up to `octets`, b"" at the end of the stream.

        Raises what read raises, BlockingIOError where there is nothing yet, ValueError where what
        comes cannot be MQTT.
        """
        between = self._large is None and not self._out and not self._left
        if between and not self._read_header(read):
            return b""
        if self._large is not None and not self._discard(self._large, read):
            return b""
        if self._out:
            given, self._out = self._out[:octets], self._out[octets:]
            return given
        given = read(min(octets, self._left))
        self._left -= len(given)
        return given

    def cut(self, payload: bytes) -> Cut | None:
        """Read the body of a PUBLISH that was cut; None for any other."""
        if not payload.startswith(self._token):
            return None
        at = len(self._token)
        (octets,) = struct.unpack_from("!Q", payload, at)
        return Cut(octets, payload[at + 8 : at + 40].hex(), payload[at + 40 :])

    def _read_header(self, read: Callable[[int], bytes]) -> bool:
        """Read the fixed header (MQTT 5 §2.1); False at the end of the stream."""
        while True:
            octet = read(1)
            if not octet:
                return False
            self._header += octet
            if len(self._header) > 1 + LENGTH_OCTETS_MAX:
                raise ValueError("a packet whose length has no end")
            found = _length(bytes(self._header[1:]))
            if found is not None:
                break
        header, self._header = bytes(self._header), bytearray()
        octets = found[0]
        if octets <= MAX_PACKET_OCTETS:
            self._out, self._left = header, octets
        elif header[0] >> 4 == PUBLISH:
            self._large = _Large(header[0], octets, modern=self._modern)
        else:
            raise ValueError(f"a packet of type {header[0] >> 4} with {octets} octets")
        return True

    def _discard(self, large: _Large, read: Callable[[int], bytes]) -> bool:
        budget = AT_ONCE_OCTETS
        while large.left:
            if budget <= 0:
                raise BlockingIOError
            octets = read(min(large.left, CHUNK_OCTETS))
            if not octets:
                return False
            budget -= len(octets)
            large.take(octets)
        self._large = None
        self._out = large.rendered(self._token)
        return True


class SievedClient(Client):
    """The library's client, reading through a sieve. sieve: set before it connects."""

    sieve: Sieve | None = None

    def _sock_recv(self, bufsize: int) -> bytes:
        if self.sieve is None:
            return super()._sock_recv(bufsize)
        return self.sieve.receive(bufsize, super()._sock_recv)


def cut_of(client: Client, payload: bytes) -> Cut | None:
    """Read the body of a PUBLISH that the client's sieve has cut; None for any other."""
    sieve = client.sieve if isinstance(client, SievedClient) else None
    return sieve.cut(payload) if sieve is not None else None


def _length(octets: bytes) -> tuple[int, int] | None:
    """Read a variable byte integer: value and octets; None where it goes on."""
    value = 0
    for index, octet in enumerate(octets):
        value |= (octet & 0x7F) << (7 * index)
        if not octet & 0x80:
            return value, index + 1
    return None


def _length_octets(value: int) -> bytes:
    octets = bytearray()
    while True:
        value, low = divmod(value, 128)
        octets.append(low | (0x80 if value else 0))
        if not value:
            return bytes(octets)
