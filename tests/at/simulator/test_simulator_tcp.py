"""The modem behind a TCP port."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Self

import pytest
import serial

from at.simulator import RunningModem, TcpModem
from tests.at.simulator.host import HELLO


class Client:
    """A connection that closes behind itself."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def __aenter__(self) -> Self:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()

    async def ask(self, line: bytes) -> bytes:
        self.writer.write(line + b"\r")
        return await asyncio.wait_for(self.reader.readuntil(b"OK\r\n"), 5.0)

    async def rest(self) -> bytes:
        return await asyncio.wait_for(self.reader.read(), 5.0)


async def test_one_client_after_the_other() -> None:
    async with TcpModem() as modem:
        assert modem.path == f"socket://127.0.0.1:{modem.port}"
        for _ in range(2):
            async with Client(modem.port) as client:
                await client.ask(b"ATE0")
                await client.ask(b"AT+CNMI=2,1")
                index = modem.deliver(HELLO)
                announced = f'\r\n+CMTI: "SM",{index}\r\n'.encode()
                heard = await asyncio.wait_for(client.reader.readexactly(len(announced)), 5.0)
                assert heard == announced


async def test_a_second_client_at_once_is_turned_away() -> None:
    async with TcpModem() as modem, Client(modem.port) as first:
        await first.ask(b"AT")
        async with Client(modem.port) as second:
            assert await second.rest() == b""
        await first.ask(b"AT")


async def test_vanish_closes_the_connection_and_the_port_comes_back() -> None:
    async with TcpModem() as modem:
        port = modem.port
        async with Client(port) as client:
            await client.ask(b"AT")
            modem.vanish()
            assert await client.rest() == b""
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        modem.appear()
        async with Client(port) as client:
            await client.ask(b"AT")


async def test_a_slow_reader_gets_everything_and_a_stalled_modem_takes_nothing() -> None:
    async with TcpModem() as modem, Client(modem.port) as client:
        await client.ask(b"ATE0")
        modem.stall()
        client.writer.write(b"AT+CLAC\r" * 500)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.reader.readexactly(1), 0.05)
        taken = modem.bytes_in
        modem.stall(on=False)
        for _ in range(500):
            await asyncio.wait_for(client.reader.readuntil(b"\r\n\r\nOK\r\n"), 5.0)
        assert modem.bytes_in == taken + 500 * len("AT+CLAC\r")


async def test_another_name_is_another_port() -> None:
    async with TcpModem() as modem:
        before = modem.port
        modem.vanish()
        modem.appear(another_name=True)
        assert modem.port != before
        async with Client(modem.port) as client:
            assert (await client.ask(b"AT")).endswith(b"OK\r\n")


def test_pyserial_opens_its_url() -> None:
    with (
        RunningModem(TcpModem) as modem,
        serial.serial_for_url(modem.path, timeout=5.0) as port,
    ):
        port.write(b"AT\r")
        assert port.read_until(b"OK\r\n") == b"AT\r\r\nOK\r\n"
