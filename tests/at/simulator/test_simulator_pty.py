"""The modem behind a real pseudo terminal, driven by pyserial as any program would."""

from __future__ import annotations

import asyncio
import os
import stat
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from at.simulator import PtyModem, RunningModem
from at.sms import Address, Deliver, Timestamp, segment
from tests.at.simulator.host import HELLO, SUBMIT

WAIT_S = 30.0


def _read_on(port: serial.Serial) -> None:
    for _ in range(100):
        port.read(1)


def _write_on(port: serial.Serial) -> None:
    for _ in range(100):
        port.write(b"A" * 4096)


@pytest.fixture
def modem() -> Iterator[RunningModem[PtyModem]]:
    with RunningModem(PtyModem) as running:
        yield running


def _open(path: str) -> serial.Serial:
    return serial.Serial(path, 115200, timeout=WAIT_S, write_timeout=WAIT_S)


def _ask(port: serial.Serial, line: str, until: bytes = b"OK\r\n") -> bytes:
    port.write(line.encode() + b"\r")
    return bytes(port.read_until(until))


def test_commands_announcements_and_counters(modem: RunningModem[PtyModem]) -> None:
    with _open(modem.path) as port:
        assert _ask(port, "ATE0") == b"ATE0\r\r\nOK\r\n"
        assert _ask(port, "AT+CNMI=2,1") == b"\r\nOK\r\n"
        assert modem.deliver(HELLO) == 1
        announced = b'\r\n+CMTI: "SM",1\r\n'
        assert port.read(len(announced)) == announced
        assert HELLO.encode() in _ask(port, "AT+CMGR=1")
        port.write(b"AT+CMGS=18\r")
        assert port.read_until(b"> ") == b"\r\n> "
        port.write(SUBMIT.encode() + b"\x1a")
        assert port.read_until(b"OK\r\n") == b"\r\n+CMGS: 1\r\n\r\nOK\r\n"
    assert [one.pdu for one in modem.sent] == [SUBMIT]
    assert [slot.pdu for slot in modem.messages("SM").values()] == [HELLO]
    assert modem.bytes_in == len("ATE0\rAT+CNMI=2,1\rAT+CMGR=1\rAT+CMGS=18\r" + SUBMIT) + 1
    assert modem.bytes_out > 0


def test_the_terminal_is_raw(modem: RunningModem[PtyModem]) -> None:
    descriptor = os.open(modem.path, os.O_RDWR | os.O_NOCTTY)
    try:
        inward, outward, _, local, *_ = termios.tcgetattr(descriptor)
    finally:
        os.close(descriptor)
    assert not inward & (termios.ICRNL | termios.IXON)
    assert not outward & termios.OPOST
    assert not local & (termios.ECHO | termios.ICANON | termios.ISIG)


def test_closing_and_opening_again_works_and_loses_what_was_said_meanwhile(
    modem: RunningModem[PtyModem],
) -> None:
    for _ in range(3):
        with _open(modem.path) as port:
            _ask(port, "ATE0")
            assert _ask(port, "AT+CNMI=2,1") == b"\r\nOK\r\n"
        modem.deliver(HELLO)
    descriptor = os.open(modem.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        with pytest.raises(BlockingIOError):
            os.read(descriptor, 100)
    finally:
        os.close(descriptor)
    assert modem.call(lambda shell: shell.opened) >= 4


def test_exclusive_use_ends_with_its_owner(modem: RunningModem[PtyModem]) -> None:
    with serial.Serial(modem.path, timeout=WAIT_S, exclusive=True) as port:
        assert _ask(port, "AT").endswith(b"OK\r\n")
    with serial.Serial(modem.path, timeout=WAIT_S, exclusive=True) as port:
        assert _ask(port, "AT").endswith(b"OK\r\n")


async def test_in_the_test_own_loop() -> None:
    text = segment("two parts " * 20, reference=7)
    stamp = Timestamp(bytes(7))
    async with PtyModem() as modem:
        loop = asyncio.get_running_loop()
        with await loop.run_in_executor(None, _open, modem.path) as port:
            answer = await loop.run_in_executor(None, _ask, port, "ATE0+CPMS?")
            assert b'+CPMS: "SM",0,30' in answer
        indices = [modem.deliver(Deliver(Address("2936", "unknown"), stamp, part)) for part in text]
        assert indices == [1, 2]
        assert modem.store["SM"].used == 2
        assert modem.sent == []


def test_link_follows_the_terminal_to_another_name(tmp_path: Path) -> None:
    link = tmp_path / "modem"
    with RunningModem(lambda: PtyModem(link=link)) as modem:
        first = modem.path
        assert str(link.readlink()) == first
        with _open(str(link)) as port:
            assert _ask(port, "AT").endswith(b"OK\r\n")
            modem.vanish()
            assert not link.is_symlink()
            with pytest.raises((serial.SerialException, OSError)):
                _read_on(port)
        modem.appear(another_name=True)
        assert modem.path != first
        with _open(str(link)) as port:
            assert _ask(port, "AT").endswith(b"OK\r\n")
    assert not link.is_symlink()


def test_it_comes_back_by_itself_with_its_messages(tmp_path: Path) -> None:
    link = tmp_path / "modem"
    with RunningModem(lambda: PtyModem(link=link)) as modem:
        modem.deliver(HELLO)
        modem.vanish(0.1)
        deadline = WAIT_S
        while not link.is_symlink() and deadline > 0:
            modem.call(lambda shell: None)
            deadline -= 0.001
        with _open(str(link)) as port:
            _ask(port, "ATE0")
            assert HELLO.encode() in _ask(port, "AT+CMGL=4")


def test_a_restart_can_take_the_port_away(tmp_path: Path) -> None:
    link = tmp_path / "modem"
    with RunningModem(lambda: PtyModem(link=link, reenumerate_s=60.0)) as modem:
        with _open(str(link)) as port:
            port.write(b"AT+CFUN=1,1\r")
            with pytest.raises((serial.SerialException, OSError)):
                _read_on(port)
        assert not link.is_symlink()
        modem.appear()
        assert link.is_symlink()


def test_stalled_modem_makes_writes_block(modem: RunningModem[PtyModem]) -> None:
    with serial.Serial(modem.path, timeout=WAIT_S, write_timeout=0.2) as port:
        modem.stall()
        with pytest.raises(serial.SerialTimeoutException):
            _write_on(port)
        port.reset_output_buffer()
        modem.stall(on=False)


def test_a_slow_reader_gets_everything(modem: RunningModem[PtyModem]) -> None:
    with _open(modem.path) as port:
        _ask(port, "ATE0")
        for _ in range(30):
            modem.deliver(HELLO)
        for _ in range(5):  # some 15,000 bytes, more than the terminal holds
            port.write(b"AT+CMGL=4\r")
        for _ in range(5):
            assert port.read_until(b"\r\n\r\nOK\r\n").count(HELLO.encode()) == 30


def test_only_the_owner_may_open_it(modem: RunningModem[PtyModem]) -> None:
    assert not Path(modem.path).stat().st_mode & stat.S_IRWXO


async def test_news_interleaves_with_an_answer_on_a_slow_line() -> None:
    async with PtyModem(baud=19200) as modem:
        for _ in range(3):
            modem.deliver(HELLO)
        modem.faults.interleave = True
        loop = asyncio.get_running_loop()
        with await loop.run_in_executor(None, _open, modem.path) as port:
            await loop.run_in_executor(None, _ask, port, "ATE0+CNMI=2,1")
            listing = loop.run_in_executor(None, _ask, port, "AT+CMGL=4", b"\r\n\r\nOK\r\n")
            loop.call_later(0.1, modem.deliver, HELLO)  # the listing takes 0.16 s
            lines = (await listing).decode().split("\r\n")
    news = lines.index('+CMTI: "SM",4')
    assert lines.index(HELLO) < news < lines.index("OK")


@pytest.mark.parametrize("event", ["mute", "restart"])
async def test_an_answer_on_a_slow_line_breaks_off(event: str) -> None:
    async with PtyModem(baud=19200) as modem:
        for _ in range(3):
            modem.deliver(HELLO)
        loop = asyncio.get_running_loop()
        with await loop.run_in_executor(None, _open, modem.path) as port:
            await loop.run_in_executor(None, _ask, port, "ATE0")
            port.timeout = 0.4
            listing = loop.run_in_executor(None, _ask, port, "AT+CMGL=4", b"\r\n\r\nOK\r\n")
            if event == "mute":
                loop.call_later(0.1, setattr, modem.faults, "mute", True)
            else:
                loop.call_later(0.1, modem.restart)
            heard = await listing
    assert b"+CMGL: 1" in heard
    assert b"OK" not in heard


async def test_paced_line_is_exact_on_average() -> None:
    baud, lines = 115200, 5
    async with PtyModem(baud=baud) as modem:
        loop = asyncio.get_running_loop()
        with await loop.run_in_executor(None, _open, modem.path) as port:
            await loop.run_in_executor(None, _ask, port, "ATE0")
            started, before = loop.time(), modem.bytes_in + modem.bytes_out
            for _ in range(lines):
                await loop.run_in_executor(None, _ask, port, "AT+CLAC")
            took, carried = loop.time() - started, modem.bytes_in + modem.bytes_out - before
    line_s = carried * 10 / baud
    assert line_s * 0.995 <= took  # never faster than the line


def test_it_comes_back_under_its_name_and_the_next_one_has_another(
    modem: RunningModem[PtyModem],
) -> None:
    path = modem.path
    modem.vanish()
    modem.appear()
    assert modem.path == path
    names = [path]
    for _ in range(3):
        with RunningModem(PtyModem) as other:
            names.append(other.path)
    assert len(set(names)) == 4


def test_two_programs_on_one_terminal_are_told_apart_from_one(
    modem: RunningModem[PtyModem],
) -> None:
    first = os.open(modem.path, os.O_RDWR | os.O_NOCTTY)
    with _open(modem.path) as second:
        os.close(first)
        assert _ask(second, "ATE0").endswith(b"OK\r\n")
        modem.say("RING")
        assert second.read_until(b"RING\r\n") == b"\r\nRING\r\n"
