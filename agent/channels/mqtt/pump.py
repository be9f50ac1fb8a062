"""Drives one client of the MQTT library from the event loop, without a thread."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from paho.mqtt.client import Client, SocketLike

# What the library lets out of its packet readers on octets that are no MQTT, beside its own errors.
MALFORMED = (ValueError, LookupError, TypeError, AttributeError, struct.error)


class Pump:
    """Moves octets when the socket is ready, and minds the keep-alive every misc_s at the latest.

    broken: called with a sentence when the broker sent what is no MQTT; the library tells every
    other end by its own callback.
    """

    def __init__(self, client: Client, misc_s: float, broken: Callable[[str], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._client = client
        self._misc_s = misc_s
        self._broken = broken
        self._sock: SocketLike | None = client.socket()
        self._timer: asyncio.TimerHandle | None = None
        self.reading = False
        self.tls = hasattr(self._sock, "pending")

    def start(self) -> None:
        """Take the connected client over."""
        client = self._client
        client.on_socket_register_write = self._on_want_write
        client.on_socket_unregister_write = self._on_wrote
        client.on_socket_close = self._on_socket_close
        self.resume_reading()
        self._tick()

    def close(self) -> None:
        """Let go of the client and close its socket, without a word to the broker."""
        if self._timer is not None:
            self._timer.cancel()
        self._release_socket()
        client = self._client
        client.on_socket_register_write = client.on_socket_unregister_write = None
        client.on_socket_close = None

    def pause_reading(self) -> None:
        """Leave what the broker sends in the socket, until `resume_reading`."""
        if self.reading and self._sock is not None:
            self.reading = False
            self._loop.remove_reader(self._sock.fileno())

    def resume_reading(self) -> None:
        """Read what the broker sends; a no-op while reading, or after the end."""
        if not self.reading and self._sock is not None:
            self.reading = True
            self._loop.add_reader(self._sock.fileno(), self._readable)

    def flush(self) -> None:
        """Write at once what waits, which saves a wake-up; never from inside a callback."""
        if self._client.want_write():
            self._client.loop_write()

    def _tick(self) -> None:
        self._client.loop_misc()
        self.flush()
        self.retime()

    def retime(self) -> None:
        """Set the time of the next check; after CONNACK, which may have shortened the keep-alive.

        A third of the keep-alive: a ping is then late by as much at most, and the broker's
        patience is one and a half (MQTT 5 §3.1.2.10).
        """
        if self._timer is not None:
            self._timer.cancel()
        if self._sock is not None:
            period_s = min(self._misc_s, max(self._client.keepalive / 3, 0.25))
            self._timer = self._loop.call_later(period_s, self._tick)

    def _readable(self) -> None:
        try:
            self._client.loop_read()
            # Decrypted octets wait inside TLS, where the loop cannot see them.
            while self.tls and self.reading and self._pending():
                self._client.loop_read()
        except MALFORMED as error:
            self._broken(f"the broker sent what is not MQTT ({error!r})")

    def _pending(self) -> int:
        pending: Callable[[], int] | None = getattr(self._sock, "pending", None)
        return pending() if pending is not None else 0

    def _writable(self) -> None:
        self._client.loop_write()

    def _release_socket(self) -> None:
        sock, self._sock = self._sock, None
        if sock is not None and sock.fileno() >= 0:
            self._loop.remove_reader(sock.fileno())
            self._loop.remove_writer(sock.fileno())
            sock.close()

    def _on_want_write(self, _client: Client, _userdata: Any, sock: SocketLike) -> None:
        self._loop.add_writer(sock.fileno(), self._writable)

    def _on_wrote(self, _client: Client, _userdata: Any, sock: SocketLike) -> None:
        self._loop.remove_writer(sock.fileno())

    def _on_socket_close(self, _client: Client, _userdata: Any, _sock: SocketLike) -> None:
        self._release_socket()
