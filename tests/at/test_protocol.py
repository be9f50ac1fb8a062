"""AtProtocol: which line belongs to whom."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from at import commands
from at.command import Command
from at.protocol import MAX_LINE, AtProtocol, Event, Prompt, Reply, Stray, Unsolicited
from at.store import pdu_mode
from at.urcs import (
    URCS,
    Garbled,
    MessageDelivered,
    MessageStored,
    Registration,
    ReportDelivered,
    Restarted,
)

READ = pdu_mode.PduMode().reading(1)
PDU = "07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07"
OTHER = "0004038121F300006210203040500009F0B4FB0C4A937B31"
STORED = Unsolicited(MessageStored("SM", 1))


def run(command: Command[object] | None, *chunks: bytes) -> list[Event]:
    protocol = AtProtocol(URCS)
    if command is not None:
        protocol.start(command)
    return [event for chunk in chunks for event in protocol.feed(chunk)]


def text_command(octets: Callable[[str], int | None]) -> Command[object]:
    return Command("+CMGR=1", lambda lines: lines, info=re.compile(r"\+CMGR:.*"), length=octets)


def test_written_line_ends_with_a_carriage_return() -> None:
    assert AtProtocol().start(commands.SIGNAL) == b"AT+CSQ\r"


def test_second_command_in_flight_is_refused() -> None:
    protocol = AtProtocol()
    protocol.start(commands.SIGNAL)
    with pytest.raises(RuntimeError):
        protocol.start(commands.SIGNAL)


@pytest.mark.parametrize("line", ["+CSQ\r+CFUN=1,1", "+CSQ\n", "D\x1a", "+CUSD=\x1b", "é"])
def test_line_that_would_not_stay_one_line_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="one line"):
        AtProtocol().start(commands.do(line))


def test_information_line_and_final_code_make_the_reply() -> None:
    assert run(commands.SIGNAL, b"\r\n+CSQ: 17,99\r\n\r\nOK\r\n") == [Reply(("+CSQ: 17,99",), "OK")]


@pytest.mark.parametrize(
    "final",
    ["ERROR", "+CME ERROR: 10", "+CMS ERROR: 500", "+CME ERROR: SIM not inserted", "ABORTED",
     "COMMAND NOT SUPPORT"],
)  # fmt: skip
def test_every_failing_final_code_ends_the_command(final: str) -> None:
    assert run(commands.SIGNAL, f"\r\n{final}\r\n".encode()) == [Reply((), final)]


@pytest.mark.parametrize("line", ["OK maybe", "NOT OK", "ERRORS", "OKAY", "+CMS ERRORS: 1"])
def test_line_that_only_resembles_a_final_code_is_stray(line: str) -> None:
    assert run(commands.SIGNAL, f"\r\n{line}\r\n".encode()) == [Stray(line)]


def test_end_of_a_call_does_not_end_another_command() -> None:
    assert run(commands.SIGNAL, b"\r\nNO CARRIER\r\n") == [Stray("NO CARRIER")]
    assert run(commands.do("D123;"), b"\r\nNO CARRIER\r\n") == [Reply((), "NO CARRIER")]


def test_echo_of_the_command_is_no_answer() -> None:
    assert run(commands.SIGNAL, b"AT+CSQ\r\r\n+CSQ: 17,99\r\n\r\nOK\r\n") == [
        Reply(("+CSQ: 17,99",), "OK", echoed=True)
    ]


def test_echo_of_the_pdu_is_no_answer() -> None:
    command = commands.submit("18", OTHER.encode())
    events = run(
        command,
        b"AT+CMGS=18\r\r\n> ",
        OTHER.encode() + b"\x1a\r\n",
        b"\r\n+CMGS: 7\r\n\r\nOK\r\n",
    )
    assert events == [Prompt(), Reply(("+CMGS: 7",), "OK", echoed=True)]


def test_echoed_text_body_may_say_ok() -> None:
    command = Command('+CMGS="000"', lambda lines: lines, info=re.compile(r"\+CMGS:.*"),
                      body=b"OK\nERROR")  # fmt: skip
    events = run(
        command, b'AT+CMGS="000"\r\r\n> OK\r\n> ERROR\x1a\r\n', b"\r\n+CMGS: 7\r\n\r\nOK\r\n"
    )
    assert events == [Prompt(), Reply(("+CMGS: 7",), "OK", echoed=True)]


@pytest.mark.parametrize("prompt", [b"\r\n> ", b"\r\n>", b">", b"\x00\xff> "])
def test_prompt_comes_with_and_without_its_space(prompt: bytes) -> None:
    assert run(commands.submit("18", b"\0"), prompt) == [Prompt()]


def test_prompt_that_nobody_asked_for_is_none() -> None:
    assert run(commands.SIGNAL, b"\r\n> \r\n+CSQ: 1,99\r\n\r\nOK\r\n") == [
        Stray(">"),
        Reply(("+CSQ: 1,99",), "OK"),
    ]


def test_urc_before_the_prompt() -> None:
    events = run(commands.submit("18", b"\0"), b'\r\n+CMTI: "SM",1\r\n', b"\r\n> ")
    assert events == [STORED, Prompt()]


def test_late_ok_before_the_prompt_does_not_end_the_sending() -> None:
    assert run(commands.submit("18", b"\0"), b"\r\nOK\r\n\r\n> ") == [
        Stray("OK", final=True),
        Prompt(),
    ]


def test_error_instead_of_the_prompt_ends_the_sending() -> None:
    assert run(commands.submit("18", b"\0"), b"\r\n+CMS ERROR: 302\r\n") == [
        Reply((), "+CMS ERROR: 302")
    ]


def test_pdu_follows_its_header() -> None:
    assert run(READ, f"\r\n+CMGR: 0,,30\r\n{PDU}\r\n\r\nOK\r\n".encode()) == [
        Reply(("+CMGR: 0,,30", PDU), "OK")
    ]


def test_header_whose_pdu_was_lost_keeps_an_empty_place() -> None:
    listing = f"\r\n+CMGL: 1,0,,30\r\n+CMGL: 2,0,,30\r\n{PDU}\r\n+CMGL: 3,1,,9\r\n\r\nOK\r\n"
    assert run(pdu_mode.LIST, listing.encode()) == [
        Reply(("+CMGL: 1,0,,30", "", "+CMGL: 2,0,,30", PDU, "+CMGL: 3,1,,9", ""), "OK")
    ]


def test_urc_between_reply_lines_does_not_join_the_reply() -> None:
    listing = f'\r\n+CMGL: 1,0,,30\r\n\r\n+CMTI: "SM",1\r\n{PDU}\r\n\r\n+CREG: 5\r\n\r\nOK\r\n'
    assert run(pdu_mode.LIST, listing.encode()) == [
        STORED,
        Unsolicited(Registration("CS", 5)),
        Reply(("+CMGL: 1,0,,30", PDU), "OK"),
    ]


def test_two_line_urc_between_header_and_pdu_keeps_both_pdus_apart() -> None:
    octets = f"\r\n+CMGR: 0,,30\r\n\r\n+CMT: ,17\r\n{OTHER}\r\n{PDU}\r\n\r\nOK\r\n"
    assert run(READ, octets.encode()) == [
        Unsolicited(MessageDelivered("+CMT: ,17", OTHER)),
        Reply(("+CMGR: 0,,30", PDU), "OK"),
    ]


def test_urc_between_the_lines_of_a_urc() -> None:
    octets = f'\r\n+CDS: 17\r\n\r\n+CMTI: "SM",1\r\n{OTHER}\r\n'
    assert run(None, octets.encode()) == [STORED, Unsolicited(ReportDelivered("+CDS: 17", OTHER))]


def test_two_line_urc_without_its_second_line_is_told() -> None:
    octets = f"\r\n+CMT: ,17\r\n\r\n+CMT: ,17\r\n{OTHER}\r\n"
    assert run(None, octets.encode()) == [
        Stray("+CMT: ,17"),
        Unsolicited(MessageDelivered("+CMT: ,17", OTHER)),
    ]


def test_same_prefix_is_the_answer_when_asked_and_news_when_not() -> None:
    asked = b"\r\n+CREG: 0,1\r\n\r\nOK\r\n"
    news = b"\r\n+CREG: 5\r\n"
    named = b'\r\n+CREG: 1,"00C3","0000A1B2",7\r\n'
    command = commands.registration("+CREG")
    assert run(command, news, named, asked) == [
        Unsolicited(Registration("CS", 5)),
        Unsolicited(Registration("CS", 1)),
        Reply(("+CREG: 0,1",), "OK"),
    ]


def test_sim_state_is_the_answer_when_asked_and_news_when_not() -> None:
    line = b"\r\n+CPIN: READY\r\n"
    assert run(commands.SIM_STATE, line + b"\r\nOK\r\n") == [Reply(("+CPIN: READY",), "OK")]
    (event,) = run(commands.SIGNAL, line)
    assert isinstance(event, Unsolicited)


def test_error_in_the_middle_of_a_listing_ends_it() -> None:
    octets = f"\r\n+CMGL: 1,0,,30\r\n{PDU}\r\n+CMS ERROR: 320\r\n"
    assert run(pdu_mode.LIST, octets.encode()) == [
        Reply(("+CMGL: 1,0,,30", PDU), "+CMS ERROR: 320")
    ]


BODY = b'OK\r\n+CMTI: "SM",1\r\n\r\nERROR\r\n'


def test_bounded_text_may_hold_anything() -> None:
    header = f'+CMGR: "REC READ","000",,,145,4,0,0,"",145,{len(BODY)}'
    octets = header.encode() + b"\r\n" + BODY + b"\r\n\r\nOK\r\n"
    events = run(text_command(lambda _: len(BODY)), b"\r\n" + octets)
    assert events == [Reply((header, BODY.decode()), "OK")]


def test_empty_bounded_text_is_an_empty_line() -> None:
    events = run(text_command(lambda _: 0), b"\r\n+CMGR: 1\r\n\r\n\r\nOK\r\n")
    assert events == [Reply(("+CMGR: 1", ""), "OK")]


def test_bounded_text_that_goes_on_is_handed_over_whole() -> None:
    events = run(text_command(lambda _: 3), b"\r\n+CMGR: 1\r\nabcdef\r\n\r\nOK\r\n")
    assert events == [Reply(("+CMGR: 1", "abcdef"), "OK")]


def test_bounded_text_that_never_comes_does_not_hold_what_follows_for_ever() -> None:
    protocol = AtProtocol(URCS)
    protocol.start(text_command(lambda _: 100))
    assert protocol.feed(b'\r\n+CMGR: 1\r\nab\r\n\r\nOK\r\n\r\n+CMTI: "SM",1\r\n') == []
    assert protocol.abandon() == [Stray("ab"), Stray("OK", final=True), STORED]


def test_absurd_length_is_ignored() -> None:
    events = run(text_command(lambda _: 10**9), b"\r\n+CMGR: 1\r\n\r\nOK\r\n")
    assert events == [Reply(("+CMGR: 1",), "OK")]


def test_late_answer_does_not_answer_the_next_command() -> None:
    protocol = AtProtocol(URCS)
    protocol.start(READ)
    assert protocol.abandon() == []
    protocol.start(commands.SIGNAL)
    late = f"\r\n+CMGR: 0,,30\r\n{PDU}\r\n\r\nOK\r\n"
    events = protocol.feed(late.encode() + b"\r\n+CSQ: 9,99\r\n\r\nOK\r\n")
    assert events[-1] == Reply(("+CSQ: 9,99",), "OK")
    assert Stray("OK", final=True) in events
    assert all(isinstance(event, Stray) for event in events[:-1])


def test_final_code_without_a_command_is_stray() -> None:
    assert run(None, b"\r\nOK\r\n") == [Stray("OK", final=True)]


def test_noise_before_a_line_is_dropped() -> None:
    noise = b"\x00\xff\x80\x07"
    octets = (
        noise + b"\r\n+CMGR: 0,,30\r\n" + noise + PDU.encode() + b"\r\n" + noise + b"\r\nOK\r\n"
    )
    assert run(READ, octets) == [Reply(("+CMGR: 0,,30", PDU), "OK")]


def test_noise_line_between_header_and_pdu_is_stray() -> None:
    octets = f"\r\n+CMGR: 0,,30\r\ngarbage\r\n{PDU}\r\n\r\nOK\r\n"
    assert run(READ, octets.encode()) == [
        Stray("garbage"),
        Reply(("+CMGR: 0,,30", PDU), "OK"),
    ]


@pytest.mark.parametrize("line", ['+CMI: "SM",3', '+CMTI "SM",3', 'xy+CMTI: "SM",3', "+CMT 23"])
def test_damaged_announcement_still_rings(line: str) -> None:
    assert run(None, f"\r\n{line}\r\n".encode()) == [Unsolicited(Garbled(line))]


@pytest.mark.parametrize("line", ["RDY", "APP RDY", "^SYSSTART", "+SYSSTART"])
def test_restart_of_the_modem_is_recognised(line: str) -> None:
    assert run(commands.SIGNAL, f"\r\n{line}\r\n".encode()) == [Unsolicited(Restarted(line))]


def test_endless_line_is_cut_and_the_next_one_read() -> None:
    octets = b"x" * (3 * MAX_LINE) + b'\r\n+CMTI: "SM",1\r\n'
    assert run(None, octets) == [Stray("x" * MAX_LINE), STORED]
