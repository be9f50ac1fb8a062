"""Command lines as V.250 has them."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from at.simulator import SimulatedModem
from at.simulator.lines import Arguments, Call, calls
from at.simulator.values import Refused
from tests.at.simulator.host import Host


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", []),
        ("E0V1", [Call("E", "run", "0"), Call("V", "run", "1")]),
        ("&F0Z", [Call("&F", "run", "0"), Call("Z", "run")]),
        ("S3?", [Call("S3", "read")]),
        ("S03=13E1", [Call("S3", "set", "13"), Call("E", "run", "1")]),
        ("+cmgf=0;+CSQ", [Call("+CMGF", "set", "0"), Call("+CSQ", "run")]),
        ("E0+CPMS=?;+CREG?", [Call("E", "run", "0"), Call("+CPMS", "test"), Call("+CREG", "read")]),
        ('+CUSD=1,"a;b";I', [Call("+CUSD", "set", '1,"a;b"'), Call("I", "run")]),
        ("^SYSINFO", [Call("^SYSINFO", "run")]),
        ("D*99***1#;", [Call("D", "run", "*99***1#;")]),
        ("+CREG??", None),
        ("1", None),
    ],
)
def test_a_line_is_taken_apart(body: str, expected: list[Call] | None) -> None:
    assert calls(body) == expected


def test_arguments_keep_empty_and_quoted_values_apart() -> None:
    args = Arguments.parse('1,,"a,b","",x\\22')
    assert args.values == ("1", None, "a,b", "", 'x"')
    assert args.integer(1, default=7) == 7
    with pytest.raises(Refused):
        args.integer(2)
    with pytest.raises(Refused):
        args.text(9)
    with pytest.raises(Refused):
        Arguments.parse('"open')


def test_echo_follows_the_setting() -> None:
    host = Host(plain=False)
    assert host.raw("AT\r") == b"AT\r\r\nOK\r\n"
    assert host.raw("ATE0\r") == b"ATE0\r\r\nOK\r\n"
    assert host.raw("AT\r") == b"\r\nOK\r\n"


def test_case_does_not_matter_and_rubbish_before_at_is_skipped() -> None:
    host = Host()
    assert host.send("\x1b??at+csq") == ["+CSQ: 17,99", "OK"]


def test_a_line_without_at_is_not_answered() -> None:
    assert Host().send("+CSQ") == []


def test_line_feeds_between_commands_are_ignored() -> None:
    assert Host().raw("AT\r\nAT\r\n") == b"\r\nOK\r\n\r\nOK\r\n"


def test_back_space_takes_a_character_back() -> None:
    assert Host().send("AT+CSZ\x08Q") == ["+CSQ: 17,99", "OK"]


def test_a_slash_repeats_the_last_line_at_once() -> None:
    host = Host()
    host.send("AT+CSQ")
    assert host.lines(host.raw("A/")) == ["+CSQ: 17,99", "OK"]


def test_a_chain_stops_at_its_first_error() -> None:
    host = Host()
    assert host.send("AT+CSQ;+NOPE;+CREG?") == ["+CSQ: 17,99", "ERROR"]


def test_numeric_result_codes() -> None:
    host = Host()
    assert host.raw("ATV0\r") == b"0\r"
    assert host.raw("AT+CSQ\r") == b"+CSQ: 17,99\r\n0\r"
    assert host.raw("AT+NOPE\r") == b"4\r"
    assert host.raw("ATD123;\r") == b"3\r"


def test_quiet_mode_says_no_result_code() -> None:
    host = Host()
    assert host.raw("ATQ1\r") == b""
    assert host.raw("AT+CSQ\r") == b"\r\n+CSQ: 17,99\r\n"


def test_line_end_characters_follow_their_registers() -> None:
    host = Host()
    host.raw("ATS4=0\r")
    assert host.raw("AT\r") == b"\r\0OK\r\0"
    assert host.send("ATS3?")[0].endswith("013\r\0\r\0OK\r\0")


@pytest.mark.parametrize(
    ("mode", "expected"),
    [(0, "ERROR"), (1, "+CME ERROR: 16"), (2, "+CME ERROR: incorrect password")],
)
def test_errors_are_worded_as_cmee_says(mode: int, expected: str) -> None:
    host = Host()
    host.modem.device.sim.state = "SIM PIN"
    host.send(f"AT+CMEE={mode}")
    assert host.send('AT+CPIN="0000"') == [expected]


def test_settings_fall_back_and_can_be_kept() -> None:
    host = Host()
    host.send("AT+CMEE=2;&W")
    host.send("AT+CMEE=0")
    host.send("ATZ")
    assert host.send("AT+CMEE?")[-2:] == ["+CMEE: 2", "OK"]
    assert host.send("AT&FE0")[-1] == "OK"
    assert host.send("AT+CMEE?") == ["+CMEE: 0", "OK"]


def test_every_command_it_lists_answers_its_test_form_or_is_basic() -> None:
    host = Host()
    names = [name for name in host.send("AT+CLAC") if name != "OK"]
    assert {"AT+CMGS", "AT+CNMI", "AT&F", "AT+CLAC"} <= set(names)
    for name in names:
        if name.startswith("AT+"):
            assert host.send(f"{name}=?")[-1] == "OK", name


@given(st.lists(st.binary(max_size=40), max_size=12))
def test_no_bytes_stop_the_modem(pieces: list[bytes]) -> None:
    modem = SimulatedModem()
    for number, piece in enumerate(pieces):
        modem.advance(float(number))
        modem.feed(piece)
        modem.drain()
    modem.feed(b"\x1b\rATS3=13Q0V1E0\r")  # a register may have been changed
    modem.restart()
    modem.drain()
    modem.feed(b"AT\r")
    assert modem.drain().endswith(b"\r\nOK\r\n")


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=8))
def test_how_the_bytes_are_split_does_not_matter(noise: bytes, cuts: list[int]) -> None:
    script = b"ATE0\rAT+CMGF=1\rAT+CPMS?\r" + noise + b'\x1a\rAT+CMGS="1"\rhi\rho\x1aAT\r'
    whole = SimulatedModem()
    whole.feed(script)
    pieces = SimulatedModem()
    marks = [0, *sorted(cut % len(script) for cut in cuts), len(script)]
    for start, end in itertools.pairwise(marks):
        pieces.feed(script[start:end])
    assert pieces.drain() == whole.drain()
