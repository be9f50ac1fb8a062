"""Settings: what is set is read back, what is not offered is refused."""

from __future__ import annotations

import pytest

from tests.at.simulator.host import Host


@pytest.mark.parametrize(
    ("put", "ask", "told"),
    [
        ("+CMEE=2", "+CMEE?", "+CMEE: 2"),
        ("+CMGF=1", "+CMGF?", "+CMGF: 1"),
        ("+CSDH=1", "+CSDH?", "+CSDH: 1"),
        ('+CSCS="IRA"', "+CSCS?", '+CSCS: "IRA"'),
        ("+CSMP=49,11,0,4", "+CSMP?", "+CSMP: 49,11,0,4"),
        ("+CSMP=,,,8", "+CSMP?", "+CSMP: 17,167,0,8"),
        ('+CSCA="+441"', "+CSCA?", '+CSCA: "+441",145'),
        ('+CSCA="441"', "+CSCA?", '+CSCA: "441",129'),
        ("+CSMS=1", "+CSMS?", "+CSMS: 1,1,1,1"),
        ("+CNMI=1,2,0,1,0", "+CNMI?", "+CNMI: 1,2,0,1,0"),
        ("+CNMI=2", "+CNMI?", "+CNMI: 2,0,0,0,0"),
        ("+CREG=2", "+CREG?", '+CREG: 2,1,"1A2B","01234567",7'),
        ("+CEREG=1", "+CEREG?", "+CEREG: 1,1"),
        ("+CFUN=4", "+CFUN?", "+CFUN: 4"),
        ("+CRC=1", "+CRC?", "+CRC: 1"),
        ("S0=2", "S0?", "002"),
        ("+CGATT=1", "+CGATT?", "+CGATT: 1"),
        ("+CGACT=1,1", "+CGACT?", "+CGACT: 1,0"),
        ('+CPBS="ME"', "+CPBS?", '+CPBS: "SM",0,250'),
        ("+CSAS", "&V", "E0 V1 Q0"),
    ],
)
def test_what_is_set_is_read_back(put: str, ask: str, told: str) -> None:
    host = Host()
    assert host.send(f"AT{put}")[-1] == "OK"
    assert host.send(f"AT{ask}") == [told, "OK"]


@pytest.mark.parametrize(
    ("line", "refusal"),
    [
        ("+CMEE=3", "+CME ERROR: 50"),
        ("+CMGF=2", "+CME ERROR: 50"),
        ('+CSCS="EBCDIC"', "+CME ERROR: 50"),
        ('+CSCA="here"', "+CMS ERROR: 330"),
        ("+CREG=3", "+CME ERROR: 50"),
        ("+CFUN=9", "+CME ERROR: 50"),
        ("+CMGL=x", "+CMS ERROR: 304"),
        ('+CPBS="XX"', "+CME ERROR: 50"),
        ("+CPBR=251", "+CME ERROR: 50"),
        ('+CCLK="soon"', "+CME ERROR: 50"),
        ("+CIMI=1", "ERROR"),
        ("+CSQ?", "ERROR"),
        ("S3=999", "+CME ERROR: 50"),
        ("E7", "+CME ERROR: 50"),
        ("A", "ERROR"),
        ('+CLCK="XX",2', "+CME ERROR: 4"),
        ('+CLCK="AO",1,"1234"', "+CME ERROR: 4"),
        ('+CPWD="SC","1234","4321"', "+CME ERROR: 3"),
        ('+CPIN="1234"', "+CME ERROR: 3"),
    ],
)
def test_what_is_not_offered_is_refused(line: str, refusal: str) -> None:
    assert Host().send(f"AT{line}") == [refusal]


def test_calls_come_to_nothing() -> None:
    host = Host()
    assert host.send("ATD+447700900123;") == ["NO CARRIER"]
    assert host.send("ATH") == ["OK"]


def test_the_radio_off_takes_signal_and_card_away() -> None:
    host = Host()
    assert host.send("AT+CFUN=0") == ["OK"]
    assert host.send("AT+CSQ") == ["+CSQ: 99,99", "OK"]
    assert host.send("AT+CESQ") == ["+CESQ: 99,99,255,255,255,255", "OK"]
    assert host.send("AT+CPIN?") == ["+CME ERROR: 13"]
    assert host.send("AT+CMGL=4") == ["+CME ERROR: 13"]


def test_tries_of_one_code() -> None:
    host = Host()
    assert host.send('AT+CPINR="SIM PUK2"') == ["+CPINR: SIM PUK2, 10, 10", "OK"]
    assert host.send('AT+CPINR="SIM PIN*"')[:2] == [
        "+CPINR: SIM PIN, 3, 3",
        "+CPINR: SIM PIN2, 3, 3",
    ]
