"""Settings of more than one value, and files of the card."""

from __future__ import annotations

import pytest

from tests.at.simulator.host import Host


@pytest.mark.parametrize(
    ("name", "start", "put", "then", "offer"),
    [
        ("+CMER", "0,0,0,0,0", "3,0,0,1", "3,0,0,1,0", "(0-3),(0),(0),(0,1),(0,1)"),
        ("+IFC", "2,2", "0,0", "0,0", "(0-2),(0-2)"),
        ("+ICF", "3,3", "2,1", "2,1", "(0-6),(0-3)"),
        ("+CSSN", "0,0", "1,1", "1,1", "(0,1),(0,1)"),
        ("+CSSN", "0,0", ",1", "0,1", "(0,1),(0,1)"),
        ("+CLIP", "0,1", "1", "1,1", "(0,1)"),
        ("+COLP", "0,1", "1", "1,1", "(0,1)"),
        ("+CLIR", "0,1", "2", "2,1", "(0-2)"),
        ("+CSCB", '0,"",""', '1,"0-127,50","0"', '1,"0-127,50","0"', "(0,1)"),
        ("+FCLASS", "0", "0", "0", "(0)"),
    ],
)
def test_setting_is_kept_whole(name: str, start: str, put: str, then: str, offer: str) -> None:
    host = Host()
    assert host.send(f"AT{name}?") == [f"{name}: {start}", "OK"]
    assert host.send(f"AT{name}={put}") == ["OK"]
    assert host.send(f"AT{name}?") == [f"{name}: {then}", "OK"]
    assert host.send(f"AT{name}=?") == [f"{name}: {offer}", "OK"]
    assert host.send("ATZ") == ["OK"]
    host.raw("ATE0\r")
    assert host.send(f"AT{name}?") == [f"{name}: {start}", "OK"]


@pytest.mark.parametrize("line", ["AT+IFC=2,2,2", "AT+CSSN=2", "AT+CLIP=1,1", "AT+FCLASS=1"])
def test_what_is_not_offered_is_refused(line: str) -> None:
    assert Host().send(line)[-1] != "OK"


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ("176,28589,0,0,4", '+CRSM: 144,0,"00000002"'),
        ("176,28589,0,3,1", '+CRSM: 144,0,"02"'),
        ("176,12258,0,0,10", '+CRSM: 144,0,"98440100032311325476"'),
        ("192,28589,0,0,15", '+CRSM: 144,0,"000000046FAD040000FFFF01020000"'),
        ("176,28589,0,0,20", "+CRSM: 103,4"),
        ("176,28423,0,0,9", "+CRSM: 106,130"),
        ("214,28589,0,0,1", "+CRSM: 106,130"),
    ],
)
def test_files_of_the_card(request_: str, answer: str) -> None:
    assert Host().send(f"AT+CRSM={request_}") == [answer, "OK"]
