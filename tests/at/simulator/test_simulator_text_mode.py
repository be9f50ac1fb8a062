"""Text mode: headers, character sets, composing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from at.simulator import SimulatedModem
from at.simulator.personality import Personality
from at.simulator.texts import pdus_of
from at.sms import Submit, decode
from tests.at.simulator.host import REPORTED, Host

WHEN = datetime(2026, 2, 3, 4, 5, 6, tzinfo=timezone(timedelta(hours=-3, minutes=-30)))
SHOWN = "26/02/03,04:05:06-14"


def _host(*settings: str, row: Personality | None = None) -> Host:
    host = Host(SimulatedModem(row or "generic"))
    for setting in ("+CMGF=1", *settings):
        assert host.send(f"AT{setting}")[-1] == "OK"
    return host


def _deliver(host: Host, sender: str, text: str | bytes) -> None:
    for pdu in pdus_of(sender, text, WHEN, reference=9):
        host.modem.deliver(pdu)


def test_reading_with_and_without_details() -> None:
    host = _host()
    _deliver(host, "+447700900123", "Hello")
    assert host.send("AT+CMGR=1") == [
        f'+CMGR: "REC UNREAD","+447700900123",,"{SHOWN}"', "Hello", "OK",
    ]  # fmt: skip
    host.send("AT+CSDH=1")
    assert host.send("AT+CMGR=1") == [
        f'+CMGR: "REC READ","+447700900123",,"{SHOWN}",145,4,0,0,"+447785016005",145,5',
        "Hello",
        "OK",
    ]


def test_listing_shows_neither_coding_nor_header() -> None:
    host = _host("+CSDH=1")
    _deliver(host, "000", "Hello")
    assert host.send('AT+CMGL="ALL"') == [
        f'+CMGL: 1,"REC UNREAD","000",,"{SHOWN}",129,5', "Hello", "OK",
    ]  # fmt: skip
    assert host.send('AT+CMGL="REC UNREAD"') == ["OK"]
    assert host.send('AT+CMGL="NONE"') == ["+CMS ERROR: 305"]


@pytest.mark.parametrize(
    ("charset", "body", "length"),
    [
        ("GSM", "\x00\x1b(\x02\x1be\x11\x05", 8),
        ("IRA", "@{$?_?", 6),
        ("UCS2", "0040007B002420AC005F00E9", 6),
        ("HEX", "001B28021B651105", 8),
    ],
)
def test_body_in_each_character_set(charset: str, body: str, length: int) -> None:
    host = _host("+CSDH=1", f'+CSCS="{charset}"')
    _deliver(host, "+44123", "@{$€_é")
    header, shown, final = host.send("AT+CMGR=1")
    assert (shown, final) == (body, "OK")
    assert header.endswith(f",{length}")


def test_addresses_follow_the_character_set() -> None:
    host = _host('+CSCS="UCS2"')
    _deliver(host, "KORE", "x")
    assert '"004B004F00520045"' in host.send("AT+CMGR=1")[0]
    assert host.send("AT+CSCA?")[0].startswith('+CSCA: "002B00340034')


def test_ucs2_and_binary_are_shown_in_hex() -> None:
    host = _host("+CSDH=1", '+CSCS="IRA"')
    _deliver(host, "2936", "日本")
    _deliver(host, "2936", b"\x01\xff")
    assert host.send("AT+CMGR=1")[1] == "65E5672C"
    header, body, _ = host.send("AT+CMGR=2")
    assert (header[-2:], body) == (",2", "01FF")


@pytest.mark.parametrize(("habit", "start"), [("hex", "0500030902"), ("strip", "xxxxx")])
def test_a_user_data_header_is_in_hex_or_gone(habit: str, start: str) -> None:
    row = Personality("a", text_header=habit)  # type: ignore[arg-type] # data
    host = _host("+CSDH=1", row=row)
    _deliver(host, "2936", "x" * 170)
    header, body, _ = host.send("AT+CMGR=1")
    assert body.startswith(start)
    assert ",68,0,0," in header  # the first octet tells of the header
    assert header.endswith(f",{len(body) // 2 if habit == 'hex' else len(body)}")


def test_a_body_may_look_like_anything() -> None:
    host = _host("+CSDH=1")
    _deliver(host, "2936", 'x\r\nOK\r\n+CMTI: "SM",1\r\n')
    raw = host.raw("AT+CMGR=1\r")
    assert b'\r\nx\r\nOK\r\n+CMTI: "SM",1\r\n\r\n\r\nOK\r\n' in raw


def test_direct_delivery() -> None:
    host = _host("+CNMI=2,2", "+CSDH=1")
    _deliver(host, "+44123", "Hi")
    assert host.heard() == [
        f'+CMT: "+44123",,"{SHOWN}",145,4,0,0,"+447785016005",145,2', "Hi",
    ]  # fmt: skip


def test_sending_makes_a_submit_of_the_settings() -> None:
    host = _host("+CSMP=49,11,0,0")
    assert host.raw('AT+CMGS="+447700900123"\r') == b"\r\n> "
    assert host.raw("line 1\r") == b"\r\n> "
    assert host.lines(host.raw("a\x00b\x1a")) == ["+CMGS: 1", "OK"]
    submit = decode(host.modem.sent[0].pdu, direction="mo").tpdu
    assert isinstance(submit, Submit)
    assert str(submit.destination) == "+447700900123"
    assert submit.user_data.text == "line 1\ra@b"
    assert submit.status_report_request


@pytest.mark.parametrize(
    ("charset", "dcs", "number", "body", "text"),
    [
        ("IRA", 0, "000", "a{$", "a{$"),
        ("UCS2", 0, "003000300030", "0061007B20AC", "a{€"),
        ("UCS2", 8, "003000300030", "65E5D83DDE00", "日😀"),
        ("HEX", 0, "303030", "611B65", "a€"),
    ],
)
def test_sending_in_each_character_set(
    charset: str, dcs: int, number: str, body: str, text: str
) -> None:
    host = _host(f'+CSCS="{charset}"', f"+CSMP=17,167,0,{dcs}")
    host.raw(f'AT+CMGS="{number}",129\r')
    assert host.lines(host.raw(body + "\x1a")) == ["+CMGS: 1", "OK"]
    submit = decode(host.modem.sent[0].pdu, direction="mo").tpdu
    assert isinstance(submit, Submit)
    assert (str(submit.destination), submit.user_data.text) == ("000", text)


def test_bad_text_is_refused() -> None:
    host = _host('+CSCS="UCS2"')
    assert host.send('AT+CMGS="12345"') == ["+CMS ERROR: 305"]
    host.raw('AT+CMGS="0031"\r')
    assert host.lines(host.raw("123\x1a")) == ["+CMS ERROR: 305"]
    assert host.send("AT+CMGS=12") == ["+CMS ERROR: 305"]


def test_more_than_one_message_holds_is_refused() -> None:
    host = _host()
    host.raw('AT+CMGS="1"\r')
    assert host.lines(host.raw("x" * 161 + "\x1a")) == ["+CMS ERROR: 305"]


def test_the_escape_character_of_the_gsm_alphabet_aborts() -> None:
    host = _host()
    host.raw('AT+CMGS="1"\r')
    assert host.lines(host.raw("a\x1b")) == ["OK"]
    assert host.modem.sent == []


def test_written_message_is_shown_and_sent() -> None:
    host = _host("+CSDH=1")
    host.raw('AT+CMGW="123"\r')
    assert host.lines(host.raw("note\x1a")) == ["+CMGW: 1", "OK"]
    assert host.send('AT+CMGL="STO UNSENT"') == [
        '+CMGL: 1,"STO UNSENT","123",,,129,4', "note", "OK",
    ]  # fmt: skip
    assert host.send("AT+CMGR=1")[0] == (
        '+CMGR: "STO UNSENT","123",,129,17,0,0,167,"+447785016005",145,4'
    )
    assert host.send('AT+CMSS=1,"+99"') == ["+CMSS: 1", "OK"]
    assert host.raw("AT+CMGW\r") == b"\r\n> "
    assert host.lines(host.raw("no number\x1a")) == ["+CMGW: 2", "OK"]


def test_status_reports_in_text() -> None:
    host = _host("+CNMI=2,1,0,1")
    host.modem.device.epoch = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    host.send("AT+CMGF=0")
    host.submit(REPORTED)
    host.send("AT+CMGF=1")
    (line,) = host.wait(0.0)
    assert line == ('+CDS: 6,1,"+447700900123",145,"26/01/02,03:04:05+00","26/01/02,03:04:05+00",0')


def test_what_cannot_be_read_is_shown_empty() -> None:
    host = _host()
    host.modem.deliver("0011223344")
    assert host.send("AT+CMGR=1") == ['+CMGR: "REC UNREAD","",,""', "11223344", "OK"]
