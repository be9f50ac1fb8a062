"""The host's side of a simulated modem core, for tests."""

from __future__ import annotations

from at.simulator import SimulatedModem

HELLO = "07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07"
SUBMIT = "0001000C91447700091032000005E8329BFD06"
REPORTED = "0031000C91447700091032000005E8329BFD06"
SUBMIT_LENGTH = 18


class Host:
    """Writes to the core, returns what it says; echo off, errors numeric."""

    def __init__(self, modem: SimulatedModem | None = None, *, plain: bool = True) -> None:
        self.modem = modem or SimulatedModem()
        if plain:
            self.raw("ATE0+CMEE=1\r")

    def raw(self, text: str | bytes) -> bytes:
        data = text if isinstance(text, bytes) else text.encode("latin-1")
        self.modem.feed(data)
        return self.modem.drain()

    def send(self, line: str) -> list[str]:
        """Send a command line, return the lines that answer it, without empty ones."""
        return self.lines(self.raw(line + "\r"))

    def heard(self) -> list[str]:
        """Return what the modem said by itself."""
        return self.lines(self.modem.drain())

    def wait(self, until_s: float) -> list[str]:
        """Let the modem's time pass."""
        self.modem.advance(until_s)
        return self.heard()

    def submit(self, pdu: str = SUBMIT, length: int = SUBMIT_LENGTH) -> list[str]:
        prompt = self.modem.personality.prompt.encode()
        assert self.raw(f"AT+CMGS={length}\r") == prompt
        return self.lines(self.raw(pdu + "\x1a"))

    @staticmethod
    def lines(data: bytes) -> list[str]:
        return [line for line in data.decode("latin-1").split("\r\n") if line]
