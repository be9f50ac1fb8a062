"""The JSON form: scalars only, numbers as written, every mistake named."""

from __future__ import annotations

import pytest

from agent.payload import json_form
from agent.payload.request import MAX_OCTETS, Reading, Refusal, Refused, Request, read

KNOWN = frozenset({"ping", "reboot", "set"})


def reading(body: str) -> Reading:
    return read(body, known=KNOWN)


def args(body: str) -> dict[str, str]:
    request = reading(body).request
    assert request is not None, reading(body)
    return dict(request.args)


def refusal(body: str) -> Refusal:
    got = reading(body)
    assert got.refusal is not None, got
    return got.refusal


@pytest.mark.parametrize(
    ("literal", "text"),
    [
        ("5", "5"),
        ("-0", "-0"),
        ("5.0", "5.0"),
        ("1e3", "1e3"),
        ("1E+30", "1E+30"),
        ("0.10", "0.10"),
        ("true", "true"),
        ("false", "false"),
        ('"True"', "True"),
        ('""', ""),
        ('"a\\u00e9\\n\\ud83d\\ude00"', "aé\n😀"),
        ("9" * 1000, "9" * 1000),
        ("1e" + "9" * 1000, "1e" + "9" * 1000),
    ],
)
def test_scalars_become_their_canonical_text(literal: str, text: str) -> None:
    assert args(f'{{"cmd":"ping","x":{literal}}}') == {"x": text}


@pytest.mark.parametrize("digits", [5000, 8100])
def test_a_number_of_any_length_is_measured_not_converted(digits: int) -> None:
    body = '{"cmd":"ping","x":' + "9" * digits + "}"
    assert refusal(body) == Refusal("bad-args", "x longer than 1024 bytes")


def test_arguments_stand_in_args_or_beside_cmd() -> None:
    body = '{"CMD":"Reboot","Delay":5,"ARGS":{"Why":"x"},"ID":"7"}'
    assert reading(body).request == Request("reboot", {"delay": "5", "why": "x"}, id="7")


def test_text_after_a_semicolon_is_ignored() -> None:
    assert reading('{"cmd":"ping"} ; [[[[[[[[ sent by portal "').request == Request("ping")
    assert reading('{"cmd":"ping"};').request == Request("ping")


def test_text_after_the_object_without_one_is_refused() -> None:
    assert refusal('{"cmd":"ping"} sent by portal').reason == "parse"
    assert refusal('{"cmd":"ping"}{"cmd":"ping"}').reason == "parse"


def test_the_place_of_a_mistake_is_told() -> None:
    assert refusal('{"cmd" "ping"}').detail.startswith("JSON at 7: ")
    assert refusal('{"cmd":"ping"} more').detail == "JSON at 14: text after the object"


@pytest.mark.parametrize(
    ("value", "what"), [("null", "null"), ("[]", "array"), ("{}", "object"), ('["a"]', "array")]
)
@pytest.mark.parametrize("key", ["delay", "when", "exp", "reply", "k", "c", "m"])
def test_values_that_are_no_scalars_are_bad_args_by_name(key: str, value: str, what: str) -> None:
    body = f'{{"cmd":"reboot","{key}":{value}}}'
    assert refusal(body) == Refusal("bad-args", f"{key} {what}")


@pytest.mark.parametrize("value", ["null", "[]", "5", '"x"', "true"])
def test_args_is_an_object(value: str) -> None:
    assert refusal(f'{{"cmd":"ping","args":{value}}}') == Refusal("bad-args", "args")


def test_args_without_cmd_is_no_property() -> None:
    assert refusal('{"args":{"enable":true}}') == Refusal("bad-args", "args")
    assert refusal('{"args":{},"enable":true}') == Refusal("bad-args", "args")


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_nan_and_infinity_are_no_json(constant: str) -> None:
    assert refusal(f'{{"cmd":"ping","x":{constant}}}') == Refusal("parse", f"x {constant}")
    assert refusal(f'{{"cmd":"ping","args":{{"x":{constant}}}}}').detail == f"x {constant}"


@pytest.mark.parametrize("text", ["\\ud800", "\\udc00", "a\\ud83dz", "\\ude00\\ud83d"])
def test_half_a_surrogate_pair_is_refused_by_name(text: str) -> None:
    assert refusal(f'{{"cmd":"ping","x":"{text}"}}') == Refusal("parse", "x half a character")
    assert refusal(f'{{"cmd":"ping","id":"{text}"}}') == Refusal("parse", "id half a character")
    assert refusal(f'{{"cmd":"ping","{text}":"x"}}').reason == "parse"


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ('{"cmd":"ping","x":1,"x":2}', "x"),
        ('{"cmd":"ping","x":1,"X":1}', "x"),
        ('{"cmd":"ping","args":{"x":1,"x":1}}', "x"),
        ('{"cmd":"ping","x":1,"args":{"x":1}}', "x"),
        ('{"cmd":"ping","args":{"X":1},"x":1}', "x"),
        ('{"cmd":"ping","cmd":"ping"}', "cmd"),
        ('{"cmd":"ping","id":"1","Id":"1"}', "id"),
        ('{"cmd":"ping","args":{},"Args":{}}', "args"),
        ('{"x":1,"x":2}', "x"),
        ('{"cmd":"ping","a b":1,"a b":2}', "a b"),
        ('{"cmd":"ping","when":"Immediate","WHEN":"Immediate"}', "when"),
    ],
)
def test_nothing_may_be_said_twice(body: str, name: str) -> None:
    assert refusal(body) == Refusal("parse", f"{name} twice")


@pytest.mark.parametrize("key", ["a b", "", "é", "a.b", "\u212a", "x\u017f", "a\\n"])
def test_names_have_few_characters(key: str) -> None:
    for body in (f'{{"cmd":"ping","{key}":1}}', f'{{"{key}":1}}'):
        got = refusal(body)
        assert got.reason == "bad-args"
        assert got.detail.endswith(" is not a name")


def test_a_kelvin_sign_is_not_the_reserved_k() -> None:
    assert refusal('{"cmd":"ping","\u212a":"1"}').detail == "\u212a is not a name"


@pytest.mark.parametrize("key", ["cmd", "args", "id", "when", "exp", "reply", "k", "c", "m", "ID"])
def test_a_reserved_key_cannot_name_an_argument(key: str) -> None:
    body = f'{{"cmd":"ping","args":{{"{key}":"x"}}}}'
    assert refusal(body) == Refusal("bad-args", f"{key.lower()} is reserved")


@pytest.mark.parametrize("value", ["5", "true", "null", "[]", "{}"])
def test_cmd_is_a_string(value: str) -> None:
    got = refusal(f'{{"cmd":{value}}}')
    assert got.reason == "bad-args"
    assert got.detail.startswith("cmd ")


@pytest.mark.parametrize("value", ["fly", "", "ping ", "p\\u0131ng", "a b"])
def test_a_cmd_that_is_not_known_is_an_unknown_command(value: str) -> None:
    assert refusal(f'{{"cmd":"{value}"}}').reason == "unknown-command"


# id


@pytest.mark.parametrize(
    ("literal", "text"),
    [("7", "7"), ("-1.5e3", "-1.5e3"), ('"aZ0._:-"', "aZ0._:-"), ('"' + "x" * 36 + '"', "x" * 36)],
)
def test_an_id_is_a_word_or_a_number_as_written(literal: str, text: str) -> None:
    assert reading(f'{{"cmd":"ping","id":{literal}}}').id == text


@pytest.mark.parametrize(
    "literal",
    ['""', '"' + "x" * 37 + '"', '"a b"', '"é"', '"a\\n"', "1e+5", "true", "null", "[]", "{}"],
)
def test_any_other_id_is_refused(literal: str) -> None:
    got = reading(f'{{"cmd":"ping","id":{literal}}}')
    assert got == Reading(refusal=Refusal("parse", "id"))


@pytest.mark.parametrize(
    "body",
    [
        '{"cmd":"fly","id":"7"}',
        '{"cmd":"ping","x":null,"id":"7"}',
        '{"cmd":"ping","x":NaN,"id":"7"}',
        '{"id":"7","cmd":"ping","x":"unclosed',
        '{"ID" : 7 , "cmd":"ping","args":{"id":"8"',
        '{"id":"7","cmd":"ping"} and more',
        '{"id":"7","a":[[[[[[]]]]]]}',
    ],
)
def test_the_id_of_a_refused_body_is_told_where_it_is_legible(body: str) -> None:
    got = reading(body)
    assert got.refusal is not None
    assert got.id == "7"


@pytest.mark.parametrize(
    "body",
    [
        '{"id":"7',
        '{"id":7',
        '{"cmd":"ping","args":{"id":"7"}',
        '{"id":"7","id":"8","x',
        '{"cmd":"ping","x":"\\"id\\":7}',
        '{"id":"a\\u0062","x',
    ],
)
def test_an_id_that_may_be_cut_or_another_ones_is_not(body: str) -> None:
    assert reading(body).id is None


# when, exp, reply


@pytest.mark.parametrize("key", ["when", "exp"])
@pytest.mark.parametrize("value", ['"soon"', "5", "true", '""', '"2026-01-01T00:00:00"'])
def test_a_time_that_cannot_be_read_is_bad_args(key: str, value: str) -> None:
    assert refusal(f'{{"cmd":"ping","{key}":{value}}}') == Refusal("bad-args", key)


def test_reply_is_one_of_the_route_words() -> None:
    for word in ("mqtt-then-sms", "sms", "mqtt", "both", "origin", "none"):
        request = reading(f'{{"cmd":"ping","reply":"{word.title()}"}}').request
        assert request is not None
        assert request.reply == word.title()
        assert request.route == word
    assert refusal('{"cmd":"ping","reply":"mail"}') == Refusal("bad-args", "reply")


# Limits


def test_64_arguments_are_read_and_65_are_not() -> None:
    body = '{"cmd":"ping","id":"7",' + ",".join(f'"a{n}":{n}' for n in range(63))
    assert len(args(body + ',"b":1}')) == 64
    assert refusal(body + ',"args":{"b":1,"c1":2}}') == Refusal(
        "bad-args", "more than 64 arguments"
    )


def test_a_value_has_at_most_one_kib() -> None:
    assert args('{"cmd":"ping","x":"' + "é" * 512 + '"}') == {"x": "é" * 512}
    assert refusal('{"cmd":"ping","x":"' + "é" * 513 + '"}').reason == "bad-args"
    assert refusal('{"cmd":"ping","m":"' + "A" * 1025 + '"}').detail.startswith("m ")


def test_depth_4_is_read_and_named_depth_5_is_refused_unread() -> None:
    assert refusal('{"cmd":"ping","x":[[[1]]]}') == Refusal("bad-args", "x array")
    assert refusal('{"cmd":"ping","x":[[[[1]]]]}') == Refusal("parse", "JSON deeper than 4")
    assert args('{"cmd":"ping","x":"[[[[[[[["}') == {"x": "[[[[[[[["}


@pytest.mark.parametrize("unit", ['{"a":', "[", '{"a":[', '"\\"', '\\"', '"', '{"id":'])
@pytest.mark.timeout(20)  # anything but linear work would take hours
def test_hostile_nesting_and_quoting_end_at_once(unit: str) -> None:
    body = '{"a":' + unit * 500_000
    with pytest.raises(Refused):
        json_form.parse(body)
    json_form.legible_id(body)
    assert refusal(body[:MAX_OCTETS]).reason == "parse"
