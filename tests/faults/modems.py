"""Simulated modems that begin a fault at the very command it is meant to hit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from at.simulator import PtyModem, TcpModem
from at.simulator.shell import Shell

LONGEST_SIGN = 64  # octets of what the host wrote that are looked through for a sign


class _Armed(Shell):
    """Acts once when the host writes `sign`, before the modem sees the piece it ends in."""

    def __init__(self, *options: Any, **more: Any) -> None:
        super().__init__(*options, **more)
        self._sign = b""
        self._act: Callable[[], bool] = lambda: False
        self._written = b""

    def arm(self, sign: bytes, act: Callable[[], bool]) -> None:
        """Wait for `sign`. act: True: the piece that ends the sign does not reach the modem."""
        self._sign, self._act, self._written = sign, act, b""

    def _received(self, data: bytes) -> None:
        self._written = (self._written + data)[-LONGEST_SIGN:]
        if self._sign and self._sign in self._written:
            self._sign = b""
            if self._act():
                return
        super()._received(data)


class ArmedPty(_Armed, PtyModem):
    """On a pseudo terminal."""


class ArmedTcp(_Armed, TcpModem):
    """Behind socket://."""
