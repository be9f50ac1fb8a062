"""Registration told and asked for, in the forms that V.250 §5.4.2.1 allows and modems use."""

from __future__ import annotations

import pytest

from at import commands, fields
from at.commands import Registered
from at.urcs import URCS, MessageStored, Registration


def news(line: str) -> object:
    for spec in URCS:
        match = spec.pattern.fullmatch(line)
        if match is not None:
            return spec.parse(match, "")
    return None


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('+CGREG: 1, "0426", "F00F"', Registration("PS", 1)),
        ("+CREG: 2,,", Registration("CS", 2)),
        ("+CREG: 2,", Registration("CS", 2)),
        ("+CREG: 2 , , ", Registration("CS", 2)),
        ("+CEREG: 1, 1F00, 79D903 ,7", Registration("EPS", 1)),
        ('+CEREG: 005,"1F00","0079D903",7', Registration("EPS", 5)),
        ("+C5GREG:5", Registration("5GS", 5)),
        ("+CREG:  1 ", Registration("CS", 1)),
        ('+CMTI: "SM" , 007', MessageStored("SM", 7)),
        ('+CMTI:"ME",3 ', MessageStored("ME", 3)),
    ],
)
def test_news_has_blanks_empty_and_unquoted_fields(line: str, told: object) -> None:
    assert news(line) == told


@pytest.mark.parametrize(
    ("line", "registered"),
    [
        ('+CREG:002,001,"18d8","ffff"', Registered(1, None)),
        ('+CREG: 2 , 05 , "18d8" , "ffff" , 007', Registered(5, 7)),
        ("+CREG: 0,1", Registered(1, None)),
        ("+CREG: 2,2,,", Registered(2, None)),
    ],
)
def test_answer_has_leading_zeros_and_blanks_and_is_no_news(
    line: str, registered: Registered
) -> None:
    command = commands.registration("+CREG")
    assert command.info is not None
    assert command.info.fullmatch(line)
    assert command.parse((line,)) == registered
    assert news(line) is None


@pytest.mark.parametrize("line", ['+CREG: 1, "0426"', "+CREG: 2,,", "+CREG: 1, 1F00, 79D903 ,7"])
def test_news_while_the_query_is_in_flight_is_no_answer(line: str) -> None:
    info = commands.registration("+CREG").info
    assert info is not None
    assert not info.fullmatch(line)


@pytest.mark.parametrize(
    ("line", "sets"),
    [
        ('+CSCS: ("8859-1","ASCII","GSM")', [{"8859-1", "ASCII", "GSM"}]),
        ("+CSCS: (8859-1,GSM)", [{"8859-1", "GSM"}]),
        ("+CMGF: (00 - 01)", [{"0", "1"}]),
        ("+CNMI: (00,01,02),(001)", [{"0", "1", "2"}, {"1"}]),
    ],
)
def test_offered_names_are_no_ranges_and_numbers_lose_their_zeros(
    line: str, sets: list[set[str]]
) -> None:
    assert fields.offers(line) == sets


@pytest.mark.parametrize("line", ['+CSCS: ("8859-1","UCS2")', '+CSCS: "8859-1","UCS2"'])
def test_character_sets_are_offered_with_brackets_or_without(line: str) -> None:
    assert commands.CHARSETS_OFFERED.parse((line,)) == {"8859-1", "UCS2"}
