"""+CNMI routes, +CNMA, what the service centre keeps."""

from __future__ import annotations

import pytest

from at.simulator import SimulatedModem
from at.simulator.personality import Personality
from tests.at.simulator.host import HELLO, REPORTED, Host

CLASS_2 = "00040B911346610089F60012208062917314080CC8F71D14969741F977FD07"
CLASS_3 = "00040B911346610089F60013208062917314080CC8F71D14969741F977FD07"
TYPE_0 = "00040B911346610089F64000208062917314080CC8F71D14969741F977FD07"


def _host(cnmi: str, row: Personality | None = None) -> Host:
    host = Host(SimulatedModem(row or "generic"))
    assert host.send(f"AT+CNMI={cnmi}") == ["OK"]
    return host


@pytest.mark.parametrize(
    ("mt", "pdu", "expected"),
    [
        (0, HELLO, []),
        (1, HELLO, ['+CMTI: "SM",1']),
        (2, HELLO, ["+CMT: ,30", HELLO]),
        (3, HELLO, ['+CMTI: "SM",1']),
        (2, CLASS_2, ['+CMTI: "SM",1']),
        (3, CLASS_3, ["+CMT: ,30", CLASS_3]),
        (1, TYPE_0, []),
    ],
)
def test_each_route(mt: int, pdu: str, expected: list[str]) -> None:
    host = _host(f"2,{mt}")
    stored = host.modem.deliver(pdu)
    assert host.heard() == expected
    direct = bool(expected) and expected[0].startswith("+CMT:")
    assert (stored is None) is (direct or pdu == TYPE_0)


def test_indication_names_the_memory_of_cpms() -> None:
    host = _host("2,1")
    host.send('AT+CPMS="SM","SM","ME"')
    host.modem.deliver(HELLO)
    assert host.heard() == ['+CMTI: "ME",1']


def test_silent_delivery_is_stored_without_a_word() -> None:
    host = _host("2,2")
    assert host.modem.deliver(HELLO, announce=False) == 1
    assert host.heard() == []


def test_mode_0_keeps_indications_until_the_mode_changes() -> None:
    host = _host("0,1")
    host.modem.deliver(HELLO)
    assert host.heard() == []
    assert host.lines(host.raw("AT+CNMI=2,1,0,0,0\r")) == ["OK", '+CMTI: "SM",1']


def test_bfr_1_throws_kept_indications_away() -> None:
    host = _host("0,1")
    host.modem.deliver(HELLO)
    assert host.lines(host.raw("AT+CNMI=2,1,0,0,1\r")) == ["OK"]


def test_cnmi_refuses_what_it_does_not_offer() -> None:
    host = Host()
    assert host.send("AT+CNMI=3,1") == ["+CMS ERROR: 304"]
    assert host.send("AT+CNMI=?") == ["+CNMI: (0-2),(0-3),(0,2),(0-2),(0,1)", "OK"]
    assert host.send("AT+CNMI?") == ["+CNMI: 0,0,0,0,0", "OK"]


def test_phase_2_plus_wants_an_acknowledgement_before_the_next() -> None:
    host = _host("2,2")
    assert host.send("AT+CSMS=1") == ["+CSMS: 1,1,1", "OK"]
    host.modem.deliver(HELLO)
    host.modem.deliver(HELLO)
    assert host.heard() == ["+CMT: ,30", HELLO]
    assert host.lines(host.raw("AT+CNMA\r")) == ["OK", "+CMT: ,30", HELLO]
    assert host.send("AT+CNMA=1") == ["OK"]
    assert host.send("AT+CNMA") == ["+CMS ERROR: 340"]
    assert host.modem.traffic.acknowledged == 2


def test_no_acknowledgement_turns_routing_off_and_the_message_comes_again() -> None:
    host = _host("2,2,0,1")
    host.send("AT+CSMS=1")
    host.modem.deliver(HELLO)
    assert host.heard() == ["+CMT: ,30", HELLO]
    assert host.wait(14.9) == []
    assert host.wait(15.1) == []
    assert host.send("AT+CNMI?") == ["+CNMI: 2,0,0,0,0", "OK"]
    assert host.send("AT+CMGL=4") == ["+CMGL: 1,0,,30", HELLO, "OK"]
    assert host.modem.traffic.refused == 1


def test_negative_acknowledgement_with_a_pdu() -> None:
    host = _host("2,2")
    host.send("AT+CSMS=1")
    host.modem.deliver(HELLO)
    host.heard()
    assert host.raw("AT+CNMA=2,3\r") == b"\r\n> "
    assert host.lines(host.raw("00D300\x1a")) == ["OK"]
    assert (host.modem.traffic.refused, host.modem.traffic.acknowledged) == (1, 0)


def test_news_waits_for_the_end_of_a_command() -> None:
    host = _host("2,1")
    host.raw("AT+CMGS=18\r")
    host.modem.deliver(HELLO)
    assert host.heard() == []
    assert host.lines(host.raw("\x1b")) == ["OK", '+CMTI: "SM",1']


@pytest.mark.parametrize(
    ("ds", "row", "expected"),
    [
        (0, Personality("a"), []),
        (1, Personality("a"), ["+CDS: 25"]),
        (2, Personality("a"), ['+CDSI: "SM",1']),
        (2, Personality("b", storages={"SM": 5, "SR": 5}, views={}, report_storage="SR"),
         ['+CDSI: "SR",1']),
    ],
)  # fmt: skip
def test_status_reports_take_the_route_of_ds(
    ds: int, row: Personality, expected: list[str]
) -> None:
    host = _host(f"2,1,0,{ds}", row)
    assert host.submit(REPORTED) == ["+CMGS: 1", "OK"]
    heard = host.wait(0.0)
    assert heard[:1] == expected
    if ds == 1:
        assert heard[1].startswith("0006010C9144770009103262101000")


def test_no_report_unless_asked_for() -> None:
    host = _host("2,1,0,1")
    assert host.submit() == ["+CMGS: 1", "OK"]
    assert host.wait(10.0) == []


def test_report_of_a_failed_delivery_after_a_while() -> None:
    host = _host("2,1,0,1")
    host.modem.faults.report_status = 0x46
    host.modem.faults.report_delay_s = 5.0
    host.submit(REPORTED)
    assert host.wait(4.0) == []
    assert host.wait(5.0)[1].endswith("46")


def test_without_registration_messages_wait_at_the_centre() -> None:
    host = _host("2,1")
    host.send("AT+CREG=1")
    host.modem.register(2)
    assert host.heard() == ["+CREG: 2"]
    assert host.modem.deliver(HELLO) is None
    assert host.submit() == ["+CMS ERROR: 331"]
    host.modem.register(5)
    assert host.heard() == ["+CREG: 5", '+CMTI: "SM",1']


def test_cfun_takes_the_modem_off_the_network_and_back() -> None:
    host = _host("2,1")
    host.send("AT+CREG=2;+CFUN=4")
    host.modem.deliver(HELLO)
    assert host.send("AT+CREG?") == ["+CREG: 2,0", "OK"]
    assert host.lines(host.raw("AT+CFUN=1\r")) == [
        "OK",
        '+CREG: 1,"1A2B","01234567",7',
        '+CMTI: "SM",1',
    ]
