"""Single fields: addresses, times, validity, header elements, status, causes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from at.sms import (
    Address,
    Alphabet,
    Command,
    Concat,
    Dcs,
    DecodeError,
    Deliver,
    DeliverReport,
    Element,
    EncodeError,
    Enhanced,
    Pdu,
    Ports,
    Relative,
    StatusReport,
    Submit,
    SubmitReport,
    Timestamp,
    UserData,
    decode,
    encode,
    tpdu_length,
)
from at.sms.elements import describe_element
from at.sms.explain import describe_validity, explain
from at.sms.fcs import describe_cause
from at.sms.pid import describe_pid, replace_type
from at.sms.status import describe_status, outcome
from at.sms.validity import decode_validity, encode_validity

NOW = Timestamp.of(datetime(2024, 2, 29, 12, 34, 56, tzinfo=timezone(timedelta(hours=-5))))
TEXT = UserData(Alphabet.GSM7, b"hello")
HERE = Address("2936", "unknown")


@pytest.mark.parametrize(
    ("text", "digits", "kind", "plan"),
    [
        ("+447700900123", "447700900123", "international", 1),
        ("000", "000", "unknown", 1),
        ("*100#", "*100#", "unknown", 1),
        ("KORE", "KORE", "alphanumeric", 0),
        ("+44x", "+44x", "alphanumeric", 0),
        ("7 eleven", "7 eleven", "alphanumeric", 0),
    ],
)
def test_address_as_a_person_writes_it(text: str, digits: str, kind: str, plan: int) -> None:
    address = Address.parse(text)
    assert address == Address(digits, kind, plan)
    assert str(address) == text


@pytest.mark.parametrize("text", ["", "1" * 21, "+" + "1" * 21, "twelve chars", "Ж"])
def test_address_that_no_field_holds_is_refused(text: str) -> None:
    with pytest.raises(EncodeError):
        Address.parse(text)


def test_type_of_address_octet() -> None:
    assert Address("44").type_of_address == 145
    assert HERE.type_of_address == 129
    assert Address("KORE", "alphanumeric", 0).type_of_address == 208


@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        (Address("1", "galactic"), "unknown kind"),
        (Address("1", "unknown", 16), "numbering plan"),
        (Address("1x", "unknown"), "at most 20"),
        (Address("1" * 21, "unknown"), "at most 20"),
        (Address("٣", "unknown"), "at most 20"),
        (Address("abcdefg@", "alphanumeric"), "filling"),
        (Address("€€€€€€", "alphanumeric"), "at most 11"),
    ],
)
def test_address_that_would_be_illegal_is_not_sent(address: Address, complaint: str) -> None:
    with pytest.raises(EncodeError, match=complaint) as caught:
        encode(Submit(address, TEXT))
    assert caught.value.field == "da" or "ud" in caught.value.field


@pytest.mark.parametrize("centre", [Address("", "unknown"), Address("KORE", "alphanumeric", 0)])
def test_service_centre_must_be_a_number(centre: Address) -> None:
    with pytest.raises(EncodeError, match="no number"):
        encode(Submit(HERE, TEXT), smsc=centre)


def test_trailing_at_of_a_seven_character_name_does_not_appear() -> None:
    deliver = Deliver(Address("KOREnet", "alphanumeric", 0), NOW, TEXT)
    pdu = decode(encode(deliver))
    assert str(pdu.tpdu.originator) == "KOREnet"  # type: ignore[union-attr]  # it is a Deliver
    assert pdu.flags == ()


@pytest.mark.parametrize(
    "time",
    [
        datetime(2024, 1, 1),  # noqa: DTZ001  # that is the point
        datetime(1989, 1, 1, tzinfo=UTC),
        datetime(2090, 1, 1, tzinfo=UTC),
        datetime(2024, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
        datetime(2024, 1, 1, tzinfo=timezone(timedelta(minutes=7))),
        datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=20))),
    ],
)
def test_time_that_the_field_cannot_say_is_refused(time: datetime) -> None:
    with pytest.raises(EncodeError, match="scts"):
        Timestamp.of(time)


def test_time_stamp_shows_itself() -> None:
    assert str(NOW) == "2024-02-29T12:34:56-05:00"
    assert str(Timestamp(bytes(7))) == "00000000000000"
    assert NOW.raw.hex() == "4220922143650a"
    with pytest.raises(DecodeError, match="need 7, have 2"):
        Timestamp(b"12")


@pytest.mark.parametrize(
    ("minutes", "octet", "offered"),
    [
        (1, 0, 5),
        (5, 0, 5),
        (6, 1, 10),
        (720, 143, 720),
        (721, 144, 750),
        (1440, 167, 1440),
        (1441, 168, 2880),
        (43200, 196, 43200),
        (43201, 197, 50400),
        (635040, 255, 635040),
    ],
)
def test_relative_validity_is_never_shorter_than_asked(
    minutes: int, octet: int, offered: int
) -> None:
    assert Relative.of(minutes) == Relative(octet)
    assert Relative(octet).minutes == offered


@pytest.mark.parametrize("minutes", [0, -5, 635041])
def test_relative_validity_has_limits(minutes: int) -> None:
    with pytest.raises(EncodeError, match="vp"):
        Relative.of(minutes)


@pytest.mark.parametrize(
    ("raw", "seconds", "single_shot"),
    [
        ("00000000000000", None, False),
        ("40000000000000", None, True),
        ("010b0000000000", 3600, False),
        ("021e0000000000", 30, False),
        ("03214365000000", 12 * 3600 + 34 * 60 + 56, False),
        ("03fa4365000000", None, False),
        ("04000000000000", None, False),
        ("82001e00000000", 30, False),
        ("83ffffff210000", None, False),
    ],
)
def test_enhanced_validity(raw: str, seconds: int | None, single_shot: bool) -> None:
    validity = Enhanced(bytes.fromhex(raw))
    assert (validity.seconds, validity.single_shot) == (seconds, single_shot)


def test_enhanced_validity_in_seconds() -> None:
    assert Enhanced.of(30, single_shot=True) == Enhanced(bytes.fromhex("421e0000000000"))
    assert Enhanced.of(45296) == Enhanced(bytes.fromhex("03214365000000"))
    for seconds in (0, 360000):
        with pytest.raises(EncodeError, match="vp"):
            Enhanced.of(seconds)


def test_validity_in_words() -> None:
    assert describe_validity(Relative(0)) == "5 minutes"
    assert describe_validity(Enhanced.of(30, single_shot=True)) == "30 seconds, one attempt"
    assert describe_validity(Enhanced(bytes(7))) == "no period"
    assert describe_validity(NOW) == "until 2024-02-29T12:34:56-05:00"


def test_validity_that_is_no_octets_is_not_sent() -> None:
    for validity in (
        Relative(256),
        Enhanced(b""),
        Enhanced(bytes.fromhex("04000000000000")),
        Enhanced(bytes.fromhex("81000000000000")),
        Enhanced(bytes.fromhex("03fa0000000000")),
        Timestamp(bytes(7)),
    ):
        with pytest.raises(EncodeError, match="vp"):
            encode_validity(validity)
    assert decode_validity(b"", 0, 0, []) == (None, 0)


@pytest.mark.parametrize(
    "udh",
    [
        (Concat(256, 2, 1),),
        (Concat(0x10000, 2, 1, wide=True),),
        (Concat(1, 2, 3),),
        (Concat(1, 0, 0),),
        (Concat(1, 256, 1),),
        (Ports(256, 1, wide=False),),
        (Ports(0x10000, 1),),
    ],
)
def test_element_out_of_range_is_refused(udh: tuple[Concat | Ports, ...]) -> None:
    with pytest.raises(EncodeError, match="udh"):
        _ = [part.element for part in udh]


@pytest.mark.parametrize(
    "udh",
    [
        (Element(256, b""),),
        (Element(10, bytes(138)),),
        (Element(10, bytes(70)), Element(10, bytes(70))),
        (Element(0, b"\x01\x02"),),
        (Element(0, b"\x01\x02\x03"),),
        (Concat(1, 2, 1).element, Concat(1, 2, 2).element),
    ],
)
def test_header_that_receivers_must_ignore_is_not_sent(udh: tuple[Element, ...]) -> None:
    with pytest.raises(EncodeError, match="udh"):
        encode(Submit(HERE, UserData(Alphabet.GSM7, b"", udh)))


def test_last_element_of_a_kind_counts() -> None:
    udh = (
        Element(0, b"\x01\x02\x01"),
        Element(8, b"\0\x07\x03\x02"),
        Element(5, b"\0\x01\0\x02"),
        Element(4, b"\x03\x04"),
        Element(5, b"\0"),
        Element(4, b""),
        Element(0x24, b"\x01"),
        Element(0x24, b"\x02"),
        Element(0x25, b""),
        Element(0x25, b"\x03"),
    )
    user_data = UserData(Alphabet.GSM7, b"", udh)
    assert user_data.concat == Concat(7, 3, 2, wide=True)
    assert user_data.ports == Ports(3, 4, wide=False)
    assert (user_data.locking, user_data.single) == (3, 2)
    assert (TEXT.concat, TEXT.ports, TEXT.locking, TEXT.single) == (None, None, 0, 0)


@pytest.mark.parametrize(
    ("element", "words"),
    [
        (Element(0, b"\x07\x03\x02"), "part 2 of 3, reference 7"),
        (Element(0, b""), "concatenation, 8 bit reference"),
        (Element(5, b"\x0b\x84\x23\xf0"), "to port 2948, from port 9200"),
        (Element(4, b""), "application ports, 8 bit"),
        (Element(0x25, b"\x01"), "national language locking shift: Turkish"),
        (Element(0x24, b"\x7f"), "national language single shift"),
        (Element(0x22, b""), "reply address"),
        (Element(0x99, b""), "unknown element"),
    ],
)
def test_element_in_words(element: Element, words: str) -> None:
    assert describe_element(element) == words


def test_user_data_must_agree_with_its_coding() -> None:
    with pytest.raises(EncodeError, match="does not say gsm7"):
        encode(Submit(HERE, TEXT, dcs=Dcs(8)))
    with pytest.raises(EncodeError, match="not UTF-16"):
        encode(Submit(HERE, UserData(Alphabet.UCS2, b"\xd8\x00")))
    with pytest.raises(EncodeError, match="at most 140"):
        encode(Submit(HERE, UserData(Alphabet.OCTETS, bytes(141))))
    with pytest.raises(EncodeError, match="at most 140"):
        encode(Submit(HERE, UserData(Alphabet.GSM7, bytes(161))))


def test_reserved_coding_is_read_but_not_sent() -> None:
    with pytest.raises(EncodeError, match="0x80 is reserved"):
        encode(Submit(HERE, TEXT, dcs=Dcs(0x80)))
    octets = bytearray(encode(Submit(HERE, TEXT)))
    octets[8] = 0x80
    assert decode(bytes(octets)).tpdu == Submit(HERE, TEXT, dcs=Dcs(0x80))


def test_reserved_form_of_an_enhanced_period_is_flagged() -> None:
    octets = encode(Submit(HERE, TEXT, validity=Enhanced.of(30)))
    assert decode(octets).flags == ()
    assert decode(octets.replace(b"\x02\x1e", b"\x05\x1e")).flags == ("vp",)


def test_fields_above_an_octet_are_not_sent() -> None:
    for wrong in (
        Submit(HERE, TEXT, reference=256),
        Submit(HERE, TEXT, pid=-1),
        Command(0, 256, 0, HERE),
        Command(0, 0, 0, HERE, data=bytes(158)),
        DeliverReport(0x7F),
        SubmitReport(NOW, pid=300),
    ):
        with pytest.raises(EncodeError):
            encode(wrong)


def test_default_coding_follows_the_alphabet() -> None:
    assert Deliver(HERE, NOW, UserData(Alphabet.UCS2, b"")).dcs == Dcs(8)
    assert Submit(HERE, UserData(Alphabet.OCTETS, b"")).dcs == Dcs(4)
    assert Submit(HERE, TEXT).dcs == Dcs(0)


def test_length_for_the_modem_leaves_out_the_centre() -> None:
    pdu = encode(Submit(HERE, TEXT), smsc=Address("447785016005"))
    assert tpdu_length(pdu) == tpdu_length(encode(Submit(HERE, TEXT))) == len(pdu) - 8
    bare = decode(pdu[8:], smsc=False, length=tpdu_length(pdu))
    assert bare == Pdu(None, Submit(HERE, TEXT), ())
    assert decode(pdu[8:], smsc=False, length=3).flags == ("length",)


@pytest.mark.parametrize(
    ("status", "words", "result"),
    [
        (0x00, "transaction completed: received by the recipient", "delivered"),
        (0x10, "transaction completed", "delivered"),
        (0x21, "temporary error, the centre still tries: recipient busy", "trying"),
        (
            0x46,
            "permanent error, the centre does not try any more: validity period expired",
            "failed",
        ),
        (0x7F, "temporary error, the centre does not try any more", "failed"),
        (0x80, "reserved", "failed"),
    ],
)
def test_status_in_words(status: int, words: str, result: str) -> None:
    assert describe_status(status) == words
    assert outcome(status) == result


@pytest.mark.parametrize(
    ("pid", "words"),
    [
        (0x00, "short message"),
        (0x05, "SM-AL protocol 5"),
        (0x20, "telematic interworking, implicit"),
        (0x32, "telematic interworking, Internet electronic mail"),
        (0x38, "telematic interworking, specific to the centre"),
        (0x33, "telematic interworking, reserved"),
        (0x40, "short message type 0"),
        (0x41, "replace short message type 1"),
        (0x47, "replace short message type 7"),
        (0x5F, "return call message"),
        (0x60, "reserved"),
        (0x7F, "(U)SIM data download"),
        (0xC0, "for the centre's own use"),
    ],
)
def test_protocol_identifier_in_words(pid: int, words: str) -> None:
    assert describe_pid(pid) == words
    assert (replace_type(pid) is not None) == words.startswith("replace")


def test_causes_in_words() -> None:
    assert describe_cause(0xD3) == "memory capacity exceeded"
    assert describe_cause(0xE5) == "specific to an application"
    assert describe_cause(0xDF) == "reserved"


@pytest.mark.parametrize(
    ("tpdu", "direction", "said"),
    [
        (
            Deliver(HERE, NOW, TEXT, more=True, loop=True, reply_path=True, status_report=True),
            "mt",
            ["more messages wait", "forwarded", "sender gets a report", "reply path", "'hello'"],
        ),
        (
            Submit(
                HERE,
                UserData(Alphabet.OCTETS, b"x", (Concat(1, 2, 1).element,)),
                validity=NOW,
                status_report_request=True,
                reject_duplicates=True,
            ),
            "mo",
            ["reject duplicates", "report requested", "until 2024", "part 1 of 2", "data"],
        ),
        (Submit(HERE, UserData(Alphabet.GSM7, b""), validity=Relative(0)), "mo", ["5 minutes"]),
        (
            StatusReport(1, HERE, NOW, NOW, 0, of_command=True, pid=0x40, dcs=Dcs(4)),
            "mt",
            ["about a command", "TP-PID, TP-DCS", "type 0", "8bit"],
        ),
        (StatusReport(1, HERE, NOW, NOW, 0, user_data=TEXT), "mt", ["follow: TP-UD", "hello"]),
        (
            Command(1, 2, 3, HERE, data=b"x", udh=(Element(0x22, b""),)),
            "mo",
            ["delete message", "reply address", "command data"],
        ),
        (Command(1, 99, 3, HERE), "mo", ["centre-specific", "0 octets"]),
        (DeliverReport(0xD3), "mo", ["memory capacity exceeded", "nothing follows"]),
        (SubmitReport(Timestamp(bytes(7)), pid=0), "mt", ["no valid time", "follow: TP-PID"]),
    ],
)
def test_every_octet_is_explained(tpdu: object, direction: str, said: list[str]) -> None:
    octets = encode(tpdu)  # type: ignore[arg-type]  # parametrized
    pdu = decode(octets, direction=direction)  # type: ignore[arg-type]  # parametrized
    fields = explain(octets, pdu)
    assert b"".join(field.octets for field in fields) == octets
    words = " | ".join(field.meaning for field in fields)
    for phrase in said:
        assert phrase in words


def test_extended_indicator_and_tail_are_explained() -> None:
    octets = encode(StatusReport(1, HERE, NOW, NOW, 0)) + bytes.fromhex("800055")
    pdu = decode(octets)
    assert pdu.flags == ("trailing",)
    assert [field.octets.hex() for field in explain(octets, pdu)][-2:] == ["8000", "55"]


@pytest.mark.parametrize("tail", ["ff", "ffffff", "01", "ffff7f"])
def test_filling_of_a_status_report_is_explained_as_such(tail: str) -> None:
    octets = encode(StatusReport(1, HERE, NOW, NOW, 0)) + bytes.fromhex(tail)
    pdu = decode(octets)
    assert pdu.tpdu == StatusReport(1, HERE, NOW, NOW, 0)
    assert pdu.flags == ("pi",)
    *_, last = explain(octets, pdu)
    assert (last.octets.hex(), last.meaning) == (tail, "behind the end")


@pytest.mark.parametrize(
    ("header", "stray"),
    [
        ((), False),
        ((Element(0x22, b""),), False),
        ((Element(0, bytes((7, 2, 1))),), False),
        ((Element(0, bytes(3)),), False),
        ((Element(8, bytes(4)), Element(0x22, b"")), False),
        ((Element(0, bytes((7, 2, 3))),), True),
        ((Element(8, bytes((0, 7, 2, 0))),), True),
        ((Element(0, bytes((7,))),), True),
    ],
)
def test_an_ignored_concatenation_that_tells_of_parts_is_that_of_a_stray_part(
    header: tuple[Element, ...], stray: bool
) -> None:
    assert UserData(Alphabet.GSM7, b"", header).is_stray_part is stray


def test_empty_header_is_no_header() -> None:
    submit = encode(Submit(HERE, TEXT))
    octets = bytearray(submit)
    octets[1] |= 0x40
    octets[-6:] = bytes.fromhex("0500") + octets[-4:]
    assert decode(bytes(octets)).tpdu.user_data.udh == ()  # type: ignore[union-attr]  # a Submit


def test_reserved_cause_and_long_command_data_are_flagged() -> None:
    assert decode("00000500", direction="mo", rp="error").flags == ("fcs",)
    long = "000201000000" + "028121" + "9E" + "00" * 158
    assert decode(long, direction="mo").flags == ("cdl",)
