"""`modem-agent pdu` as a program: what it prints and with which status it ends."""

from __future__ import annotations

import argparse
import io
import json
import sys
from typing import Any

import pytest

from agent.cli.pdu import add_parser
from at.sms import (
    Address,
    Alphabet,
    Command,
    Concat,
    Dcs,
    Deliver,
    DeliverReport,
    Element,
    Enhanced,
    Ports,
    Relative,
    StatusReport,
    Submit,
    SubmitReport,
    Timestamp,
    UserData,
    decode,
    encode,
)

HELLO = "07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07"
STAMP = Timestamp(bytes.fromhex("20806291731408"))
HERE = Address("2936", "unknown")
TEXT = UserData(Alphabet.GSM7, b"hello")


def _run(*argv: str) -> int:
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    options = parser.parse_args(["pdu", *argv])
    status: int = options.func(options)
    return status


def _json(capsys: pytest.CaptureFixture[str], *argv: str) -> list[dict[str, Any]]:
    assert _run(*argv) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_deliver_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert _json(capsys, "decode", HELLO, "--json") == [
        {
            "type": "deliver",
            "smsc": "+31624000000",
            "originator": "+31641600986",
            "address_type": "international",
            "timestamp": "2002-08-26T19:37:41+00:00",
            "pid": 0,
            "dcs": 0,
            "alphabet": "gsm7",
            "class": None,
            "text": "How are you?",
            "udh": [],
            "concat": None,
            "ports": None,
            "more": False,
            "reply_path": False,
            "status_report": False,
            "flags": [],
        }
    ]


@pytest.mark.parametrize(
    ("tpdu", "options", "wanted"),
    [
        (
            Deliver(
                Address("KORE", "alphanumeric", 0),
                Timestamp(bytes(7)),
                UserData(
                    Alphabet.OCTETS,
                    b"\x01\xff",
                    (Concat(7, 3, 2).element, Ports(2948, 9200).element),
                ),
                dcs=Dcs(0xF5),
            ),
            [],
            {
                "originator": "KORE",
                "address_type": "alphanumeric",
                "smsc": None,
                "timestamp": None,
                "timestamp_raw": "00000000000000",
                "alphabet": "8bit",
                "class": 1,
                "data": "01FF",
                "udh": [{"iei": 0, "data": "070302"}, {"iei": 5, "data": "0B8423F0"}],
                "concat": {"reference": 7, "total": 3, "sequence": 2},
                "ports": {"destination": 2948, "source": 9200},
                "flags": ["timestamp"],
            },
        ),
        (
            Submit(HERE, TEXT, 5, validity=Relative(11), status_report_request=True),
            [],
            {
                "type": "submit",
                "destination": "2936",
                "address_type": "unknown",
                "reference": 5,
                "validity": 60,
                "status_report": True,
            },
        ),
        (Submit(HERE, TEXT, validity=STAMP), [], {"validity": "2002-08-26T19:37:41+00:00"}),
        (Submit(HERE, TEXT, validity=Enhanced.of(30)), [], {"validity": "30 seconds"}),
        (Submit(HERE, TEXT), ["--mo"], {"validity": None, "text": "hello"}),
        (
            StatusReport(9, HERE, STAMP, STAMP, 0x46),
            [],
            {
                "type": "status-report",
                "recipient": "2936",
                "reference": 9,
                "discharge": "2002-08-26T19:37:41+00:00",
                "status": 0x46,
                "pid": None,
                "dcs": None,
            },
        ),
        (
            StatusReport(9, HERE, STAMP, STAMP, 0, dcs=Dcs(4)),
            ["--mt"],
            {"dcs": 4},
        ),
        (
            StatusReport(9, HERE, STAMP, STAMP, 0, user_data=TEXT),
            [],
            {"pid": None, "dcs": None, "alphabet": "gsm7", "text": "hello"},
        ),
        (
            Command(1, 2, 3, HERE, 0, b"\xab", (Element(0x22, b"\x01"),)),
            ["--mo"],
            {
                "type": "command",
                "command": 2,
                "message": 3,
                "data": "AB",
                "udh": [{"iei": 0x22, "data": "01"}],
            },
        ),
        (
            DeliverReport(0xD3, user_data=TEXT),
            ["--mo", "--rp", "error"],
            {"type": "deliver-report", "failure": 0xD3, "text": "hello", "dcs": None},
        ),
        (
            SubmitReport(STAMP, pid=1),
            ["--mt", "--rp", "ack"],
            {"type": "submit-report", "failure": None, "pid": 1},
        ),
    ],
)
def test_every_type_as_json(
    tpdu: Deliver, options: list[str], wanted: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    (found,) = _json(capsys, "decode", encode(tpdu).hex(), *options)
    assert {key: found[key] for key in wanted} == wanted


def test_validity_that_is_no_time_is_null(capsys: pytest.CaptureFixture[str]) -> None:
    octets = encode(Submit(HERE, TEXT, validity=STAMP))
    (found,) = _json(capsys, "decode", octets.replace(STAMP.raw, bytes(7)).hex())
    assert (found["validity"], found["flags"]) == (None, ["timestamp"])


def test_no_smsc_and_length(capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = _json(capsys, "decode", HELLO[16:], "--no-smsc", "--length", "30")
    assert (found["smsc"], found["text"], found["flags"]) == (None, "How are you?", [])


def test_fields_for_a_person(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("decode", HELLO + "FF", "--human") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "TP-OA" in lines[2]
    assert "0B 91 13 46 61 00 89 F6" in lines[2]
    assert "+31641600986 (international)  [23.040 9.2.3.7]" in lines[2]
    assert any("'How are you?'" in line for line in lines)
    assert lines[-1].split() == ["tolerated", "trailing"]


def test_long_fields_go_on_below(capsys: pytest.CaptureFixture[str]) -> None:
    octets = encode(Submit(HERE, UserData(Alphabet.OCTETS, bytes(range(30)))))
    assert _run("decode", octets.hex(), "--human") == 0
    assert "0C 0D 0E 0F" in capsys.readouterr().out


def test_undecodable_pdu_ends_with_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("decode", HELLO[:-2], "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["field"], found["offset"]) == ("ud", 27)
    assert "need 11, have 10" in found["error"]
    assert _run("decode", "zz", "--human") == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "no hex digit" in captured.err


def test_batch_gives_a_line_for_a_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = f"{HELLO}\n\xff\n\n{HELLO.lower()}".encode("latin-1")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines)))
    assert _run("decode", "--batch") == 1
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [entry.get("text") for entry in found] == ["How are you?", None, None, "How are you?"]
    assert [entry.get("field") for entry in found] == [None, "hex", "smsc", None]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(HELLO.encode())))
    assert _run("decode", "--batch") == 0


@pytest.mark.parametrize("argv", [["decode"], ["decode", HELLO, "--batch"]])
def test_either_a_pdu_or_a_batch(argv: list[str]) -> None:
    assert _run(*argv) == 2


def test_encode_one_segment(capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = _json(
        capsys,
        *("encode", "--to", "+46708251358", "--text", "hellohello", "--validity", "5760"),
    )
    assert found == {"pdu": "0011000B916407281553F80000AA0AE8329BFD4697D9EC37"} | {
        "length": 23,
        "septets": 10,
    }


def test_encode_data_with_everything(capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = _json(
        capsys,
        *("encode", "--to", "2936", "--data", "01ff", "--class", "1", "--report"),
        *("--smsc", "+447785016005"),
    )
    pdu = decode(found["pdu"])
    assert str(pdu.smsc) == "+447785016005"
    assert found["octets"] == 2
    assert found["length"] == len(found["pdu"]) // 2 - 8
    assert pdu.tpdu == Submit(
        HERE,
        UserData(Alphabet.OCTETS, b"\x01\xff"),
        dcs=Dcs(0x15),
        status_report_request=True,
    )


@pytest.mark.parametrize("reference", [7, 700, None])
def test_encode_several_segments(reference: int | None, capsys: pytest.CaptureFixture[str]) -> None:
    more = [] if reference is None else ["--reference", str(reference)]
    found = _json(capsys, "encode", "--to", "+44", "--text", "x" * 200, *more)
    parts = [decode(entry["pdu"]).tpdu for entry in found]
    concats = [part.user_data.concat for part in parts if isinstance(part, Submit)]
    assert [concat and concat.sequence for concat in concats] == [1, 2]
    if reference is not None:
        assert {concat and concat.reference for concat in concats} == {reference}
    assert found[0]["septets"] == 160


@pytest.mark.parametrize(
    ("options", "alphabet", "text"),
    [
        (["--text", "ж"], Alphabet.UCS2, "ж"),
        (["--text", "ж", "--transliterate"], Alphabet.GSM7, "zh"),
        (["--text", "a", "--alphabet", "ucs2"], Alphabet.UCS2, "a"),
        (["--text", "ğ" * 80, "--languages", "auto"], Alphabet.GSM7, "ğ" * 80),
        (["--text", "ping", "--alphabet", "8bit"], Alphabet.OCTETS, None),
    ],
)
def test_encode_in_an_alphabet(
    options: list[str], alphabet: Alphabet, text: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    (found,) = _json(capsys, "encode", "--to", "+44", *options)
    tpdu = decode(found["pdu"]).tpdu
    assert isinstance(tpdu, Submit)
    assert (tpdu.user_data.alphabet, tpdu.user_data.text) == (alphabet, text)


@pytest.mark.parametrize(
    ("options", "status"),
    [
        (["--text", "ж", "--alphabet", "gsm7"], 1),
        (["--text", "a", "--validity", "0"], 1),
        (["--data", "0g"], 2),
        (["--data", "01", "--alphabet", "ucs2"], 2),
    ],
)
def test_what_cannot_be_encoded(
    options: list[str], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run("encode", "--to", "+44", *options) == status
    assert capsys.readouterr().err.startswith("modem-agent pdu encode: ")


@pytest.mark.parametrize("option", ["--to", "--smsc"])
@pytest.mark.parametrize("mistake", ["0171,123", "KORE", "+44 (0)77"])
def test_what_is_no_number_is_not_encoded_as_a_name(
    option: str, mistake: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run("encode", "--to", "1", "--text", "a", option, mistake) == 1
    assert "not a number" in capsys.readouterr().err


def test_recipient_is_read_as_people_write_it(capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = _json(capsys, "encode", "--to", "0171-123456", "--text", "a")
    assert found["pdu"].startswith("0001000A811017214365")


@pytest.mark.parametrize("options", [["--to", "+44"], ["--to", "1", "--text", "a", "--class", "4"]])
def test_wrong_usage_ends_with_two(options: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        _run("encode", *options)
    assert ended.value.code == 2
