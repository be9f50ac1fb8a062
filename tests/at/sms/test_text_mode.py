"""Text mode: header lines in all their shapes, bodies in every character set, sending."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from at.sms import (
    Address,
    Alphabet,
    Command,
    Concat,
    Dcs,
    DecodeError,
    Deliver,
    EncodeError,
    Enhanced,
    Pdu,
    Relative,
    StatusReport,
    Submit,
    Timestamp,
    UserData,
    decode,
    encode,
    segment,
)
from at.sms.alphabets import gsm7
from at.sms.text_mode.text import (
    Header,
    TextSubmit,
    body_ends,
    body_length,
    parse_header,
    read_text,
    write_text,
)
from tests.at.sms.strategies import gsm7_text

WHEN = datetime(2024, 2, 29, 12, 34, 56, tzinfo=timezone(timedelta(hours=1)))
STAMP = "24/02/29,12:34:56+04"
LATER = "24/02/29,12:35:00+04"
FULL = f'+CMGR: "REC UNREAD","+447700900123",,"{STAMP}",145,4,0,{{dcs}},"+447785016005",145,{{n}}'


def _deliver(pdu: Pdu) -> Deliver:
    assert isinstance(pdu.tpdu, Deliver)
    return pdu.tpdu


@pytest.mark.parametrize(
    ("line", "header"),
    [
        (
            f'+CMGR: ,"+44",,"{STAMP}"',
            Header("deliver", None, None, "+44", None, STAMP),
        ),
        (
            f'+CMGR: "","+44",,"{STAMP}"',
            Header("deliver", None, "", "+44", None, STAMP),
        ),
        (
            f'+CMGL: 3,,6,180,"2936",129,"{STAMP}","{LATER}",0',
            Header(
                "status-report",
                3,
                None,
                "2936",
                timestamp=STAMP,
                type_of_address=129,
                first_octet=6,
                reference=180,
                discharged=LATER,
                report_status=0,
            ),
        ),
        (
            f'+CMGR: "REC UNREAD","+44",,"{STAMP}"',
            Header("deliver", None, "REC UNREAD", "+44", None, STAMP),
        ),
        (
            f'+CMGR: "REC READ","+44","Smith, J","{STAMP}",145,4,0,0,"+4477",145,5\r\n',
            Header(
                "deliver",
                None,
                "REC READ",
                "+44",
                "Smith, J",
                STAMP,
                145,
                4,
                0,
                0,
                "+4477",
                145,
                5,
            ),
        ),
        (
            f'+CMGR:"REC READ","+44","{STAMP}",145,4,0,0,,,5',
            Header("deliver", None, "REC READ", "+44", None, STAMP, 145, 4, 0, 0, length=5),
        ),
        (
            f"+CMGR: REC READ,2936,,{STAMP},129,4,0,0,,,5",
            Header("deliver", None, "REC READ", "2936", None, STAMP, 129, 4, 0, 0, length=5),
        ),
        (
            f'+CMGL: 12,"REC READ","+44","Al","{STAMP}",145,5',
            Header("deliver", 12, "REC READ", "+44", "Al", STAMP, type_of_address=145, length=5),
        ),
        (
            '+CMGL: 1,"REC READ","+44",,',
            Header("deliver", 1, "REC READ", "+44"),
        ),
        (
            f'+CMT: "+44",,"{STAMP}"',
            Header("deliver", address="+44", timestamp=STAMP),
        ),
        (
            f'+CMT: "KORE","","{STAMP}",208,4,0,0,"+4477",145,5',
            Header("deliver", None, None, "KORE", None, STAMP, 208, 4, 0, 0, "+4477", 145, 5),
        ),
        (
            '+CMGR: "STO UNSENT","+44",,145,17,0,0,167,"+4477",145,5',
            Header(
                "submit",
                None,
                "STO UNSENT",
                "+44",
                None,
                None,
                145,
                17,
                0,
                0,
                "+4477",
                145,
                5,
                "167",
            ),
        ),
        (
            '+CMGR: "STO SENT","+44","Al",,145,17,0,0,,,,5',
            Header("submit", None, "STO SENT", "+44", "Al", None, 145, 17, 0, 0, length=5),
        ),
        ('+CMGL: 3,"STO SENT","+44",,', Header("submit", 3, "STO SENT", "+44")),
        (
            '+CMGL: 3,"STO SENT","+44",,,145,5',
            Header("submit", 3, "STO SENT", "+44", type_of_address=145, length=5),
        ),
        (
            f'+CDS: 6,42,"+44",145,"{STAMP}","{LATER}",0',
            Header(
                "status-report",
                address="+44",
                timestamp=STAMP,
                type_of_address=145,
                first_octet=6,
                reference=42,
                discharged=LATER,
                report_status=0,
            ),
        ),
        (
            f'+CDS: 6,42,"{STAMP}","{LATER}",48',
            Header(
                "status-report",
                timestamp=STAMP,
                first_octet=6,
                reference=42,
                discharged=LATER,
                report_status=48,
            ),
        ),
        (
            "+CDS: 6,42,,,,,0",
            Header("status-report", first_octet=6, reference=42, report_status=0),
        ),
        (
            f'+CMGL: 7,"REC UNREAD",6,42,"+44",145,"{STAMP}","{LATER}",0',
            Header(
                "status-report",
                7,
                "REC UNREAD",
                "+44",
                timestamp=STAMP,
                type_of_address=145,
                first_octet=6,
                reference=42,
                discharged=LATER,
                report_status=0,
            ),
        ),
        (
            '+CMGR: "STO SENT",2,1,0,4,"+44",145,2',
            Header(
                "command",
                None,
                "STO SENT",
                "+44",
                type_of_address=145,
                first_octet=2,
                pid=0,
                length=2,
                command_type=1,
                message_number=4,
            ),
        ),
        (
            '+CMGL: 2,"STO SENT",2,1',
            Header("command", 2, "STO SENT", first_octet=2, command_type=1),
        ),
        ('+CMGR: "REC READ",1,50,1,1,1', Header("broadcast", None, "REC READ", dcs=1)),
        ('+CMGL: 4,"REC READ",1,50,1,1', Header("broadcast", 4, "REC READ")),
    ],
)
def test_header_shape(line: str, header: Header) -> None:
    assert parse_header(line) == header


@pytest.mark.parametrize(
    "line",
    ["", "+CSQ: 1,2", "+CMGR: ", '+CMGL: "REC READ","+44"', '+CMGR: "REC', '+CMGR: "a"b,"c"'],
)
def test_line_that_is_no_header_is_an_error(line: str) -> None:
    with pytest.raises(DecodeError, match="header"):
        parse_header(line)


@pytest.mark.parametrize(
    ("dcs", "length", "body", "charset", "text"),
    [
        (0, 5, "hello", "GSM", "hello"),
        (0, 5, "hello", "IRA", "hello"),
        (0, 5, "68656C6C6F", "HEX", "hello"),
        (0, 5, "00680065006C006C006F", "UCS2", "hello"),
        (0, 4, "\0\x1be_", "GSM", "@€§"[:2] + "Δ"[:0] + gsm7.decode(b"_")),
        (0, 8, "OK\r\nlate", "GSM", "OK\r\nlate"),
        (0, 0, "", "IRA", ""),
        (0, 12, "a{}\r\nERROR", "IRA", "a{}\r\nERROR"),
        (0, 10, "a{}\r\nERROR", "IRA", "a{}\r\nERROR"),
        (0, 1, "Ã¤", "UTF-8", "ä"),
        (0, 1, "ä", "8859-1", "ä"),
        (8, 4, "04360021", "GSM", "ж!"),
        (8, 4, "04360021", "UCS2", "ж!"),
        (4, 2, "00FF", "IRA", None),
    ],
)
def test_body_in_a_character_set(
    dcs: int, length: int, body: str, charset: str, text: str | None
) -> None:
    header = parse_header(FULL.format(dcs=dcs, n=length))
    pdu = read_text(header, body, charset)
    deliver = _deliver(pdu)
    assert deliver.user_data.text == text
    assert pdu.flags == ()
    assert str(pdu.smsc) == "+447785016005"
    assert str(deliver.originator) == "+447700900123"
    assert deliver.timestamp.time == WHEN
    assert deliver.dcs == Dcs(dcs)
    assert body_ends(header, body, charset)
    least = body_length(header, charset)
    assert least is None or least <= len(body)


def test_text_mode_and_pdu_mode_give_the_same_value() -> None:
    told = Deliver(Address("447700900123"), Timestamp.of(WHEN), UserData(Alphabet.GSM7, b"hello"))
    shown = read_text(parse_header(FULL.format(dcs=0, n=5)), "hello", "GSM")
    assert shown == decode(encode(told, smsc=Address("447785016005")))


@pytest.mark.parametrize(
    ("dcs", "length", "body", "charset", "flags", "text"),
    [
        (8, 2, "ж".encode().decode("latin-1"), "UTF-8", ("hex",), "ж"),
        (4, 1, "\xff", "IRA", ("hex",), None),
        (0, 1, "0436", "UCS2", ("dcs",), "ж"),
    ],
)
def test_body_shown_otherwise_is_flagged(
    dcs: int, length: int, body: str, charset: str, flags: tuple[str, ...], text: str | None
) -> None:
    pdu = read_text(parse_header(FULL.format(dcs=dcs, n=length)), body, charset)
    assert pdu.flags == flags
    assert _deliver(pdu).user_data.text == text


@pytest.mark.parametrize(
    ("line", "body", "charset", "field"),
    [
        (FULL.format(dcs=0, n=9), "cut", "GSM", "text"),
        (FULL.format(dcs=0, n=9), "cut", "IRA", "text"),
        (FULL.format(dcs=0, n=1), "\xff", "GSM", "text"),
        (FULL.format(dcs=0, n=1), "xyz", "UCS2", "text"),
        (FULL.replace("145,4", "145,68").format(dcs=0, n=5), "hello", "GSM", "udh"),
        (FULL.replace("145,4", "145,68").format(dcs=0, n=0), "", "GSM", "udh"),
        (FULL.replace("145,4", "145,68").format(dcs=4, n=3), "050003", "GSM", "udh"),
        ('+CMGR: "REC READ",1,50,1,1,1', "x", "GSM", "header"),
        ("+CDS: 6,,,,,,0", "", "GSM", "header"),
        ('+CMGR: "STO SENT",2,1,0,4,"+44",145,2', "x", "GSM", "text"),
    ],
)
def test_message_that_cannot_be_recovered_is_an_error(
    line: str, body: str, charset: str, field: str
) -> None:
    with pytest.raises(DecodeError) as caught:
        read_text(parse_header(line), body, charset)
    assert caught.value.field == field


@pytest.mark.parametrize("dcs", [0, 4, 8])
def test_header_shown_in_hex_is_recovered(dcs: int) -> None:
    content = ("part of " * 30).encode() if dcs == 4 else "part of " * 30
    alphabet = {0: "gsm7", 4: "8bit", 8: "ucs2"}[dcs]
    part = segment(content, alphabet=alphabet, reference=7)[0]
    octets = encode(Submit(Address("1"), part))
    length, shown = octets[8], octets[9:].hex()
    line = FULL.replace("145,4", "145,68")
    pdu = read_text(parse_header(line.format(dcs=dcs, n=length)), shown, "IRA")
    assert _deliver(pdu).user_data == part
    assert pdu.flags == ()
    if dcs == 0:
        unsure = read_text(parse_header(line.format(dcs=dcs, n="")), shown, "IRA")
        assert _deliver(unsure).user_data == part
        assert unsure.flags == ("udl",)


def test_last_septet_of_zero_bits_is_filling_where_the_length_is_missing() -> None:
    concat = Concat(1, 2, 1, wide=True)
    part = UserData(Alphabet.GSM7, b"1234567", (concat.element,))
    octets = encode(Submit(Address("1"), part))
    line = FULL.replace("145,4", "145,68").format(dcs=0, n="")
    pdu = read_text(parse_header(line), octets[9:].hex(), "IRA")
    assert _deliver(pdu).user_data == part


def test_coding_that_is_not_shown_is_taken_for_text() -> None:
    header = parse_header(f'+CMGR: "REC READ","+44",,"{STAMP}"')
    pdu = read_text(header, "hello", "IRA")
    assert (_deliver(pdu).user_data.text, pdu.flags) == ("hello", ("dcs",))
    assert not _deliver(pdu).more
    wide = read_text(header, "0436", "UCS2")
    assert _deliver(wide).dcs == Dcs(8)
    assert body_length(header, "GSM") is None
    assert body_ends(header, "anything", "GSM")


@pytest.mark.parametrize(
    ("shown", "kind", "charset", "address"),
    [
        ("+44", "145", "GSM", Address("44")),
        ("+44", "", "GSM", Address("44")),
        ("44", "145", "GSM", Address("44")),
        ("+44", "129", "GSM", Address("44", "international", 1)),
        ("2936", "", "GSM", Address("2936", "unknown")),
        ("000", "129", "GSM", Address("000", "unknown")),
        ("0123", "161", "GSM", Address("0123", "national")),
        ("*1#A", "129", "IRA", Address("*1#a", "unknown")),
        ("KORE", "208", "GSM", Address("KORE", "alphanumeric", 0)),
        ("1234", "208", "GSM", Address("1234", "alphanumeric", 0)),
        ("KORE", "145", "GSM", Address("KORE", "alphanumeric", 0)),
        ("\0", "208", "GSM", Address("@", "alphanumeric", 0)),
        ("", "", "GSM", Address("", "unknown")),
        ("002B00340034", "145", "UCS2", Address("44")),
        ("004B004F", "208", "UCS2", Address("KO", "alphanumeric", 0)),
        ("+44", "145", "UCS2", Address("44")),
        ("2936", "129", "UCS2", Address("2936", "unknown")),
        ("12345", "129", "UCS2", Address("12345", "unknown")),
        ("KORE", "208", "UCS2", Address("KORE", "alphanumeric", 0)),
    ],
)
def test_address_as_shown(shown: str, kind: str, charset: str, address: Address) -> None:
    header = parse_header(f'+CMT: "{shown}",,"{STAMP}",{kind},4,0,4,,,1')
    assert _deliver(read_text(header, "00", charset)).originator == address


@pytest.mark.parametrize(
    ("shown", "iso", "flags"),
    [
        ("24/02/29,12:34:56+04", "2024-02-29T12:34:56+01:00", ()),
        ("24/02/29,12:34:56-20", "2024-02-29T12:34:56-05:00", ()),
        ("2024/2/9,1:2:3+00", "2024-02-09T01:02:03+00:00", ()),
        ("24/02/29,12:34:56", "2024-02-29T12:34:56+00:00", ("timestamp",)),
        ("24/02/30,12:34:56+00", None, ("timestamp",)),
        ("never", None, ("timestamp",)),
        ("", None, ("timestamp",)),
    ],
)
def test_time_as_shown(shown: str, iso: str | None, flags: tuple[str, ...]) -> None:
    header = parse_header(f'+CMT: "+44",,"{shown}",145,4,0,4,,,1')
    pdu = read_text(header, "00", "GSM")
    time = _deliver(pdu).timestamp.time
    assert (None if time is None else time.isoformat()) == iso
    assert pdu.flags == flags


def test_status_report_is_read() -> None:
    pdu = read_text(parse_header(f'+CDS: 34,42,"+44",145,"{STAMP}","{LATER}",0'), "", "GSM")
    assert pdu.tpdu == StatusReport(
        42,
        Address("44"),
        Timestamp.of(WHEN),
        Timestamp.of(WHEN + timedelta(seconds=4)),
        0,
        more=True,
        of_command=True,
    )
    broken = read_text(parse_header("+CDS: 6,42,,,,,0"), "", "GSM")
    assert broken.flags == ("timestamp",)
    assert body_length(parse_header("+CDS: 6,42,,,,,0"), "GSM") == 0


def test_command_is_read() -> None:
    pdu = read_text(parse_header('+CMGR: "STO SENT",34,2,0,4,"+44",145,2'), "0102", "GSM")
    assert pdu.tpdu == Command(0, 2, 4, Address("44"), data=b"\x01\x02", status_report_request=True)


@pytest.mark.parametrize(
    "validity", [None, Relative(167), Timestamp.of(WHEN), Enhanced.of(30, single_shot=True)]
)
def test_stored_submit_is_read_as_it_was_written(
    validity: Relative | Timestamp | Enhanced | None,
) -> None:
    submit = Submit(
        Address("447700900123"),
        UserData(Alphabet.GSM7, b"hello"),
        validity=validity,
        status_report_request=True,
    )
    written = write_text(submit, "IRA")
    first, rest = written.parameters.split(",", 1)
    period, pid, dcs = rest.rsplit(",", 2)
    line = (
        f'+CMGR: "STO SENT","{written.destination}",,{written.type_of_address},'
        f"{first},{pid},{dcs},{period},,,5"
    )
    assert read_text(parse_header(line), written.body.decode(), "IRA").tpdu == submit


def test_message_is_written_for_each_character_set() -> None:
    submit = Submit(Address("447700900123"), UserData(Alphabet.GSM7, gsm7.encode("a@")))
    assert write_text(submit, "GSM") == TextSubmit("1,,0,0", "+447700900123", 145, b"a\0")
    assert write_text(submit, "IRA").body == b"a@"
    assert write_text(submit, "HEX").body == b"6100"
    wide = write_text(submit, "UCS2")
    assert (wide.destination[:8], wide.body) == ("002B0034", b"00610040")
    binary = Submit(Address("1", "unknown"), UserData(Alphabet.OCTETS, b"\x1a\x1b"))
    assert write_text(binary, "GSM") == TextSubmit("1,,0,4", "1", 129, b"1A1B")
    part = UserData(Alphabet.GSM7, b"x", (Concat(1, 2, 1).element,))
    headed = write_text(Submit(Address("1", "unknown"), part), "GSM")
    assert (headed.parameters, headed.body[:12]) == ("65,,0,0", b"050003010201")


@pytest.mark.parametrize(
    ("text", "charset"), [("€", "GSM"), ("Ξ", "GSM"), ("ä", "IRA"), ("Δ", "8859-1")]
)
def test_body_that_would_end_the_prompt_or_has_no_characters_is_refused(
    text: str, charset: str
) -> None:
    submit = Submit(Address("1", "unknown"), UserData(Alphabet.GSM7, gsm7.encode(text)))
    with pytest.raises(EncodeError):
        write_text(submit, charset)


def test_period_that_says_no_time_is_refused() -> None:
    submit = Submit(
        Address("1", "unknown"), UserData(Alphabet.GSM7, b"x"), validity=Timestamp(bytes(7))
    )
    with pytest.raises(EncodeError, match="vp"):
        write_text(submit, "IRA")


def test_body_length_is_a_lower_bound() -> None:
    header = parse_header(FULL.format(dcs=0, n=9))
    assert body_length(header, "GSM") == 9
    assert body_length(header, "IRA") == 5
    assert body_length(header, "UCS2") is None
    assert body_length(parse_header(FULL.format(dcs=8, n=9)), "GSM") is None
    assert not body_ends(header, "short", "GSM")
    assert not body_ends(header, "short", "IRA")


@given(gsm7_text, st.sampled_from(["GSM", "HEX", "UCS2", "UTF-8"]))
def test_any_text_is_read_as_it_was_shown(text: str, charset: str) -> None:
    septets = gsm7.encode(text)
    shown = {
        "GSM": septets.decode("latin-1"),
        "HEX": septets.hex(),
        "UCS2": text.encode("utf-16-be").hex(),
        "UTF-8": text.encode().decode("latin-1"),
    }[charset]
    pdu = read_text(parse_header(FULL.format(dcs=0, n=len(septets))), shown, charset)
    assert _deliver(pdu).user_data == UserData(Alphabet.GSM7, septets)


@given(st.text(st.characters(max_codepoint=255), max_size=80), st.text(max_size=20))
def test_no_line_makes_it_raise_anything_else(line: str, body: str) -> None:
    for start in ("+CMGR: ", "+CMGL: 1,", "+CMT: ", "+CDS: "):
        try:
            header = parse_header(start + line)
            read_text(header, body, "GSM")
        except DecodeError:
            continue
        assert header.kind != "broadcast"
