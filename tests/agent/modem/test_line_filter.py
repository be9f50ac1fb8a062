"""Which AT lines a person may send through the agent's modem."""

from __future__ import annotations

import re

import pytest

from agent.modem import line_filter
from agent.modem.line_filter import RefusedLineError, check
from at.profiles import PROFILES
from at.profiles.profile import Profile
from tests.support.agent import REPOSITORY


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("AT+CSQ", "+CSQ"),
        ("at+csq", "+csq"),
        ("+CSQ", "+CSQ"),
        ("AT", ""),
        ("  AT +COPS?  ", "+COPS?"),
        ("ATI", "I"),
        ("AT+CMGF?", "+CMGF?"),
        ("AT+CMGS=?", "+CMGS=?"),
        ("AT+CPIN?", "+CPIN?"),
        ("ATS3?", "S3?"),
        ("AT+CMGL=4", "+CMGL=4"),
        ("AT+CMGR=1", "+CMGR=1"),
        ('AT+CUSD=1,"*100#;D123",15', '+CUSD=1,"*100#;D123",15'),
        ("ATH", "H"),
        ("AT^SYSINFO", "^SYSINFO"),
        ("AT+COPS=3,0", "+COPS=3,0"),
        ("AT+COPS=?", "+COPS=?"),
        ("AT+CRSM=176,12258,0,0,10", "+CRSM=176,12258,0,0,10"),
        ("AT+CRLA=1,178,28480,1,4,28", "+CRLA=1,178,28480,1,4,28"),
    ],
)  # fmt: skip
def test_harmless_lines_pass_without_their_at(typed: str, sent: str) -> None:
    line = check(typed)
    assert (line.line, line.unsettles) == (sent, False)


@pytest.mark.parametrize(
    "typed",
    [
        "A/",
        "ATD*99#",
        "atd123;",
        "ATA",
        "ATO",
        "AT+CMGS=3",
        "AT+CMGW",
        "AT+CMUX=0",
        'AT+CGDATA="PPP",1',
        "AT+CSQ;+CMGS=5",
        "ATE0D123",
        "AT+CNMA",
        "ATX1A",
        "ATS0=1",
        "AT S 0 = 1",
        "ATS00=1",
        "AT D 123;",
        "A T+CSQ",
        "AT+ CMGS=3",
        'AT+CSCS="GSM',
        "ATD?",
        "ATA?",
        "+++",
        "AT+++ATH",
        "AT+CSQ;+CGANS=1",
        "AT&T1",
        "AT#SO=1",
    ],
)  # fmt: skip
def test_what_the_driver_cannot_survive_is_never_sent(typed: str) -> None:
    for force in (False, True):
        with pytest.raises(RefusedLineError) as refused:
            check(typed, force=force)
        assert not refused.value.forcible


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("AT+CMGF=1", "+CMGF"),
        ("ATE1", "E"),
        ("ATZ", "Z"),
        ("AT&F", "&F"),
        ("AT&F0", "&F"),
        ("ATV0Q1", "V"),
        ("ATS3=10", "S3"),
        ("AT+CMGD=1,4", "+CMGD"),
        ('AT+CPIN="1234"', "+CPIN"),
        ("AT+CFUN=1,1", "+CFUN"),
        ("AT+CSQ;+CNMI=0", "+CNMI"),
        ("ATIE1", "E"),
        ("AT+cmgf=1", "+CMGF"),
        ("AT+ CMGD=1", "+CMGD"),
        ("at + c m g d = 1,4", "+CMGD"),
        ("AT+CSQ ; + CMGD=1", "+CMGD"),
        ("AT+CSQ;;+CMGD=1", "+CMGD"),
        ("AT+CSQ?+CMGD=1", "+CMGD"),
        ("AT& F", "&F"),
        ('AT+CSIM=10,"0020000104"', "+CSIM"),
        ('AT+CGLA=1,10,"0020000104"', "+CGLA"),
        ('AT+CRSM=214,28480,0,0,1,"00"', "+CRSM"),
        ("AT+CRSM=220,28480,1,4,28", "+CRSM"),
        ("AT+CRSM=176,12258,0,0,10+CMGD=1", "+CRSM"),
        ("ATS=10", "S"),
        ("ATS05=8", "S5"),
        ("AT+CMSS=1", "+CMSS"),
        ("ATS2=43", "S2"),
        ("AT=1", "="),
        ("ATE?", "E"),
        ("AT+CMGRD=1", "+CMGRD"),
        ("AT+COPS=2", "+COPS"),
        ("AT+CGATT=0", "+CGATT"),
        ("AT+CREG=0", "+CREG"),
        ('AT+CCLK="26/01/01,00:00:00+00"', "+CCLK"),
        ("AT\\Q0", "\\Q"),
        ("AT&Y1", "&Y"),
        ("AT+CPSMS=1", "+CPSMS"),
        ('AT+CKPD="s"', "+CKPD"),
    ],
)  # fmt: skip
def test_what_unsettles_the_driver_needs_force(typed: str, name: str) -> None:
    with pytest.raises(RefusedLineError) as refused:
        check(typed)
    assert refused.value.forcible
    line = check(typed, force=True)
    assert (line.name, line.unsettles) == (name, True)


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_what_a_profile_sets_or_switches_off_needs_force(profile: Profile) -> None:
    off = [profile.power_off] if profile.power_off is not None else []
    for line in [setup.line for setup in profile.setup] + [
        one.line for one in (profile.reset, *off)
    ]:
        with pytest.raises(RefusedLineError) as refused:
            check(f"AT{line}")
        assert refused.value.forcible


@pytest.mark.parametrize(
    "typed",
    [
        "AT+COPS=2",
        'AT+QCFG="usbnet",1',
        "AT^SYSCFG=2,0,3fffffff,1,2",
        "AT+XYZ=1",
        "AT+CSQ;+XYZ=1",
        "AT&P0",
        'AT""+CMGD=1',
        "AT1+CMGD=1,4",
        "AT,+CMGD=1",
        "AT=+CMGD=1",
        "AT+CSQ=1+CMGD=1",
        "AT;;+cmgd = 1",
        "ATI;E0 + C M G D=1",
    ],
)
def test_what_nobody_knows_to_be_harmless_needs_force(typed: str) -> None:
    with pytest.raises(RefusedLineError) as refused:
        check(typed)
    assert refused.value.forcible
    assert check(typed, force=True).unsettles


@pytest.mark.parametrize("typed", ["AT+X\r\nAT", "AT\x1a", "ATé", "AT" + "1" * 500, "AT+A\nAT+B"])
def test_more_than_one_printable_ascii_line_is_never_sent(typed: str) -> None:
    with pytest.raises(RefusedLineError):
        check(typed, force=True)


def test_page_names_every_line_that_is_refused() -> None:
    page = (REPOSITORY / "docs" / "command-line.md").read_text()
    words = set(re.findall(r"[^\s`|,]+", page))
    assert {
        *line_filter._NEVER,
        *line_filter._RISKY,
        *line_filter._ASKS,
        *line_filter._BASIC_ASKS,
    } <= words
