"""The questions other programs ask of a modem before they work with it."""

from __future__ import annotations

import pytest

from at.simulator import PERSONALITIES, SimulatedModem
from tests.at.simulator.host import HELLO, Host

# In the order in which ModemManager's generic plugin asks while it brings a modem up.
MANAGER = """AT
ATE0
ATV1
AT+CMEE=1
ATX4
AT&C1
AT+IFC=?
AT+GCAP
ATI
AT+CGMI
AT+CGMM
AT+CGMR
AT+CGSN
AT+CPIN?
AT+CLCK=?
AT+CLCK="SC",2
AT+CFUN?
AT+CIND=?
AT+CIND?
AT+CMER=?
AT+CMER=3,0,0,1
AT+CSCS=?
AT+CSCS="UCS2"
AT+CSCS?
AT+CREG=2
AT+CREG?
AT+CGREG=2
AT+CIMI
AT+CRSM=176,12258,0,0,10
AT+CNUM
AT+COPS=3,2;+COPS?
AT+COPS=3,0;+COPS?
AT+CGDCONT=?
AT+CGDCONT?
AT+CMGF=?
AT+CMGF=0
AT+CSCA?
AT+CPMS=?
AT+CPMS?
AT+CNMI=?
AT+CNMI=2,1,0,0,0
AT+CSMS=?
AT+CMGL=4
AT+CUSD=1
AT+CCLK?
AT+CSQ
AT+WS46=?""".splitlines()


@pytest.mark.parametrize("name", sorted(PERSONALITIES))
def test_a_manager_finds_all_it_asks_for(name: str) -> None:
    modem = SimulatedModem(name)
    host = Host(modem, plain=False)
    modem.deliver(HELLO, announce=False)
    for line in MANAGER:
        unknown = any(line.startswith(f"AT{name}") for name in modem.personality.without)
        answer = host.send(line)
        assert answer[-1] == ("ERROR" if unknown else "OK"), (line, answer)


def test_what_the_answers_look_like() -> None:
    host = Host()
    crsm = host.send("AT+CRSM=176,12258,0,0,10")
    assert crsm == ['+CRSM: 144,0,"98440100032311325476"', "OK"]
    assert host.send("AT+CIND?") == ["+CIND: 5,2,1,0,0,0,0", "OK"]
    assert host.send("AT+CESQ") == ["+CESQ: 99,99,255,255,20,35", "OK"]
    host.modem.device.radio.access = 0
    assert host.send("AT+CESQ") == ["+CESQ: 34,0,255,255,255,255", "OK"]
    assert host.send("AT+CCLK?") == ['+CCLK: "26/01/01,00:00:00+00"', "OK"]
    assert host.send("AT+COPS?") == ['+COPS: 0,0,"Testnet",0', "OK"]
    assert host.send("AT+CNUM") == ['+CNUM: "","+447700900123",145', "OK"]


def test_operator_selection_takes_it_off_the_network_and_back() -> None:
    host = Host()
    host.send("AT+CREG=1")
    assert host.send("AT+COPS=2") == ["OK", "+CREG: 0"]
    assert host.send("AT+COPS?") == ["+COPS: 0", "OK"]
    assert host.send("AT+COPS=0") == ["OK", "+CREG: 1"]
    assert host.send("AT+COPS=?") == ['+COPS: (2,"Testnet","Test","23410",7),,(0-4),(0-2)', "OK"]
