"""What information lines mean: parameters, numbers, choices."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from at import commands, fields
from at.bringup import negotiation
from at.bringup.negotiation import Memories
from at.command import Command
from at.commands import Memory, Operator, PinTries, Registered, Signal
from at.errors import ReplyError
from at.result_codes import CME, CMS, command_error


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("+CSQ: 17,99", ["17", "99"]),
        ('+CMGL: 1,"REC READ","+44",,"26/01/02,03:04:05+04"',
         ["1", "REC READ", "+44", "", "26/01/02,03:04:05+04"]),
        ("+CMGL: 1,0,,30", ["1", "0", "", "30"]),
        ('+CPMS: "SM",0,30', ["SM", "0", "30"]),
        ('"a:b",1', ["a:b", "1"]),
        ("+X:", []),
        ("+X: ,", ["", ""]),
        ("+X: 1,", ["1", ""]),
        ('+X: "unclosed', ["unclosed"]),
        ('+X: "a" b,1', ['a" b,1']),
    ],
)  # fmt: skip
def test_parameters_are_split(line: str, values: list[str]) -> None:
    assert fields.split(line) == values


@given(st.text(max_size=60))
def test_any_line_can_be_split(line: str) -> None:
    assert isinstance(fields.split(line), list)
    assert isinstance(fields.offers(line), list)


@pytest.mark.parametrize(
    ("line", "sets"),
    [
        ("+CNMI: (0-2),(0,1),2", [{"0", "1", "2"}, {"0", "1"}, {"2"}]),
        ('+CPMS: ("SM","ME"),("SM")', [{"SM", "ME"}, {"SM"}]),
        ("+CMGF: (0,1)", [{"0", "1"}]),
    ],
)
def test_offers_are_sets_per_parameter(line: str, sets: list[set[str]]) -> None:
    assert fields.offers(line) == sets


@pytest.mark.parametrize(
    ("command", "lines", "value"),
    [
        (commands.SIGNAL, ["+CSQ: 0,0"], Signal(-113)),
        (commands.SIGNAL, ["+CSQ: 31,99"], Signal(-51)),
        (commands.SIGNAL, ["+CSQ: 99,99"], Signal(None)),
        (commands.EXTENDED_SIGNAL, ["+CESQ: 99,99,255,255,20,50"], Signal(-91)),
        (commands.EXTENDED_SIGNAL, ["+CESQ: 99,99,30,10,255,255"], Signal(-91)),
        (commands.EXTENDED_SIGNAL, ["+CESQ: 20,0,255,255,255,255"], Signal(-91)),
        (commands.EXTENDED_SIGNAL, ["+CESQ: 99,99,255,255,255,255"], Signal(None)),
        (commands.registration("+CEREG"), ['+CEREG: 2,5,"1A2B","01234567",7'],
         Registered(5, 7)),
        (commands.registration("+CREG"), ["+CREG: 0,1"], Registered(1, None)),
        (commands.OPERATOR, ['+COPS: 0,0,"Test, net",7'], Operator("Test, net", 7)),
        (commands.OPERATOR, ["+COPS: 0"], Operator("", None)),
        (commands.MEMORIES, ['+CPMS: "SM",1,30,"SM",1,30,"ME",2,9'],
         (Memory("SM", 1, 30), Memory("SM", 1, 30), Memory("ME", 2, 9))),
        (commands.select_memories("SM"), ["+CPMS: 1,30,0,0,2,9"],
         (Memory("", 1, 30), Memory("", 0, 0), Memory("", 2, 9))),
        (commands.select_memories("SM"), [], ()),
        (commands.IMEI, ["490154203237518"], "490154203237518"),
        (commands.IMEI, ['+CGSN: "490154203237518"'], "490154203237518"),
        (commands.iccid("+CCID"), ['+CCID: "89441000303211234567",""'], "89441000303211234567"),
        (commands.iccid("+QCCID"), ["+QCCID: 8944100030321123456F"], "8944100030321123456"),
        (commands.ICCID_FILE, ['+CRSM: 144,0,"98440100300312325476"'], "89441000033021234567"),
        (commands.MODEL, ["+CGMM: EC25"], "EC25"),
        (commands.PIN_TRIES, ["+CPINR: SIM PIN,3,3"], PinTries(3, None)),
        (commands.MESSAGE_FORMATS, ["+CMGF: (0,1)"], {"0", "1"}),
        (commands.raw("I"), ["a", "b"], ("a", "b")),
    ],
)  # fmt: skip
def test_answers_are_typed(command: Command[Any], lines: list[str], value: object) -> None:
    assert command.info is not None
    assert all(command.info.fullmatch(line) for line in lines)
    assert command.parse(tuple(lines)) == value


@pytest.mark.parametrize(
    "command",
    [commands.SIGNAL, commands.IMEI, commands.MODEL, commands.MEMORIES, commands.OPERATOR],
)
def test_answer_without_its_line_is_an_error(command: Command[Any]) -> None:
    with pytest.raises(ReplyError):
        command.parse(())


@pytest.mark.parametrize("line", ["OK", "ERROR", '+CMTI: "SM",1', "^RSSI: 17", "RDY", "RING"])
def test_free_text_is_no_news_and_no_final_code(line: str) -> None:
    assert commands.PLAIN.fullmatch(line) is None


@pytest.mark.parametrize("pin", ["123", "123456789", "12a4", '1234",'])
def test_pin_that_is_none_is_never_sent(pin: str) -> None:
    with pytest.raises(ValueError, match="4 to 8 digits"):
        commands.enter_pin(pin)


@pytest.mark.parametrize(
    ("final", "domain", "code", "temporary"),
    [
        ("+CME ERROR: 10", "CME", 10, False),
        ("+CME ERROR: SIM busy", "CME", 14, True),
        ("+CMS ERROR: 42", "CMS", 42, True),
        ("+CMS ERROR: 30", "CMS", 30, False),
        ("+CMS ERROR: 9999", "CMS", 9999, None),
        ("+CME ERROR: something new", "CME", None, None),
        ("+CME ERROR: GPRS services not allowed", "CME", 107, False),
        ("+CME ERROR: 107", "CME", 107, False),
        ("+CMS ERROR: SC address unknown", "CMS", 330, False),
        ("+CMS ERROR: no CNMA acknowledgement expected", "CMS", 340, False),
        ("+CMS ERROR: Unassigned (unallocated) number", "CMS", 1, False),
        ("+CMS ERROR: Resources unavailable, unspecified", "CMS", 47, True),
        ("ERROR", "", None, None),
    ],
)
def test_final_codes_have_names_and_prospects(
    final: str, domain: str, code: int | None, temporary: bool | None
) -> None:
    error = command_error("+X", final)
    assert (error.domain, error.code, error.temporary) == (domain, code, temporary)


def test_every_named_code_is_found_by_its_name() -> None:
    for domain, table in (("CME", CME), ("CMS", CMS)):
        for name, _ in table.values():
            code = command_error("+X", f"+{domain} ERROR: {name.upper()}").code
            assert code is not None
            assert table[code][0] == name


OFFER = "+CNMI: (0-2),(0-3),(0,2),(0-2),(0,1)"


@pytest.mark.parametrize(
    ("offer", "best"),
    [
        (OFFER, (2, 1, 0, 2, 0)),
        ("+CNMI: (0,1,2),(0,1,2,3),(0,2,3),(0,1,2),(1)", (2, 1, 0, 2, 1)),
        ("+CNMI: (1,2),(0,1),0,(0,1),0", (2, 1, 0, 1, 0)),
        ("+CNMI: (0-3),(0-3),(0),(0),(1)", (2, 1, 0, 0, 1)),
        ("+CNMI: (1),(0,2),(0),(0,1),(0,1)", (1, 2, 0, 1, 0)),
        ("+CNMI: (2),(1)", (2, 1)),
    ],
)
def test_best_offered_indication_comes_first(offer: str, best: tuple[int, ...]) -> None:
    assert negotiation.indications(fields.offers(offer))[0] == best


def test_storing_is_preferred_to_any_link_mode() -> None:
    settings = negotiation.indications(fields.offers(OFFER))
    direct = [n for n, setting in enumerate(settings) if setting[1] == 2]
    assert all(setting[1] == 1 for setting in settings[: min(direct, default=len(settings))])


def test_without_an_offer_the_usual_settings_are_tried() -> None:
    assert (2, 1, 0, 0, 0) in negotiation.indications(None)


@pytest.mark.parametrize(
    ("offer", "chosen"),
    [
        ('("SM","ME"),("SM","ME"),("SM","ME")', Memories("SM", ("ME",))),
        ('("ME","MT"),("ME","MT"),("ME","MT")', Memories("ME")),
        ('("ME","SM","MT"),("ME"),("ME")', Memories("ME", ("SM",))),
        ('("SM","SR"),("SM"),("SM")', Memories("SM", ("SR",))),
        ('("SM"),("ME"),("SM")', Memories("SM", (), ("ME", ""))),
        ("", None),
    ],
)
def test_one_memory_is_used_in_all_three_roles(offer: str, chosen: Memories | None) -> None:
    assert negotiation.memories(fields.offers(offer), ("SM", "ME", "MT")) == chosen


@pytest.mark.parametrize(
    ("text", "domain", "code", "temporary"),
    [
        ("+CME ERROR: 107", "CME", 107, False),
        ("+CME ERROR: GPRS services not allowed", "CME", 107, False),
        ("+CME ERROR: Congestion", "CME", 122, True),
        ("+CME ERROR: PLMN not allowed (#11)", "CME", 111, False),
        ("+CME ERROR: network personalisation PIN required", "CME", 40, False),
        ("+CME ERROR: phone-adaptor link reserved", "CME", 2, True),
        ("+CME ERROR: activation rejected, unspecified", "CME", 131, None),
        ("+CME ERROR: semantic error in the TFT operation", "CME", 141, False),
        ("+CME ERROR: service option not supported", "CME", 132, False),
        ("+CME ERROR: (U)SIM not inserted", "CME", 10, False),
        ("+CMS ERROR: (U)SIM busy", "CMS", 314, True),
        ("+CMS ERROR: PH-SIM PIN required", "CMS", 312, False),
        ("+CMS ERROR: no +CNMA acknowledgement expected", "CMS", 340, False),
    ],
)
def test_errors_in_words_are_known_however_they_are_spelt(
    text: str, domain: str, code: int, temporary: bool | None
) -> None:
    error = command_error("+X", text)
    assert (error.domain, error.code, error.temporary) == (domain, code, temporary)


@pytest.mark.parametrize(
    ("final", "temporary"),
    [
        ("+CMS ERROR: incorrect parameters", False),
        ("+CME ERROR: SMSC address unknown", False),
        ("+CMS ERROR: temporarily out of service due to other MT usage", True),
    ],
)
def test_words_of_the_other_table_tell_what_can_be_hoped_for(final: str, temporary: bool) -> None:
    error = command_error("+X", final)
    assert (error.code, error.temporary) == (None, temporary)
