"""Tells the service manager how the agent is: sd_notify(3) as plain datagrams."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping

log = logging.getLogger(__name__)

STATUS_MAX = 200  # characters; the manager shows one line


class Notifier:
    """One direction only; without a service manager every call does nothing.

    watchdog_s: how long the manager waits between two watchdog() calls, None: it does not.
    """

    def __init__(self, address: str | None = None, watchdog_s: float | None = None) -> None:
        self.watchdog_s = watchdog_s
        self._address = "\0" + address[1:] if address and address[0] == "@" else address
        self._socket: socket.socket | None = None

    @classmethod
    def from_environment(cls, env: Mapping[str, str] = os.environ) -> Notifier:
        """Read $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID, which is another process's."""
        address = env.get("NOTIFY_SOCKET") or None
        if address is not None and address[0] not in "/@":
            address = None  # vsock: a virtual machine's manager, not ours
        usec, pid = env.get("WATCHDOG_USEC", ""), env.get("WATCHDOG_PID", "")
        ours = not pid or pid == str(os.getpid())
        watchdog_s = int(usec) / 1e6 if usec.isdecimal() and int(usec) > 0 and ours else None
        return cls(address, watchdog_s if address else None)

    def ready(self, status: str = "") -> bool:
        """Say that the start is done."""
        return self._send("READY=1", *_status(status))

    def status(self, text: str) -> bool:
        """Say in one line what is going on; `systemctl status` shows it."""
        return self._send(*_status(text))

    def watchdog(self) -> bool:
        """Say that everything that must move, moves."""
        return self._send("WATCHDOG=1")

    def stopping(self, status: str = "") -> bool:
        """Say that the end has begun."""
        return self._send("STOPPING=1", *_status(status))

    def close(self) -> None:
        """Let go of the socket; calling again is harmless."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, *lines: str) -> bool:
        """Send one datagram, never blocking; False where nobody got it."""
        if self._address is None or not lines:
            return False
        try:
            if self._socket is None:
                self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                self._socket.setblocking(False)
            self._socket.sendto("\n".join(lines).encode(), self._address)
        except OSError as error:
            # A manager that restarts or whose queue is full is told again at the next occasion.
            log.debug("notify failed error=%s", error)
            return False
        return True


def _status(text: str) -> tuple[str, ...]:
    line = " ".join(text.split())[:STATUS_MAX]
    return (f"STATUS={line}",) if line else ()
