"""The line form: words, quotes, the closing `;`, and what a cut message may not do."""

from __future__ import annotations

import pytest

from agent.payload.request import Reading, Refusal, Request, read

KNOWN = frozenset({"ping", "reboot", "set", "sms", "modem-reset", "restart_vpn"})
SID = "DC" + "0123456789ABCDEF" * 2


def reading(body: str, *, cut_risk: bool = False) -> Reading:
    return read(body, known=KNOWN, cut_risk=cut_risk)


def args(body: str) -> dict[str, str]:
    request = reading(body).request
    assert request is not None, reading(body)
    return dict(request.args)


def refusal(body: str, *, cut_risk: bool = False) -> Refusal:
    got = reading(body, cut_risk=cut_risk)
    assert got.refusal is not None, got
    return got.refusal


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("x=5", "5"),
        ("x=", ""),
        ('x=""', ""),
        ('x="a b"', "a b"),
        ('x="a=b;c"', "a=b;c"),
        ('x="say ""hi"""', 'say "hi"'),
        ('x=""""', '"'),
        ('x="a\nb"', "a\nb"),
        ("x=a\\b", "a\\b"),
        ('x="\\"', "\\"),
        ("x={1:2}", "{1:2}"),
        ("x=+44,-*#", "+44,-*#"),
        ("x=true", "true"),
        ("x=é😀", "é😀"),
    ],
)
def test_values(word: str, value: str) -> None:
    assert args(f"ping {word}") == {"x": value}
    assert args(f"ping {word};") == {"x": value}
    assert args(f"ping  {word}\t y=1") == {"x": value, "y": "1"}
    assert args(word) == {"x": value}


@pytest.mark.parametrize(
    "word", ['x="', 'x="a', 'x="a""', 'x="a"b', 'x=a"b', "x=a=b", "x==", '"x"=1', 'x="a"="b"']
)
def test_values_that_would_need_quotes_are_not_guessed(word: str) -> None:
    assert refusal(f"ping {word}").reason == "bad-args"
    assert not reading(word).is_command


def test_the_word_to_blame_is_named() -> None:
    assert refusal("reboot delay=5 now please") == Refusal("bad-args", "now is no key=value")


@pytest.mark.parametrize(
    "tail", [";", " ; ", "; Sent by portal", ';"', "; x=2", ";x", ";;", "; {", "; delay=6 id=9"]
)
def test_what_follows_a_semicolon_outside_quotes_is_ignored(tail: str) -> None:
    assert reading("reboot delay=5" + tail).request == Request("reboot", {"delay": "5"})


def test_names_match_without_regard_to_case() -> None:
    got = reading("Modem-Reset Force_It=Yes ID=aB When=IMMEDIATE").request
    assert got == Request("modem-reset", {"force_it": "Yes"}, id="aB", when="IMMEDIATE")


@pytest.mark.parametrize("key", ["id", "when", "exp", "reply", "k", "c", "m"])
def test_reserved_keys_are_no_arguments(key: str) -> None:
    value = {"id": "7", "when": "+90s", "exp": "+1d", "reply": "sms"}.get(key, "9")
    got = reading(f"ping {key.upper()}={value}").request
    assert got is not None
    assert got.args == {}
    assert getattr(got, key) == value


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ("ping x=1 x=1", "x"),
        ("ping x=1 X=2", "x"),
        ("x=1 X=2", "x"),
        ("ping id=1 Id=2", "id"),
        ("ping cmd=ping", "cmd"),
        ("cmd=ping cmd=ping", "cmd"),
        ("ping args=1 args=2", "args"),
    ],
)
def test_nothing_may_be_said_twice(body: str, name: str) -> None:
    assert refusal(body) == Refusal("parse", f"{name} twice")


def test_args_cannot_be_written_in_a_line() -> None:
    assert refusal("ping args=1") == Refusal("bad-args", "args")
    assert refusal("enable=1 args=1") == Refusal("bad-args", "args")


def test_half_a_surrogate_pair_is_refused_by_name() -> None:
    assert refusal("ping x=\ud800") == Refusal("parse", "x half a character")


@pytest.mark.parametrize("value", ["", '""', "a/b", "x" * 37, '"a b"', "é", "\u0661"])
def test_an_unusable_id_is_refused(value: str) -> None:
    assert reading(f"ping id={value}") == Reading(refusal=Refusal("parse", "id"))


@pytest.mark.parametrize("key", ["when", "exp"])
@pytest.mark.parametrize("value", ["now", "90s", "+90", "+1w", "+-1s", "2026-01-01", "NextBoat"])
def test_a_time_that_cannot_be_read_is_refused_and_never_run_now(key: str, value: str) -> None:
    assert refusal(f"ping {key}={value}") == Refusal("bad-args", key)


@pytest.mark.parametrize("body", ["fly x=1 id=7", "ping id=7 oops", "ping id=7 x=1 x=2", "id=7"])
def test_the_id_of_a_refused_line_is_told_where_it_is_legible(body: str) -> None:
    got = reading(body)
    assert got.refusal is not None
    assert got.id == "7"


# The cut rule: the single message was full to the last septet.


@pytest.mark.parametrize("body", ["reboot delay=5", "enable=Tru", "ping", f"{SID} reboot delay=5"])
def test_a_full_message_that_does_not_end_in_a_semicolon_is_refused(body: str) -> None:
    assert refusal(body, cut_risk=True) == Refusal("parse", "cut")
    assert reading(body).request is not None


def test_cut_is_told_before_other_faults_and_with_the_id() -> None:
    got = reading('sms id=7 text="hello wor', cut_risk=True)
    assert got == Reading(id="7", refusal=Refusal("parse", "cut"))
    assert refusal("reboot delay=5 dela", cut_risk=True) == Refusal("parse", "cut")


def test_a_full_message_that_ends_in_a_semicolon_runs() -> None:
    assert reading("reboot delay=50;", cut_risk=True).request == Request("reboot", {"delay": "50"})
    assert reading(f"reboot delay=50; {SID}", cut_risk=True).request is not None
    assert reading("enable=1 ; appended by the por", cut_risk=True).request is not None


def test_a_semicolon_inside_quotes_does_not_end_it() -> None:
    assert refusal('sms text="a;"', cut_risk=True) == Refusal("parse", "cut")


def test_a_full_message_with_its_end_and_a_fault_tells_the_fault() -> None:
    assert refusal("reboot now;", cut_risk=True).reason == "bad-args"


def test_free_text_json_and_unknown_commands_do_not_mind_being_full() -> None:
    assert not reading("hello world", cut_risk=True).is_command
    assert reading('{"cmd":"ping"}', cut_risk=True).request == Request("ping")
    assert refusal("fly high=1", cut_risk=True).reason == "unknown-command"


# Limits


def test_64_arguments_are_read_and_65_are_not() -> None:
    words = [f"a{n}={n}" for n in range(64)]
    assert len(args("ping id=7 " + " ".join(words))) == 64
    assert refusal("ping b=1 " + " ".join(words)) == Refusal("bad-args", "more than 64 arguments")


def test_a_value_has_at_most_one_kib() -> None:
    assert args("ping x=" + "a" * 1024) == {"x": "a" * 1024}
    assert refusal("ping x=" + "a" * 1025) == Refusal("bad-args", "x longer than 1024 bytes")


@pytest.mark.parametrize("unit", ['"', '""', 'x="', "x=", "x=1 ", " ", "a", "=", ';"', "\u00a0"])
@pytest.mark.timeout(20)  # anything but linear work would take hours
def test_hostile_repetition_ends_at_once(unit: str) -> None:
    assert reading(unit * 500_000).request is None
    for start in ("ping ", 'ping x="'):
        assert refusal(start + unit * 500_000) == Refusal("parse", "size")
