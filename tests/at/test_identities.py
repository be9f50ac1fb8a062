"""Numbers and names of cards, modems and operators, in the forms that modems show."""

from __future__ import annotations

import pytest

from at import commands
from at.bringup.status import survey
from at.command import Command
from at.commands import Operator
from at.errors import ReplyError
from at.modem import Modem
from at.sms.text_mode.fields import read_timestamp
from tests.at.peer import ERROR, Peer


def answer(command: Command[str], *lines: str) -> str:
    assert command.info is not None
    assert all(command.info.fullmatch(line) for line in lines)
    return command.parse(lines)


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("+CCID: 89490200001234567890", "89490200001234567890"),
        ('+CCID: "89490200001234567890"', "89490200001234567890"),
        ("98942000002143658709", "89490200001234567890"),  # semi-octets as they are in the file
        ('"984902000021436587F9"', "8994200000123456789"),
        ("+QCCID: 898600a00112345678ff", "898600A00112345678"),
        ("^ICCID: 98680000A1214365870F", "89860000" + "1A12345678F0"),
        ("ICCID: 8949020000123456789F", "8949020000123456789"),
        ("+CCID: 8949020000123456789FFF", "8949020000123456789"),
        ('+CCID: "8949020000123456789",""', "8949020000123456789"),
    ],
)
def test_card_number_is_read_swapped_or_not_with_hex_digits_and_filling(
    line: str, number: str
) -> None:
    assert answer(commands.iccid("+CCID"), line) == number


@pytest.mark.parametrize(
    "line",
    [
        "+CCID: 12345678901234567890",
        "+CCID: 00000000000000000000",
        "+CCID: FFFFFFFFFFFFFFFFFFFF",
        "+CCID: 89FFFFFFFFFFFFFFFFFF",
        "+CCID: 89000000000000000000",
        "+CCID: 9894200000214365870",  # half an octet is missing
    ],
)
def test_number_that_no_telecom_card_has_is_refused(line: str) -> None:
    with pytest.raises(ReplyError):
        commands.iccid("+CCID").parse((line,))


@pytest.mark.parametrize("status", [144, 145, 146, 159])
def test_file_was_read_whatever_else_the_card_has_to_say(status: int) -> None:
    line = f'+CRSM: {status}, 14, "98942000002143658709"'
    assert answer(commands.ICCID_FILE, line) == "89490200001234567890"


@pytest.mark.parametrize(
    "line",
    [
        "+CRSM: 106,130",
        '+CRSM: 148,4,""',
        '+CRSM: 152,4,"98942000002143658709"',
        '+CRSM: 144,0,"FFFFFFFFFFFFFFFFFFFF"',
        '+CRSM: 144,0,"9894"',
    ],
)
def test_file_that_was_not_read_gives_no_number(line: str) -> None:
    with pytest.raises(ReplyError):
        commands.ICCID_FILE.parse((line,))


@pytest.mark.parametrize(
    ("lines", "number"),
    [
        (["490154203237518"], "490154203237518"),
        (['+CGSN: "4901542032375180"'], "4901542032375180"),
        (["80A1B2C3"], "80A1B2C3"),
        (["+GSN: A1000009123456"], "A1000009123456"),
        (["+CGSN: 1234567890"], "1234567890"),
        (["123456789012345678901"], "123456789012345678901"),
        (["MEID: A100000912345F"], "A100000912345F"),
        (["80A1B2C3", "490154203237518"], "490154203237518"),
        (["+CGSN: 49015420323751F"], "49015420323751"),
    ],
)
def test_serial_numbers_have_other_lengths(lines: list[str], number: str) -> None:
    assert answer(commands.IMEI, *lines) == number


@pytest.mark.parametrize(
    "line", ["OK", "ERROR", "RDY", "RING", '+CMTI: "SM",1', "^BOOT:12345678,0,0,0,72", "SMS READY"]
)
def test_news_and_results_are_no_serial_number(line: str) -> None:
    assert commands.IMEI.info is not None
    assert commands.IMEI.info.fullmatch(line) is None


@pytest.mark.parametrize(
    ("line", "operator"),
    [
        ('+COPS: 0,0,"4E2D56FD79FB52A8",7', Operator("中国移动", 7)),
        ('+COPS: 0,0,"041C04420421",2', Operator("МтС", 2)),
        ('+COPS: 0,0,"0054006500730074",0', Operator("Test", 0)),
        ('+COPS: 0,0,"Test Net   "', Operator("Test Net", None)),
        ('+COPS: 0,0,"' + "Télé".encode().decode("latin-1") + '"', Operator("Télé", None)),
        ('+COPS: 0,0,"Tél\xe9"', Operator("Tél\xe9", None)),
        ('+COPS: 0,2,"26201",7', Operator("26201", 7)),
        ('+COPS: 0,2,"003200360032003000310030",7', Operator("262010", 7)),
        ('+COPS: 0,2,"26201000",7', Operator("26201000", 7)),
        ('+COPS: 0,0,"D83DD83D"', Operator("D83DD83D", None)),  # half a pair, twice: no UCS2
    ],
)
def test_operator_is_named_in_ucs2_utf8_and_with_trailing_blanks(
    line: str, operator: Operator
) -> None:
    assert commands.OPERATOR.parse((line,)) == operator


def test_service_centre_of_digits_is_no_ucs2() -> None:
    assert commands.SERVICE_CENTRE.parse(('+CSCA: "491722270333",129',)) == "491722270333"
    assert commands.SERVICE_CENTRE.parse(('+CSCA: "002B0034",145',)) == "+4"


@pytest.mark.parametrize(
    ("shown", "offset"),
    [("+104", -6.0), ("104", None), ("+96", -4.0), ("-104", -6.0), ("+56", 14.0), ("+08", 2.0)],
)
def test_sign_of_a_zone_may_be_shown_as_a_digit(shown: str, offset: float | None) -> None:
    time = read_timestamp(f"26/01/02,03:04:05{shown}", []).time
    if offset is None:
        assert time is None
    else:
        assert time is not None
        shift = time.utcoffset()
        assert shift is not None
        assert shift.total_seconds() / 3600 == offset


def test_zone_that_is_none_is_flagged() -> None:
    flags: list[str] = []
    assert read_timestamp("26/01/02,03:04:05+200", flags).time is None
    assert flags == ["timestamp"]


async def test_technology_0_is_gsm() -> None:
    answers = {"+CREG?": b'\r\n+CREG: 2,1,"18D8","FFFF",0\r\n\r\nOK\r\n'}
    async with Peer(answers, ERROR) as peer:
        modem = await Modem.open(peer.path)
        assert (await survey(modem)).technology == "GSM"
        await modem.close()
