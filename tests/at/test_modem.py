"""Modem on a real pty: in step whatever the line does."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from at import commands
from at import modem as modem_module
from at.command import Command
from at.errors import (
    CommandError,
    CommandTimeoutError,
    PortLostError,
    ReplyError,
    StaleError,
)
from at.modem import Modem
from at.store import pdu_mode
from at.urcs import MessageStored, Restarted
from tests.at.peer import OK, Peer, until

CSQ = b"\r\n+CSQ: 17,99\r\n\r\nOK\r\n"
PDU = bytes.fromhex("0004038121F300006210203040500009F0B4FB0C4A937B31")


class Rig:
    def __init__(self, peer: Peer, modem: Modem, heard: list[object]) -> None:
        self.peer = peer
        self.modem = modem
        self.heard = heard


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    heard: list[object] = []
    async with Peer({"+CSQ": CSQ}) as peer:
        modem = await Modem.open(peer.path, on_urc=heard.append)
        yield Rig(peer, modem, heard)
        await modem.close()


def quick(command: Command[Any]) -> Command[Any]:
    return replace(command, timeout_s=0.1)


async def test_answer_is_typed(rig: Rig) -> None:
    assert (await rig.modem.send(commands.SIGNAL)).dbm == -79
    assert rig.peer.lines == ["AT+CSQ"]
    assert (rig.modem.bytes_out, rig.modem.bytes_in) == (7, len(CSQ))


async def test_senders_wait_their_turn_in_order(rig: Rig) -> None:
    lines = [f"+X={n}" for n in range(20)]
    await asyncio.gather(*(rig.modem.send(commands.do(line)) for line in lines))
    assert rig.peer.lines == [f"AT{line}" for line in lines]


async def test_error_carries_its_code_and_whether_later_may_help(rig: Rig) -> None:
    rig.peer.answers["+CPIN?"] = b"\r\n+CME ERROR: 14\r\n"
    with pytest.raises(CommandError) as caught:
        await rig.modem.send(commands.SIM_STATE)
    assert (caught.value.domain, caught.value.code, caught.value.temporary) == ("CME", 14, True)
    assert caught.value.name == "SIM busy"


async def test_error_by_text_has_its_code_too(rig: Rig) -> None:
    rig.peer.answers["+CPIN?"] = b"\r\n+CME ERROR: SIM not inserted\r\n"
    with pytest.raises(CommandError) as caught:
        await rig.modem.send(commands.SIM_STATE)
    assert (caught.value.code, caught.value.temporary) == (10, False)


async def test_unsolicited_code_reaches_the_caller(rig: Rig) -> None:
    rig.peer.say(b'\r\n+CMTI: "SM",4\r\n')
    await rig.modem.send(commands.SIGNAL)
    assert rig.heard == [MessageStored("SM", 4)]


async def test_body_goes_out_at_the_prompt_and_not_before(rig: Rig) -> None:
    rig.peer.answers["+CMGS=*"] = b"\r\n> "
    rig.peer.answers["<SUB>"] = b"\r\n+CMGS: 9\r\n\r\nOK\r\n"
    assert await rig.modem.send(commands.submit("23", PDU.hex().upper().encode())) == 9
    assert rig.peer.lines == ["AT+CMGS=23", PDU.hex().upper() + "<SUB>"]


async def test_late_ok_after_a_timeout_does_not_answer_the_next_command(rig: Rig) -> None:
    rig.peer.answers["+SLOW"] = None
    with pytest.raises(CommandTimeoutError) as caught:
        await rig.modem.send(quick(commands.do("+SLOW")))
    assert caught.value.stage == "result"
    rig.peer.say(OK)
    rig.peer.answers["+CSQ"] = b"\r\n+CSQ: 5,99\r\n\r\nOK\r\n"
    assert (await rig.modem.send(commands.SIGNAL)).dbm == -103
    assert rig.modem.generation == 1
    assert "<ESC>" in rig.peer.lines[1]


async def test_late_answer_amid_resynchronisation_is_waited_out(rig: Rig) -> None:
    rig.peer.answers["+SLOW"] = None
    with pytest.raises(CommandTimeoutError):
        await rig.modem.send(quick(commands.do("+SLOW")))
    first = iter([b"\r\n+SLOW: late\r\n\r\nOK\r\n" + OK])
    rig.peer.answers[""] = lambda _: next(first, OK)
    assert (await rig.modem.send(commands.SIGNAL)).dbm == -79
    assert rig.peer.lines.count("AT") == 2


async def test_prompt_that_never_comes_is_left_by_escape(rig: Rig) -> None:
    rig.peer.answers["+CMGS=*"] = None
    with pytest.raises(CommandTimeoutError) as caught:
        await rig.modem.send(quick(commands.submit("23", PDU.hex().upper().encode())))
    assert caught.value.stage == "prompt"
    await rig.modem.send(commands.SIGNAL)
    assert PDU.hex().upper().encode() not in rig.peer.received
    assert "<ESC>" in rig.peer.lines


async def test_cancelled_send_leaves_the_next_one_in_step(rig: Rig) -> None:
    rig.peer.answers["+SLOW"] = None
    task = asyncio.ensure_future(rig.modem.send(commands.do("+SLOW")))
    await until(lambda: rig.peer.lines)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    rig.peer.say(OK)
    assert not rig.modem.in_step
    assert (await rig.modem.send(commands.SIGNAL)).dbm == -79
    assert rig.modem.in_step


@pytest.mark.parametrize("odd", [OK, b"\r\n+CSQ: none\r\n" + OK, CSQ.replace(b"OK", b"ERROR")])
async def test_odd_answer_that_is_complete_costs_no_resynchronisation(rig: Rig, odd: bytes) -> None:
    rig.peer.answers["+CSQ"] = odd
    with pytest.raises((ReplyError, CommandError)):
        await rig.modem.send(commands.SIGNAL)
    rig.peer.answers["+CSQ"] = CSQ
    assert (await rig.modem.send(commands.SIGNAL)).dbm == -79
    assert rig.modem.generation == 0


@pytest.mark.parametrize("rest", [CSQ, OK])
async def test_odd_answer_with_another_behind_it_resynchronises(rig: Rig, rest: bytes) -> None:
    loop = asyncio.get_running_loop()

    def answer(_: str) -> bytes:
        loop.call_later(0.02, rig.peer.say, rest)
        return OK

    rig.peer.answers["+CSQ"] = answer
    with pytest.raises(ReplyError):
        await rig.modem.send(commands.SIGNAL)
    rig.peer.answers["+CSQ"] = CSQ
    assert (await rig.modem.send(commands.SIGNAL)).dbm == -79
    assert rig.modem.generation == 1


@pytest.mark.parametrize("dropped", [1, 2])
async def test_modem_that_keeps_escape_in_its_line_is_brought_back_in_step(dropped: int) -> None:
    """It says nothing to the line in which ESC is, or to the one after it either."""
    async with Peer() as peer:
        modem = await Modem.open(peer.path)
        silent = 0
        line = bytearray()

        def hear() -> None:
            nonlocal silent
            for byte in os.read(peer.master, 4096):
                if byte != 0x0D:
                    line.append(byte)
                    continue
                silent = dropped if 0x1B in line else silent - 1
                if silent <= 0 and line == b"AT":
                    peer.say(OK)
                line.clear()

        asyncio.get_running_loop().add_reader(peer.master, hear)
        await modem.resynchronise(8.0)
        await modem.close()


async def test_final_code_out_of_nowhere_resynchronises(rig: Rig) -> None:
    rig.peer.say(OK)
    await until(lambda: not rig.modem.in_step)
    await rig.modem.send(commands.SIGNAL)
    assert rig.modem.generation == 1


async def test_modem_that_was_mute_works_as_soon_as_it_speaks(rig: Rig) -> None:
    rig.peer.mute = True
    with pytest.raises(CommandTimeoutError):
        await rig.modem.send(quick(commands.SIGNAL))
    waiting = asyncio.ensure_future(rig.modem.send(commands.SIGNAL))
    await asyncio.sleep(1.6)
    rig.peer.say(OK * 3)
    rig.peer.mute = False
    began = asyncio.get_running_loop().time()
    assert (await waiting).dbm == -79
    assert asyncio.get_running_loop().time() - began < 0.9 * commands.SIGNAL.timeout_s


async def test_modem_that_stays_mute_is_told(rig: Rig) -> None:
    rig.peer.mute = True
    with pytest.raises(CommandTimeoutError):
        await rig.modem.resynchronise(timeout_s=0.3)
    assert not rig.modem.in_step


async def test_restart_raises_the_generation(rig: Rig) -> None:
    rig.peer.say(b"\r\nRDY\r\n")
    await rig.modem.send(commands.SIGNAL)
    assert rig.heard == [Restarted("RDY")]
    assert rig.modem.generation == 1


async def test_command_of_an_old_generation_is_not_sent(rig: Rig) -> None:
    with pytest.raises(StaleError):
        await rig.modem.send(commands.delete(1), generation=rig.modem.generation - 1)
    assert rig.peer.lines == []


async def test_unplugged_device_ends_what_is_in_flight(rig: Rig) -> None:
    rig.peer.answers["+SLOW"] = None
    task = asyncio.ensure_future(rig.modem.send(commands.do("+SLOW")))
    await until(lambda: rig.peer.lines)
    rig.peer.unplug()
    with pytest.raises(PortLostError):
        await task
    assert rig.modem.lost.is_set()
    assert rig.modem.lost_reason
    with pytest.raises(PortLostError):
        await rig.modem.send(commands.SIGNAL)


async def test_close_ends_what_is_in_flight_and_what_waits(rig: Rig) -> None:
    rig.peer.answers["+SLOW"] = None
    tasks = [asyncio.ensure_future(rig.modem.send(commands.do("+SLOW"))) for _ in range(2)]
    await until(lambda: rig.peer.lines)
    await rig.modem.close()
    for task in tasks:
        with pytest.raises(PortLostError):
            await task
    await rig.modem.close()


@pytest.mark.parametrize("answer", [b"\r\n+CME ERROR: 16\r\n", None])
async def test_pin_is_in_no_log_and_no_error(
    rig: Rig, caplog: pytest.LogCaptureFixture, answer: bytes | None
) -> None:
    caplog.set_level("DEBUG")
    rig.peer.answers["+CPIN=*"] = answer
    with pytest.raises((CommandError, CommandTimeoutError)) as caught:
        await rig.modem.send(quick(commands.enter_pin("4711")))
    assert rig.peer.lines[0] == 'AT+CPIN="4711"'
    assert "4711" not in caplog.text
    assert "4711" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('+CPIN="1234"', "+CPIN=..."),
        ('+cpin=1234,"0000"', "+cpin=..."),
        ('+CMGS="+447700900123",145', '+CMGS="...",145'),
        ("D+447700900123;", 'D"...";'),
        ("+CMGS=23", "+CMGS=23"),
        ('+CPMS="SM","SM","SM"', '+CPMS="SM","SM","SM"'),
    ],
)
def test_line_is_shown_without_codes_and_numbers(line: str, shown: str) -> None:
    assert commands.do(line).shown == shown


async def test_bodies_and_answers_are_logged_at_debug_only(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    rig.peer.answers["+CMGS=*"] = b"\r\n> "
    rig.peer.answers["<SUB>"] = b"\r\n+CMGS: 9\r\n\r\nOK\r\n"
    await rig.modem.send(commands.submit("23", PDU.hex().upper().encode()))
    assert PDU.hex().upper() not in caplog.text


ENTRY = b"\r\n+CMGL: 1,0,,23\r\n" + PDU.hex().upper().encode() + b"\r\n"
NEWS = b"\r\n+CREG: 1\r\n"


async def test_news_does_not_put_the_end_of_a_silent_listing_off(rig: Rig) -> None:
    rig.peer.answers["+CMGL=4"] = None
    listing = asyncio.ensure_future(rig.modem.send(replace(pdu_mode.LIST, timeout_s=0.5)))
    async with asyncio.timeout(30):
        while not listing.done():
            await asyncio.sleep(0.2)
            rig.peer.say(NEWS)
    assert isinstance(listing.exception(), CommandTimeoutError)


async def test_every_line_of_a_listing_puts_its_end_off(rig: Rig) -> None:
    rig.peer.answers["+CMGL=4"] = None
    listing = asyncio.ensure_future(rig.modem.send(replace(pdu_mode.LIST, timeout_s=1.0)))
    await until(lambda: rig.peer.lines)
    for _ in range(6):
        await asyncio.sleep(0.3)
        rig.peer.say(ENTRY)
    rig.peer.say(OK)
    assert len(await listing) == 6


async def test_news_after_a_restart_gives_no_more_time(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modem_module, "RESTARTED_S", 0.2)
    rig.peer.answers["+CMGL=4"] = None
    listing = asyncio.ensure_future(rig.modem.send(pdu_mode.LIST))
    await until(lambda: rig.peer.lines)
    rig.peer.say(ENTRY + b"\r\nRDY\r\n\r\n+CPIN: READY\r\n" + ENTRY + NEWS)
    async with asyncio.timeout(5):  # of 10 s without a restart
        with pytest.raises(CommandTimeoutError):
            await listing


@pytest.mark.parametrize("line", ["+CMGD=1", "+CMGF=0"])
async def test_news_after_a_silence_says_that_the_command_was_not_heard(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    monkeypatch.setattr(modem_module, "UNHEARD_S", 0.1)
    monkeypatch.setattr(modem_module, "SPEAKING_S", 0.2)
    rig.peer.answers[line] = None
    sending = asyncio.ensure_future(rig.modem.send(commands.do(line, 60.0)))
    await asyncio.sleep(0.2)
    rig.peer.say(NEWS)
    async with asyncio.timeout(5):
        with pytest.raises(CommandTimeoutError):
            await sending
    assert (await rig.modem.send(commands.SIGNAL)).dbm == -79


async def test_news_hurries_no_message_that_is_being_sent_and_no_pin(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modem_module, "UNHEARD_S", 0.0)
    monkeypatch.setattr(modem_module, "SPEAKING_S", 0.05)
    rig.peer.answers |= {"+CMGS=*": b"\r\n> ", "<SUB>": None, "+CPIN=*": None}
    body = PDU.hex().upper().encode()
    sending = asyncio.ensure_future(rig.modem.send(commands.submit("23", body)))
    await until(lambda: len(rig.peer.lines) == 2)
    rig.peer.say(NEWS)
    await asyncio.sleep(0.2)
    rig.peer.say(b"\r\n+CMGS: 9\r\n" + OK)
    assert await sending == 9
    unlocking = asyncio.ensure_future(rig.modem.send(commands.enter_pin("4711")))
    await until(lambda: len(rig.peer.lines) == 3)
    rig.peer.say(NEWS)
    await asyncio.sleep(0.2)
    rig.peer.say(OK)
    await unlocking
