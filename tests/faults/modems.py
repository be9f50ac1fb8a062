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


class DamagingPty(PtyModem):
    """Cuts one octet (two hex digits) out of what it tells of a message, the first time only.

    pending: PDU in hex -> which of its octets; cut: PDUs that this has been done to.
    """

    def __init__(self, *options: Any, **more: Any) -> None:
        super().__init__(*options, **more)
        self.pending: dict[str, int] = {}
        self.cut: list[str] = []

    def _write(self, data: bytes) -> None:
        for pdu in list(self.pending):
            at = data.find(pdu.encode())
            if at >= 0:
                at += 2 * self.pending.pop(pdu)
                data = data[:at] + data[at + 2 :]
                self.cut.append(pdu)
        super()._write(data)


class LossyPty(PtyModem):
    """Keeps what became of every command line that lost an octet on its way to the modem."""

    def __init__(self, *options: Any, **more: Any) -> None:
        super().__init__(*options, **more)
        self.damaged: list[tuple[bytes, bytes]] = []

    def _received(self, data: bytes) -> None:
        before = self.core._impairments._in.getstate()
        arrives = self.core._impairments.incoming(data)
        self.core._impairments._in.setstate(before)  # the core loses the same octets again
        if arrives != data:
            self.damaged.append((data, arrives))
        super()._received(data)
