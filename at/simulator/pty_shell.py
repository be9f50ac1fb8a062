"""The simulated modem behind a pseudo terminal."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import termios
import tty
from pathlib import Path

from at.simulator.personality import Personality
from at.simulator.presence import Presence
from at.simulator.shell import Shell
from at.simulator.terminals import Terminal, fresh_terminal, terminal_named

BACKLOG = 65536  # bytes kept for a client that does not read; more is lost


class PtyModem(Shell):
    """A simulated modem at a terminal's path, for any program that opens a serial port.

    link: a symbolic link to the terminal, stable over its comings and goings. What the modem says
    while no program has the terminal open is lost, as on a real line.
    """

    def __init__(
        self,
        personality: Personality | str = "generic",
        *,
        link: str | Path | None = None,
        seed: int = 0,
        baud: int | None = None,
        boot: bool = False,
        reenumerate_s: float | None = None,
    ) -> None:
        super().__init__(personality, seed=seed, baud=baud, boot=boot, reenumerate_s=reenumerate_s)
        self.link = Path(link) if link is not None else None
        self._master = -1
        self._slave = -1
        self._presence: Presence | None = None
        self._unsent = bytearray()

    @property
    def opened(self) -> int:
        """How often a program has opened the terminal since it is there."""
        if self._presence is None:
            return 0
        self._presence.update()
        return self._presence.opened

    async def _connect(self) -> None:
        self._open(fresh_terminal())

    def _reconnect(self, *, another_name: bool) -> None:
        self._open(fresh_terminal() if another_name else terminal_named(self.path))

    def _open(self, terminal: Terminal) -> None:
        master, slave = self._master, self._slave = terminal
        os.set_blocking(master, False)
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        self._presence = Presence(self.path)
        loop = asyncio.get_running_loop()
        loop.add_reader(master, self._readable)
        if self._presence.known:
            loop.add_reader(self._presence.fd, self._client_changed)
        if self.link is not None:
            aside = self.link.with_name(f".{self.link.name}.{os.getpid()}")
            aside.unlink(missing_ok=True)
            aside.symlink_to(self.path)
            aside.replace(self.link)

    def _disconnect(self) -> None:
        if self._master < 0:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._master)
        loop.remove_writer(self._master)
        if self._presence is not None:
            if self._presence.known:
                loop.remove_reader(self._presence.fd)
            self._presence.close()
        self._unsent.clear()
        if self.link is not None and self.link.is_symlink():
            self.link.unlink()
        os.close(self._slave)
        os.close(self._master)
        self._master = self._slave = -1

    def stall(self, on: bool = True) -> None:
        """Stop (or go on) reading what the host writes, so that its writes come to block."""
        if self._master < 0:
            return
        loop = asyncio.get_running_loop()
        if on:
            loop.remove_reader(self._master)
        else:
            loop.add_reader(self._master, self._readable)

    def _client_changed(self) -> None:
        if self._presence is not None and not self._presence.update():
            self._forget_client()

    def _forget_client(self) -> None:
        """The last program has closed: exclusive use, echo and pending output end with it."""
        self._unsent.clear()
        asyncio.get_running_loop().remove_writer(self._master)
        with contextlib.suppress(OSError):
            fcntl.ioctl(self._slave, termios.TIOCNXCL)
        tty.setraw(self._slave, termios.TCSANOW)
        termios.tcflush(self._slave, termios.TCIFLUSH)

    def _readable(self) -> None:
        try:
            data = os.read(self._master, 65536)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno != errno.EIO:  # EIO: nobody has the other side open
                raise
            return
        self._received(data)

    def _write(self, data: bytes) -> None:
        if self._master < 0 or self._presence is None or not self._presence.update():
            return
        if self._unsent:
            if len(self._unsent) < BACKLOG:
                self._unsent += data
            return
        self._unsent += data
        self._writable()

    def _writable(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            done = os.write(self._master, self._unsent)
        except BlockingIOError:
            done = 0
        del self._unsent[:done]
        if self._unsent:
            loop.add_writer(self._master, self._writable)
        else:
            loop.remove_writer(self._master)
