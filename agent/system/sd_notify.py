"""Tells the service manager how the agent is: sd_notify(3) as plain datagrams."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping

__all__ = ["has_manager", "ready", "status", "stopping", "watchdog", "watchdog_period_s"]

log = logging.getLogger(__name__)

STATUS_MAX = 200  # characters; the manager shows one line

# Without a service manager every call does nothing and returns False, as it does where the
# manager could not be reached: it is told again at the next occasion.


def has_manager(env: Mapping[str, str] = os.environ) -> bool:
    """Whether a service manager watches this process, and decides whether it starts again.

    $INVOCATION_ID says less: every terminal of a desktop inherits one.
    """
    return _address(env) is not None


def ready(text: str = "", env: Mapping[str, str] = os.environ) -> bool:
    """Say that the start is done, with a status line."""
    return _send(("READY=1", *_status(text)), env)


def status(text: str, env: Mapping[str, str] = os.environ) -> bool:
    """Say in one line what is going on; `systemctl status` shows it."""
    return _send(_status(text), env)


def watchdog(env: Mapping[str, str] = os.environ) -> bool:
    """Say that everything that must move, moves."""
    return _send(("WATCHDOG=1",), env)


def stopping(text: str = "", env: Mapping[str, str] = os.environ) -> bool:
    """Say that the end has begun, with a status line."""
    return _send(("STOPPING=1", *_status(text)), env)


def watchdog_period_s(env: Mapping[str, str] = os.environ) -> float | None:
    """Give the longest time the manager waits between two watchdog() calls; None: it does not.

    $WATCHDOG_PID, where set, says which process is meant: a child that inherited it is not.
    """
    usec, pid = env.get("WATCHDOG_USEC", ""), env.get("WATCHDOG_PID", "")
    if not (usec.isascii() and usec.isdecimal()) or int(usec) == 0 or _address(env) is None:
        return None
    return int(usec) / 1e6 if pid in ("", str(os.getpid())) else None


def _address(env: Mapping[str, str]) -> str | None:
    address = env.get("NOTIFY_SOCKET", "")
    if address.startswith("@"):
        return "\0" + address[1:]  # the abstract name space, sd_notify(3)
    return address if address.startswith("/") else None  # vsock: of a virtual machine's manager


def _send(lines: tuple[str, ...], env: Mapping[str, str]) -> bool:
    address = _address(env)
    if address is None or not lines:
        return False
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.setblocking(False)
            out.sendto("\n".join(lines).encode(), address)
    except OSError as error:
        log.debug("notify failed error=%s", error)
        return False
    return True


def _status(text: str) -> tuple[str, ...]:
    line = " ".join(text.split())[:STATUS_MAX]
    return (f"STATUS={line}",) if line else ()
