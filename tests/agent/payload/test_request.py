"""Which of the four forms a body has, and the SID in front of it or behind it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.payload.request import (
    EVERY_COMMAND,
    MAX_OCTETS,
    Reading,
    Refusal,
    Request,
    from_words,
    read,
    text_of,
)

KNOWN = frozenset({"ping", "reboot", "set", "get", "sms", "modem-reset", "restart_vpn"})
SID = "DC0123456789abcdefABCDEF0123456789"
OTHER = "HC" + "7" * 32


def reading(body: str, *, cut_risk: bool = False) -> Reading:
    return read(body, known=KNOWN, cut_risk=cut_risk)


def request(body: str) -> Request:
    got = reading(body)
    assert got.request is not None, got
    assert got.refusal is None
    return got.request


def refusal(body: str, *, cut_risk: bool = False) -> Refusal:
    got = reading(body, cut_risk=cut_risk)
    assert got.refusal is not None, got
    assert got.request is None
    return got.refusal


# The four forms of the contract.


def test_json_command() -> None:
    got = request('{"cmd":"reboot","args":{"delay":5},"id":"7f3a"}')
    assert got == Request("reboot", {"delay": "5"}, id="7f3a")
    assert got.form == "json"


def test_json_properties() -> None:
    got = request('{"enable":"True","reset":"False","when":"Immediate"}')
    args = {"enable": "True", "reset": "False"}
    assert got == Request("set", args, when="Immediate", properties=True)


def test_line_command() -> None:
    got = request("reboot delay=5 id=7f3a")
    assert got == Request("reboot", {"delay": "5"}, id="7f3a")
    assert got.form == "line"


def test_line_properties() -> None:
    got = request("enable=True reset=False when=Immediate")
    args = {"enable": "True", "reset": "False"}
    assert got == Request("set", args, when="Immediate", properties=True)


def test_the_platform_documents_own_payload_with_a_capital_when() -> None:
    got = request('{"enable":"True", "reset":"False","When":"Immediate"}')
    assert got.when == "Immediate"
    assert got.args == {"enable": "True", "reset": "False"}


# Which form.


@pytest.mark.parametrize("body", ["ping", "PING", "Ping", " \r\n ping\t", "ping;", "ping ; tail"])
def test_a_known_first_word_in_any_case_is_a_command(body: str) -> None:
    assert request(body) == Request("ping")


@pytest.mark.parametrize(
    "body", ["reboot now", "reboot delay", "reboot delay=5 now", "reboot =5", "reboot a+b=5"]
)
def test_after_a_known_command_anything_but_key_value_is_bad_args(body: str) -> None:
    assert refusal(body).reason == "bad-args"


@pytest.mark.parametrize("body", ["fly high=1", "FLY high=1 fast=no", "flÿ high=1; and more"])
def test_an_unknown_first_word_before_key_value_words_is_an_unknown_command(body: str) -> None:
    assert refusal(body).reason == "unknown-command"


def test_an_unknown_command_is_named() -> None:
    assert refusal("Fly high=1") == Refusal("unknown-command", "Fly")


@pytest.mark.parametrize(
    "body",
    [
        "",
        " ",
        ";",
        "; ping",
        "hello",
        "hello world",
        "your balance is 5",
        "fly high=1 now",
        "enable=True please",
        "=5",
        "a=b=c",
        'say="unclosed',
        '"ping"',
        "a+b=c",
        "[1, 2]",
        "p\u0131ng",
        "\u212aey",
        "ping! a=b c",
    ],
)
def test_everything_else_is_no_command_and_no_error(body: str) -> None:
    assert reading(body) == Reading()
    assert not reading(body).is_command


@pytest.mark.parametrize("body", ["{", "{ping", "{}x", "{'cmd': 'ping'}", '{"cmd":"ping"'])
def test_what_starts_with_a_brace_is_json_or_a_parse_error(body: str) -> None:
    assert refusal(body).reason == "parse"


def test_the_command_may_stand_under_its_key_in_line_form_too() -> None:
    assert request("cmd=reboot delay=5") == request("reboot delay=5")


@pytest.mark.parametrize("body", ["{}", '{"id":"7"}', "id=7", "when=Immediate reply=sms"])
def test_reserved_keys_alone_ask_for_nothing(body: str) -> None:
    assert refusal(body) == Refusal("parse", "cmd")


# The SID.


@pytest.mark.parametrize(
    "body",
    [
        f"{SID} reboot delay=5",
        f"reboot delay=5 {SID}",
        f"  {SID.lower()}\nreboot delay=5\t",
        f"reboot delay=5;\u00a0{SID.upper()}\r\n",
        f"reboot delay=5 ; call me {SID}",
        f"{SID} reboot delay=5 {SID}",
        f"{SID.lower()} reboot delay=5 {SID.upper()}",
    ],
)
def test_a_sid_at_either_end_is_taken_off_and_upper_cased(body: str) -> None:
    got = reading(body)
    assert got.sid == SID.upper()
    assert got.request == Request("reboot", {"delay": "5"})
    assert got.id is None


def test_hc_is_a_sid_as_dc_is() -> None:
    assert reading(f"{OTHER.lower()} ping").sid == OTHER


def test_json_has_its_sid_taken_off_as_well() -> None:
    assert reading('{"cmd":"ping"} ' + SID).sid == SID.upper()
    assert reading(SID + ' {"cmd":"ping"}').request == Request("ping")


def test_the_payloads_own_id_stands_beside_the_sid() -> None:
    got = reading(f"{SID} ping id=7")
    assert (got.sid, got.id) == (SID.upper(), "7")


def test_differing_sids_at_both_ends_are_refused() -> None:
    got = reading(f"{SID} ping id=7 {OTHER}")
    assert got == Reading(sid=None, id="7", refusal=Refusal("parse", "sid"))


@pytest.mark.parametrize("digits", range(16, 32))
@pytest.mark.parametrize("prefix", ["DC", "dc", "HC", "hC"])
def test_a_cut_sid_at_the_end_is_refused(prefix: str, digits: int) -> None:
    cut = prefix + "0123456789abcdefABCDEF012345678"[:digits]
    assert refusal(f"reboot delay=5 {cut}") == Refusal("parse", "sid")
    assert refusal(f"hello there {cut}") == Refusal("parse", "sid")
    assert refusal('{"cmd":"ping"} ' + cut) == Refusal("parse", "sid")


def test_a_cut_sid_leaves_the_id_and_the_other_sid_legible() -> None:
    got = reading(f"{SID} ping id=7 DC0123456789abcdef0")
    assert (got.sid, got.id) == (SID.upper(), "7")
    assert got.refusal == Refusal("parse", "sid")


@pytest.mark.parametrize("body", [SID, f" {SID.lower()} ", f"{SID} {SID}", f"{SID} hello"])
def test_a_sid_alone_or_with_free_text_is_no_command_but_known(body: str) -> None:
    assert reading(body) == Reading(sid=SID.upper())


@pytest.mark.parametrize(
    "body",
    [
        f"{SID}ping",  # not parted by white space
        f"ping{SID}",
        f"{SID}0 ping",  # 33 digits
        f"ping AC{'1' * 32}",
        f"DC{'1' * 15} ping",
        f"DC{'1' * 31} ping",  # a cut one stands at the end only
        f"D\u216d{'1' * 32} ping",
        "DC" + "\u0661" * 32 + " ping",
    ],
)
def test_what_only_looks_like_a_sid_stays_text(body: str) -> None:
    got = reading(body)
    assert got.sid is None
    assert got.request is None


def test_only_one_sid_is_taken_off_an_end() -> None:
    assert reading(f"{SID} {SID} ping") == Reading(sid=SID.upper())


# Limits of the whole body.


def test_a_body_of_eight_kib_is_read_and_one_more_octet_is_not() -> None:
    body = "ping ;" + "x" * (MAX_OCTETS - 6)
    assert request(body) == Request("ping")
    assert refusal(body + "x") == Refusal("parse", "size")
    assert refusal('{"cmd":"ping"};' + "x" * MAX_OCTETS) == Refusal("parse", "size")


def test_octets_are_counted_not_characters() -> None:
    assert refusal("ping ;" + "é" * (MAX_OCTETS // 2)) == Refusal("parse", "size")


def test_long_free_text_is_still_free_text() -> None:
    assert not reading("hello " * MAX_OCTETS).is_command


# 8-bit messages.


def test_an_8_bit_message_is_utf_8_text_or_none() -> None:
    assert text_of("ping é".encode()) == "ping é"
    assert text_of(b"\xef\xbb\xbfping") == "ping"
    assert text_of(b"\xff\x00\x01") is None
    assert text_of(b"\xed\xa0\x80") is None


# Argument vectors of a shell.


def test_words_of_a_shell_are_quoted_again() -> None:
    words = ["sms", "to=+44123", "text=hello; world", 'x="a b"', "y="]
    assert from_words(words) == 'sms to=+44123 text="hello; world" x="a b" y=""'
    assert from_words(['{"cmd": "ping"}']) == '{"cmd": "ping"}'


def test_a_tool_without_a_command_list_reads_every_command() -> None:
    assert read("fly high=1", known=EVERY_COMMAND).request == Request("fly", {"high": "1"})


# Whatever comes.

WORDS = ("ping", "reboot", "=", '"', ";", "{", "}", "[", ":", ",", "id", "args", '"cmd"', "+5s")
FRAGMENTS = st.sampled_from(
    [*WORDS, SID, " ", "when", "\\", "\\ud800", "NaN", "null", "\ud800", "\x00", "\u2028", "\u00a0"]
)
BODIES = st.one_of(
    st.text(max_size=200),
    st.text(alphabet=st.characters(categories=["Cs", "Cc", "Zs", "Nd", "Po", "Ps"]), max_size=50),
    st.lists(FRAGMENTS, max_size=20).map("".join),
    st.lists(FRAGMENTS, max_size=20).map(lambda pieces: "{" + "".join(pieces)),
)


@given(BODIES, st.booleans())
def test_no_input_raises_and_every_one_gives_a_consistent_reading(body: str, cut: bool) -> None:
    got = reading(body, cut_risk=cut)
    assert isinstance(got, Reading)
    assert got.request is None or got.refusal is None
    if got.request is not None:
        assert got.request.cmd in KNOWN
        assert got.id == got.request.id
    if got.refusal is not None:
        assert got.refusal.reason in ("parse", "bad-args", "unknown-command")
        assert got.refusal.detail.isprintable()
        assert len(got.refusal.detail) <= 60
