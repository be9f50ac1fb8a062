"""Sending: the prompt, the answers, what can go wrong."""

from __future__ import annotations

import pytest

from at.simulator import Sent, SimulatedModem
from at.simulator.personality import Personality
from tests.at.simulator.host import SUBMIT, Host


def test_a_submitted_pdu_is_kept_with_its_reference() -> None:
    host = Host()
    assert host.submit() == ["+CMGS: 1", "OK"]
    assert host.submit(SUBMIT.lower()) == ["+CMGS: 2", "OK"]
    assert host.modem.sent == [Sent(SUBMIT, 1), Sent(SUBMIT, 2)]


def test_escape_aborts() -> None:
    host = Host()
    host.raw("AT+CMGS=18\r")
    assert host.lines(host.raw("0001\x1b")) == ["OK"]
    assert host.modem.sent == []
    assert host.send("AT") == ["OK"]


@pytest.mark.parametrize("body", ["", "00", SUBMIT + "00", SUBMIT[:-1], "x" * len(SUBMIT)])
def test_a_body_that_is_no_pdu_of_that_length_is_refused(body: str) -> None:
    host = Host()
    host.raw("AT+CMGS=18\r")
    assert host.lines(host.raw(body + "\x1a")) == ["+CMS ERROR: 304"]
    assert host.modem.sent == []


def test_line_ends_inside_the_body_do_not_matter() -> None:
    host = Host()
    assert host.submit(SUBMIT[:10] + "\r\n" + SUBMIT[10:]) == ["+CMGS: 1", "OK"]


def test_length_must_be_possible() -> None:
    host = Host()
    assert host.send("AT+CMGS=3") == ["+CMS ERROR: 304"]
    assert host.send("AT+CMGS") == ["ERROR"]


def test_body_is_echoed_while_echo_is_on() -> None:
    host = Host(plain=False)
    assert host.raw("AT+CMGS=18\r") == b"AT+CMGS=18\r\r\n> "
    assert host.raw(SUBMIT).decode() == SUBMIT


def test_other_prompts() -> None:
    host = Host(SimulatedModem(Personality("odd", prompt="\r\n>", escape_final="ERROR")))
    assert host.raw("AT+CMGS=18\r") == b"\r\n>"
    assert host.lines(host.raw("\x1b")) == ["ERROR"]


def test_scripted_errors_come_in_order() -> None:
    host = Host()
    host.modem.faults.send_codes[:] = [38, 0, 500]
    answers = [host.submit()[-1] for _ in range(4)]
    assert answers == ["+CMS ERROR: 38", "OK", "+CMS ERROR: 500", "OK"]
    assert len(host.modem.sent) == 2


def test_a_slow_network_answers_late_and_what_is_typed_waits() -> None:
    host = Host()
    host.modem.faults.send_delay_s = 30.0
    assert host.submit() == []
    assert host.send("AT+CSQ") == []
    assert host.modem.due_s == 30.0
    assert host.wait(29.0) == []
    assert host.wait(30.0) == ["+CMGS: 1", "OK", "+CSQ: 17,99", "OK"]


def test_a_send_that_is_carried_out_but_never_answered() -> None:
    host = Host()
    host.modem.faults.send_silent = 1
    assert host.submit() == []
    assert len(host.modem.sent) == 1
    assert host.send("AT") == ["OK"]
    assert host.submit() == ["+CMGS: 2", "OK"]


def test_more_messages_hold_the_link_until_none_comes() -> None:
    host = Host()
    assert host.send("AT+CMMS=1") == ["OK"]
    host.modem.advance(4.0)
    assert host.submit()[-1] == "OK"
    host.modem.advance(8.0)
    assert host.send("AT+CMMS?") == ["+CMMS: 1", "OK"]
    host.modem.advance(9.1)
    assert host.send("AT+CMMS?") == ["+CMMS: 0", "OK"]
    host.send("AT+CMMS=2")
    host.modem.advance(100.0)
    assert host.send("AT+CMMS?") == ["+CMMS: 2", "OK"]


def test_late_final_result_code() -> None:
    host = Host()
    host.modem.faults.final_delay_s, host.modem.faults.final_delays = 6.0, 1
    assert host.send("AT+CSQ") == ["+CSQ: 17,99"]
    assert host.wait(6.0) == ["OK"]
    assert host.send("AT") == ["OK"]


@pytest.mark.parametrize(
    ("row", "mode", "expected"),
    [
        (Personality("a"), 0, "+CMS ERROR: 321"),
        (Personality("a"), 2, "+CMS ERROR: 321"),
        (Personality("b", cms_words=True), 2, "+CMS ERROR: invalid memory index"),
        (Personality("c", cms_silent=True), 0, "ERROR"),
    ],
)
def test_wording_of_cms_errors(row: Personality, mode: int, expected: str) -> None:
    host = Host(SimulatedModem(row))
    host.send(f"AT+CMEE={mode}")
    assert host.send("AT+CMSS=5") == [expected]
