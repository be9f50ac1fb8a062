"""A bad line: rubbish between lines, bytes lost and doubled, all from one seeded source."""

from __future__ import annotations

import random

from at.simulator.state import Faults

TEXT_NOISE = (
    b"\r\n^DSFLOWRPT:0000000C,00000000,0000001A\r\n",
    b"\r\n%NWTIMEINFO: 26/11/21,01:29:44+00\r\n",
    b"garbage\r\n",
    b"\r\n*EPSB: 7\r\n",
    b"OK maybe\r\n",
    b"AT?",
)


def _one_text(source: random.Random) -> bytes:
    return source.choice(TEXT_NOISE)


def _one_binary(source: random.Random) -> bytes:
    return source.randbytes(source.randrange(1, 24))


class Impairments:
    """What the line does to the bytes; faults: the rates in force.

    Each direction has its own random source, so that how the bytes arrive in pieces changes
    nothing.
    """

    def __init__(self, faults: Faults, seed: int) -> None:
        self._faults = faults
        self._in = random.Random(f"in {seed}")  # noqa: S311 - repeatable faults, no secrets
        self._out = random.Random(f"out {seed}")  # noqa: S311
        self._noise = random.Random(f"noise {seed}")  # noqa: S311

    @staticmethod
    def _lossy(data: bytes, source: random.Random, drop: float, double: float) -> bytes:
        if not (drop or double):
            return data
        kept = bytearray()
        for byte in data:
            chance = source.random()
            if chance < drop:
                continue
            kept.append(byte)
            if chance < drop + double:
                kept.append(byte)
        return bytes(kept)

    def incoming(self, data: bytes) -> bytes:
        """Host to modem."""
        return self._lossy(data, self._in, self._faults.drop_in, self._faults.double_in)

    def outgoing(self, block: bytes) -> bytes:
        """Modem to host; rubbish may follow a block that ends a line."""
        noise = b""
        if self._faults.noise and block.endswith(b"\n"):  # noqa: SIM102 - one random draw a line
            if self._noise.random() < self._faults.noise:
                noise = self._rubbish()
        return self._lossy(block, self._out, self._faults.drop_out, self._faults.double_out) + noise

    def _rubbish(self) -> bytes:
        kind = self._faults.noise_kind
        if kind == "both":
            kind = self._noise.choice(("text", "binary"))
        return _one_text(self._noise) if kind == "text" else _one_binary(self._noise)
