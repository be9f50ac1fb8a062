"""Typed arguments: what is taken, what is refused, and by which words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.payload.arguments import ArgSpec, Refused, Value, check_spec, validate
from agent.payload.request import Refusal


def value(spec: ArgSpec, text: str) -> Value:
    return validate({"x": spec}, {"x": text})["x"]


def refusal(spec: ArgSpec, text: str) -> Refusal:
    with pytest.raises(Refused) as caught:
        validate({"x": spec}, {"x": text})
    return caught.value.refusal


# Which arguments.


def test_values_come_in_the_order_of_the_specs_with_defaults() -> None:
    specs = {
        "a": ArgSpec("integer", default=5),
        "b": ArgSpec("string", required=True),
        "c": ArgSpec("boolean"),
        "d": ArgSpec("number", default=1.5),
    }
    assert list(validate(specs, {"d": "2", "b": "x"}).items()) == [("a", 5), ("b", "x"), ("d", 2.0)]


def test_a_default_is_taken_even_where_required() -> None:
    assert validate({"x": ArgSpec("string", default="y", required=True)}, {}) == {"x": "y"}


def test_a_missing_argument_is_named() -> None:
    with pytest.raises(Refused) as caught:
        validate({"x": ArgSpec(required=True)}, {})
    assert caught.value.refusal == Refusal("bad-args", "x missing")


def test_an_unknown_argument_is_named() -> None:
    with pytest.raises(Refused) as caught:
        validate({"x": ArgSpec(required=True)}, {"y": "1"})
    assert caught.value.refusal == Refusal("bad-args", "y unknown")


# Types.


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("-5", -5), ("+5", 5), ("007", 7), (str(2**63 - 1), 2**63 - 1)],
)
def test_integers(text: str, number: int) -> None:
    got = value(ArgSpec("integer"), text)
    assert got == number
    assert isinstance(got, int)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 5",
        "5 ",
        "5.0",
        "1e3",
        "0x10",
        "1_000",
        "--5",
        "\u0665",
        "true",
        str(2**63),
        "9" * 1000,
    ],
)
def test_what_is_no_integer(text: str) -> None:
    assert refusal(ArgSpec("integer"), text) == Refusal("bad-args", "x is no integer")


@pytest.mark.parametrize(
    ("text", "number"), [("5", 5.0), ("-.5", -0.5), ("5.", 5.0), ("1e3", 1000.0), ("+2.5E-1", 0.25)]
)
def test_numbers(text: str, number: float) -> None:
    got = value(ArgSpec("number"), text)
    assert got == number
    assert isinstance(got, float)


@pytest.mark.parametrize(
    "text", ["", ".", "e5", "1e", "nan", "inf", "-Infinity", "1e999", "1_0", "1,5", " 1", "0x1p3"]
)
def test_what_is_no_number(text: str) -> None:
    assert refusal(ArgSpec("number"), text) == Refusal("bad-args", "x is no number")


@pytest.mark.parametrize("word", ["true", "1", "on", "yes"])
def test_true(word: str) -> None:
    for spelled in (word, word.upper(), word.title()):
        assert value(ArgSpec("boolean"), spelled) is True


@pytest.mark.parametrize("word", ["false", "0", "off", "no"])
def test_false(word: str) -> None:
    for spelled in (word, word.upper(), word.title()):
        assert value(ArgSpec("boolean"), spelled) is False


@pytest.mark.parametrize("text", ["", "2", "t", "y", "01", "tru", " on", "o\ufb00", "fal\u017fe"])
def test_what_is_no_boolean(text: str) -> None:
    assert refusal(ArgSpec("boolean"), text) == Refusal("bad-args", "x is no boolean")


def test_a_string_is_taken_as_it_is_but_for_nul() -> None:
    assert value(ArgSpec(), ' a "b"\n;\u00e9 ') == ' a "b"\n;\u00e9 '
    assert value(ArgSpec(), "") == ""
    assert refusal(ArgSpec(), "a\0b") == Refusal("bad-args", "x holds a NUL")


# Bounds.


def test_bounds_are_inclusive() -> None:
    spec = ArgSpec("integer", min=1, max=20)
    assert value(spec, "1") == 1
    assert value(spec, "20") == 20
    assert refusal(spec, "0").detail == "x below 1"
    assert refusal(spec, "21").detail == "x above 20"
    assert refusal(ArgSpec("number", max=0.5), "0.51").detail == "x above 0.5"


def test_bounds_of_a_string_are_its_length_in_characters() -> None:
    spec = ArgSpec("string", min=2, max=3)
    assert value(spec, "éé") == "éé"
    assert refusal(spec, "é").detail == "x shorter than 2"
    assert refusal(spec, "éééé").detail == "x longer than 3"


def test_a_pattern_matches_the_whole_value() -> None:
    spec = ArgSpec("string", pattern="[a-z0-9]{1,15}|wg[0-9]")
    assert value(spec, "wg0") == "wg0"
    for text in ("", "wg0\n", "wg0; reboot", "WG0", "../wg0", "a" * 16):
        assert refusal(spec, text) == Refusal("bad-args", "x does not match its pattern")


def test_choices() -> None:
    assert value(ArgSpec(choices=("a", "b")), "b") == "b"
    assert refusal(ArgSpec(choices=("a", "b")), "A").detail == "x is not one of a,b"
    assert value(ArgSpec("integer", choices=(5, 10)), "+05") == 5
    assert refusal(ArgSpec("integer", choices=(5, 10)), "6").detail == "x is not one of 5,10"
    assert value(ArgSpec("number", choices=(0.5, 1)), "1.0") == 1
    none = refusal(ArgSpec(choices=()), "a")
    assert (none.reason, none.detail) == ("bad-args", "x is unknown: none is configured")


def test_a_long_list_of_choices_does_not_make_a_long_detail() -> None:
    spec = ArgSpec(choices=tuple(f"choice-{n}" for n in range(100)))
    assert len(refusal(spec, "x").detail) <= 60


@given(st.sampled_from(["string", "integer", "number", "boolean"]), st.text())
def test_any_text_is_taken_with_its_type_or_refused_by_name(type_: str, text: str) -> None:
    types = {"string": str, "integer": int, "number": float, "boolean": bool}
    refused: Refusal | None = None
    got: Value | None = None
    try:
        got = value(ArgSpec(type_), text)
    except Refused as error:
        refused = error.refusal
    if refused is None:
        assert type(got) is types[type_]
    else:
        assert refused.reason == "bad-args"
        assert refused.detail.startswith("x ")


# The specs themselves.


@pytest.mark.parametrize(
    "spec",
    [
        ArgSpec(),
        ArgSpec("string", min=1, max=15, pattern="[a-z]+", default="abc"),
        ArgSpec("integer", min=1, max=5, choices=(1, 2), default=2),
        ArgSpec("number", default=1, choices=(1, 1.5)),
        ArgSpec("boolean", default=False, required=True),
    ],
)
def test_a_sound_spec(spec: ArgSpec) -> None:
    assert check_spec(spec) == ()


@pytest.mark.parametrize(
    ("spec", "part"),
    [
        (ArgSpec("text"), "type is not one of"),
        (ArgSpec("integer", min=5, max=1), "min is above max"),
        (ArgSpec("string", pattern="[a-z"), "pattern: "),
        (ArgSpec("integer", pattern="5"), "only a string has a pattern"),
        (ArgSpec("boolean", min=0), "a boolean has no"),
        (ArgSpec("boolean", choices=(True,)), "a boolean has no"),
        (ArgSpec("integer", choices=("1",)), "choice '1' is no integer"),
        (ArgSpec("integer", choices=(True,)), "choice True is no integer"),
        (ArgSpec("string", choices=(1,)), "choice 1 is no string"),
        (ArgSpec("integer", default=1.5), "default 1.5 is no integer"),
        (ArgSpec("boolean", default="yes"), "default 'yes' is no boolean"),
        (ArgSpec("integer", min=5, default=1), "default below 5"),
        (ArgSpec("string", pattern="a", default="b"), "default does not match"),
        (ArgSpec("string", choices=("a",), default="b"), "default is not one of a"),
    ],
)
def test_an_unsound_spec_says_what_is_wrong(spec: ArgSpec, part: str) -> None:
    problems = check_spec(spec)
    assert len(problems) == 1
    assert part in problems[0]
