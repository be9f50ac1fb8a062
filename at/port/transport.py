"""Opens and closes the modem's port: a tty, a pty or socket://host:port; never blocks the loop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import logging
import os
import stat
import sys
import termios
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import serial
import serial_asyncio
from serial.urlhandler import protocol_socket

from at.errors import PortError
from at.port import locks
from at.port.off_loop import off_loop

if TYPE_CHECKING:
    from at.port.locks import Lock

log = logging.getLogger(__name__)

OPEN_TIMEOUT_S: Final = 10.0  # a USB device that enumerates may hold open() for seconds
CLOSE_TIMEOUT_S: Final = 5.0  # the kernel may wait for unsent octets; we do not
MADE_TIMEOUT_S: Final = 5.0
SOCKET_SCHEME: Final = "socket://"

_REMEDY = {
    errno.ENOENT: "no such device; is the modem plugged in?",
    errno.ENODEV: "the device is gone; is the modem plugged in?",
    errno.ENXIO: "the device is gone; is the modem plugged in?",
    errno.EACCES: "permission denied; add the user to the port's group (often dialout)",
    errno.EPERM: "permission denied; add the user to the port's group (often dialout)",
    errno.EIO: "input/output error; the device is going or coming",
}


class Receiver(Protocol):
    """What an open port reports to; both are called on the loop."""

    def received(self, data: bytes) -> None:
        """Octets came."""

    def port_lost(self, reason: str) -> None:
        """The port went away; called once, and not after close()."""


class _Careful:
    """What pyserial does on the event loop and must not: drain, sleep and close.

    Mixed in before a pyserial class. `failed` hears of an error as it happens, and the transport
    never does: it would first wait for its unsent octets, for ever on a device that is gone.
    """

    failed: Callable[[str], None] | None = None
    closed: threading.Event | None = None
    lock: Lock | None = None
    is_open: bool

    def flush(self) -> None:
        """Drain nothing: whoever closes has given up on what is unsent."""

    def read(self, size: int = 1) -> bytes:
        """What is there; b"" after an error."""
        try:
            if data := os.read(self.fileno(), size):
                return data
        except BlockingIOError:
            return b""
        except OSError as error:
            self._fail(error)
            return b""
        # Nothing, though the loop said there was something: pyserial finds out what that means.
        try:
            return super().read(size)  # type: ignore[misc, no-any-return]  # of the mixed class
        except serial.SerialException as error:
            self._fail(error)
            return b""

    def write_now(self, data: bytes) -> int:
        """Octets the port takes at once, possibly none; all of them, into nowhere, after an error.

        pyserial's write() would try again and again for as long as the port takes none.
        """
        try:
            return os.write(self.fileno(), data)
        except BlockingIOError:
            return 0
        except OSError as error:
            self._fail(error)
            return len(data)

    def write(self, data: bytes) -> int | None:
        """Octets taken; all of them, into nowhere, after an error."""
        try:
            return super().write(data)  # type: ignore[misc, no-any-return]  # of the mixed class
        except serial.SerialException as error:
            self._fail(error)
            return len(data)

    def close(self) -> None:
        """Close in a thread of its own; `closed` is set when that is done."""
        if self.closed is None:
            self.closed = threading.Event()
            if sys.is_finalizing() or not self.is_open:
                # The interpreter starts no thread any more, and would wait for it for ever. What
                # was never open blocks nothing.
                self._close()
                return
            threading.Thread(target=self._close, name="port-close", daemon=True).start()

    def fileno(self) -> int:
        """The descriptor, which does not block. Raises OSError where it is closed."""
        return super().fileno()  # type: ignore[misc, no-any-return]  # of the mixed class

    def _fail(self, error: Exception) -> None:
        if self.failed is not None:
            self.failed(str(error))

    def _close(self) -> None:
        try:
            with contextlib.suppress(OSError, termios.error, serial.SerialException):
                self._discard()
            with contextlib.suppress(OSError):
                super().close()  # type: ignore[misc]  # of the mixed class
        finally:
            if self.lock is not None:
                self.lock.release()
            if self.closed is not None:
                self.closed.set()

    def _discard(self) -> None:
        """Throw away what is unsent, so that closing has nothing to wait for."""


class _Tty(_Careful, serial.Serial):  # type: ignore[misc]  # the mixin narrows on purpose
    def _discard(self) -> None:
        descriptor = self.fileno()
        termios.tcflush(descriptor, termios.TCIOFLUSH)
        fcntl.ioctl(descriptor, termios.TIOCNXCL)


class _Socket(_Careful, protocol_socket.Serial):  # type: ignore[misc]  # as above
    pass


class Port(asyncio.Protocol):
    """An open port. Made by open(); bytes go out by write(), come in by the Receiver."""

    def __init__(self, path: str, receiver: Receiver) -> None:
        self.path = path
        self._receiver: Receiver | None = receiver
        self._device: _Careful | None = None
        self._transport: asyncio.Transport | None = None
        self._made: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @classmethod
    async def open(cls, path: str, *, baudrate: int, receiver: Receiver) -> Port:
        """Open and lock the port; returns once the first octet can be written.

        path: a device, or socket://host:port. Raises PortBusyError naming the holder, PortError.
        """
        port = cls(path, receiver)
        try:
            device = await off_loop(
                lambda: _open(path, baudrate), OPEN_TIMEOUT_S, late=lambda late: late.close()
            )
        except TimeoutError:
            reason = f"open() took more than {OPEN_TIMEOUT_S:g} s; unplug the modem and plug it in"
            raise PortError(path, reason) from None
        device.failed = port._fail
        port._device = device
        transport = serial_asyncio.SerialTransport(asyncio.get_running_loop(), port, device)
        try:
            async with asyncio.timeout(MADE_TIMEOUT_S):
                await port._made
        except TimeoutError:
            transport.abort()
            raise PortError(path, "the port opened, but did not come alive") from None
        except asyncio.CancelledError:
            transport.abort()
            raise
        return port

    @property
    def unsent(self) -> int:
        """Octets accepted by write() that the port has not taken yet."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    def write(self, data: bytes) -> None:
        """Write octets, or queue what the port does not take at once; never blocks.

        Ignored once the port is lost or closed.
        """
        if self._transport is None or self._device is None or self._transport.is_closing():
            return
        if not self.unsent:
            data = data[self._device.write_now(data) :]
        if data:
            self._transport.write(data)

    def gone(self) -> bool:
        """Whether the device node vanished or now is another device. Costs two system calls."""
        if not isinstance(self._device, _Tty):
            return False
        try:
            there = Path(self.path).stat()
            return there.st_rdev != os.fstat(self._device.fileno()).st_rdev
        except (OSError, serial.SerialException):
            return True

    async def close(self) -> None:
        """Throw away what is unsent and close; returns after at most CLOSE_TIMEOUT_S."""
        self._receiver = None
        self._abort()
        deadline = asyncio.get_running_loop().time() + CLOSE_TIMEOUT_S
        pause = 0.001
        while self._device is not None and asyncio.get_running_loop().time() < deadline:
            if self._device.closed is not None and self._device.closed.is_set():
                return
            await asyncio.sleep(pause)
            pause = min(pause * 2, 0.1)
        log.warning("port still closing path=%s", self.path)

    # -- asyncio.Protocol ------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The transport is ready for its first octet."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # for the type checker
        self._transport = transport
        if not self._made.done():
            self._made.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Octets came."""
        if self._receiver is not None:
            self._receiver.received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """The transport is closed."""
        self._fail(str(exc) if exc is not None else "closed")

    def _fail(self, reason: str) -> None:
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            # Not from within the transport's own callback, which may be where this comes from.
            asyncio.get_running_loop().call_soon(self._abort)
            receiver.port_lost(reason)

    def _abort(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.abort()


def _open(path: str, baudrate: int) -> _Careful:
    """Open and lock; runs in a thread, for it may block."""
    if path.startswith(SOCKET_SCHEME):
        lock = locks.lock_name(path)
        try:
            device: _Careful = _Socket(path, timeout=0, write_timeout=0)
        except (serial.SerialException, OSError) as error:
            lock.release()
            raise PortError(path, f"no connection ({error}); is the server running?") from error
        device.lock = lock
        return device
    if "://" in path:
        raise PortError(path, "only a device path or socket://host:port can be opened")
    return _open_tty(path, baudrate)


def _open_tty(path: str, baudrate: int) -> _Careful:
    real = os.path.realpath(path)
    try:
        if not stat.S_ISCHR(Path(real).stat().st_mode):
            raise PortError(path, "not a serial device")
    except OSError as error:
        raise _port_error(path, error) from error
    lock = locks.lock_tty(path, real)
    try:
        device = _Tty(real, baudrate, timeout=0, write_timeout=0, exclusive=True)
    except (OSError, ValueError, termios.error) as error:
        lock.release()
        if isinstance(error, OSError) and error.errno in {errno.EBUSY, errno.EAGAIN}:
            raise locks.busy(path, real) from error
        raise _port_error(path, error) from error
    device.lock = lock
    if not locks.is_pty(real):
        # Not on a pty: the flag would outlive us for as long as the other side keeps it open.
        with contextlib.suppress(OSError):
            fcntl.ioctl(device.fileno(), termios.TIOCEXCL)
    return device


def _port_error(path: str, error: Exception) -> PortError:
    if isinstance(error, PortError):
        return error
    code = error.errno if isinstance(error, OSError) else None
    return PortError(path, _REMEDY.get(code or 0, str(error)))
