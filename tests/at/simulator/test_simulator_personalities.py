"""Each make's habits."""

from __future__ import annotations

import re

import pytest

from at.simulator import SimulatedModem
from at.simulator.personalities import PERSONALITIES, personality
from at.simulator.personality import Personality
from tests.at.simulator.host import HELLO, Host

EVERY = sorted(PERSONALITIES)
ICCID = "89441000303211234567"


@pytest.mark.parametrize("name", EVERY)
def test_a_driver_of_the_standard_gets_along(name: str) -> None:
    host = Host(SimulatedModem(name))
    host.modem.advance(1.0)
    for line in (
        "AT+CMGF=0",
        "AT+CPIN?",
        "AT+CNMI=2,1,0,0,0",
        "AT+CPMS?",
        "AT+CREG?",
        "AT+CSQ",
        "AT+COPS?",
        "AT+CGSN",
        "AT+CIMI",
        'AT+CPMS="SM","SM","SM"',
    ):
        assert host.send(line)[-1] == "OK", line
    index = host.modem.deliver(HELLO)
    assert host.heard() == [f'+CMTI: "SM",{index}']
    host.modem.advance(2.0)
    header, pdu, final = host.send(f"AT+CMGR={index}")
    assert re.fullmatch(r'\+CMGR: 0,(""|),30', header)
    assert (pdu, final) == (HELLO, "OK")
    assert host.send(f"AT+CMGD={index}") == ["OK"]
    assert host.submit() == ["+CMGS: 1", "OK"]


@pytest.mark.parametrize("name", EVERY)
def test_power_up_says_the_boot_lines_and_then_it_works(name: str) -> None:
    row = personality(name)
    host = Host(SimulatedModem(row, boot=True), plain=False)
    said = host.wait(10.0)
    expected = [line.line.replace("{sim}", "READY") for line in row.boot]
    assert [line for line in said if line in expected] == expected
    host.modem.advance(11.0)
    assert host.send("AT+CMGF=0;+CPMS?")[-1] == "OK"


@pytest.mark.parametrize("name", EVERY)
def test_a_locked_card_asks_for_its_pin_after_power_up(name: str) -> None:
    host = Host(SimulatedModem(name), plain=False)
    host.modem.device.sim.locked = True
    host.modem.restart()
    said = host.wait(10.0)
    assert "+CPIN: READY" not in said
    assert "SMS DONE" not in said
    host.modem.advance(11.0)
    host.send("ATE0+CMEE=1")
    assert host.send("AT+CPIN?") == ["+CPIN: SIM PIN", "OK"]
    assert host.send("AT+CMGL=4") == ["+CME ERROR: 11"]
    assert host.send('AT+CPIN="1234"') == ["OK"]
    host.modem.advance(20.0)
    assert host.send("AT+CMGF=0;+CMGL=4")[0] == "OK"


@pytest.mark.parametrize("name", EVERY)
def test_every_row_keeps_its_own_promises(name: str) -> None:
    row: Personality = personality(name)
    modem = SimulatedModem(row)
    for place, chosen in enumerate(row.chosen):
        assert chosen in row.offered[place]
    assert all(name in modem.stores for names in row.offered for name in names)
    assert not row.report_storage or row.report_storage in modem.stores
    assert row.charset in row.charsets
    assert all(value in row.cnmi[place] for place, value in enumerate(row.cnmi_default))
    assert row.answers_s <= row.sim_ready_s <= row.sms_ready_s or not row.boot
    facts = modem.device.facts()
    for extra in row.extras:
        for lines in (extra.read, extra.run, extra.set, extra.test):
            assert all(line.format_map(facts) for line in lines or ())


@pytest.mark.parametrize(
    ("name", "command", "expected"),
    [
        ("quectel-ec25", "AT+QCCID", f"+QCCID: {ICCID}"),
        ("quectel-bg95", "AT+QPINC?", '+QPINC: "SC",3,10'),
        ("simcom-sim7600", "AT+CICCID", f"+ICCID: {ICCID}"),
        ("simcom-sim7600", "AT+CGMR", "+CGMR: LE20B04SIM7600M22"),
        ("simcom-sim800", "AT+CCID", ICCID),
        ("simcom-sim800", "AT+SPIC", "+SPIC: 3,10,3,10"),
        ("u-blox-lara-r2", "AT+UPINCNT", "+UPINCNT: 3,3,10,10"),
        ("telit-le910", "AT#CCID", f"#CCID: {ICCID}"),
        ("telit-le910", "AT#PCT", "#PCT: 3"),
        ("sierra-mc7455", "AT!ICCID?", f"!ICCID: {ICCID}"),
        ("huawei-e173", "AT^CPIN?", "^CPIN: READY,,10,3,10,3"),
    ],
)
def test_vendor_commands(name: str, command: str, expected: str) -> None:
    assert Host(SimulatedModem(name)).send(command)[0] == expected


@pytest.mark.parametrize(
    ("name", "command", "told"),
    [
        ("generic", "AT+CFUN=1,1", []),
        ("simcom-sim7600", "AT+CRESET", []),
        ("u-blox-lara-r2", "AT+CFUN=16", []),
        ("telit-le910", "AT#REBOOT", []),
        ("sierra-mc7455", "AT!RESET", []),
        ("huawei-me909s", "AT^RESET", ["^SYSSTART"]),
    ],
)
def test_resets_answer_first_and_restart(name: str, command: str, told: list[str]) -> None:
    host = Host(SimulatedModem(name))
    assert host.send(command) == ["OK"]
    assert host.modem.device.restarts == 1
    assert set(told) <= set(host.wait(3.0))
    host.modem.advance(4.0)
    assert host.send("AT+CMGF=0")[-1] == "OK"


def test_power_off_is_silence() -> None:
    host = Host(SimulatedModem("quectel-ec25"))
    assert host.send("AT+QPOWD") == ["POWERED DOWN", "OK"]
    assert host.send("AT") == []
    assert host.modem.deliver(HELLO) is None
    host.modem.restart()
    assert "RDY" in host.wait(5.0)
    assert host.modem.stores.used == 1


def test_input_during_power_up_is_lost() -> None:
    host = Host(SimulatedModem("quectel-ec25", boot=True), plain=False)
    assert host.send("AT") == []
    assert host.wait(0.3) == ["RDY"]
    assert host.send("AT+CPIN?") == ["AT+CPIN?\r", "+CME ERROR: 14"]


def test_sms_service_is_busy_until_it_is_ready() -> None:
    host = Host(SimulatedModem("quectel-ec25", boot=True), plain=False)
    host.wait(0.8)
    assert host.send("AT+CMGL=4")[-1] == "+CMS ERROR: 302"
    host.wait(2.0)
    assert host.send("AT+CMGL=4")[-1] == "OK"


def test_sim800_loses_a_command_right_after_an_announcement() -> None:
    host = Host(SimulatedModem("simcom-sim800"))
    host.modem.deliver(HELLO)
    assert host.heard() == ['+CMTI: "SM",1']
    assert host.send("AT") == []
    host.modem.advance(0.2)
    assert host.send("AT+CPMS?") == ['+CPMS: "SM_P",1,30,"SM_P",1,30,"SM_P",1,30', "OK"]


def test_sim7600_lists_with_all_details() -> None:
    host = Host(SimulatedModem("simcom-sim7600"))
    host.modem.deliver(HELLO)
    host.heard()
    host.send("AT+CMGF=1;+CSDH=1")
    assert host.send('AT+CMGL="ALL"')[0] == (
        '+CMGL: 0,"REC UNREAD","+31641600986","","02/08/26,19:37:41-00",'
        '145,4,0,0,"+31624000000",145,12'
    )


def test_full_storage_is_told_and_so_is_room() -> None:
    host = Host(SimulatedModem("u-blox-lara-r2"))
    host.send('AT+CPMS="SM","SM","SM"')
    for _ in range(50):
        host.modem.deliver(HELLO, announce=False)
    assert host.heard() == ["+CIEV: 10,1"]
    assert host.lines(host.raw("AT+CMGD=1\r")) == ["OK", "+CIEV: 10,0"]
    stick = Host(SimulatedModem("huawei-e173"))
    for _ in range(40):
        stick.modem.deliver(HELLO, announce=False)
    assert stick.heard() == ['^SMMEMFULL: "SM"']


def test_a_stick_talks_all_day_until_told_not_to() -> None:
    host = Host(SimulatedModem("huawei-e173"))
    assert host.wait(10.0) == ["^RSSI:17", "^RSSI:17"]
    host.send("AT^CURC=0")
    assert host.wait(70.0) == []


def test_an_unknown_name_is_told_with_those_there_are() -> None:
    with pytest.raises(KeyError, match="quectel-ec25"):
        SimulatedModem("nokia-3310")
