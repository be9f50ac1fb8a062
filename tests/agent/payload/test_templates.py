"""Argument vectors: a value never becomes an option or a second argument."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.payload.request import Refusal, Refused
from agent.payload.templates import TemplateError, check_exec, render_argv, render_value


def refusal(element: str, **args: str | float) -> Refusal:
    with pytest.raises(Refused) as caught:
        render_argv(["/bin/true", element], args)
    return caught.value.refusal


def test_the_example_of_the_configuration() -> None:
    exec_ = ["/usr/bin/systemctl", "restart", "wg-quick@{name}"]
    assert render_argv(exec_, {"name": "wg0"}) == [*exec_[:2], "wg-quick@wg0"]


@pytest.mark.parametrize(
    ("element", "rendered"),
    [
        ("{a}", "x y"),
        ("{a}{b}", "x y5"),
        ("--a={a},b={b}", "--a=x y,b=5"),
        ("{{a}}", "{a}"),
        ("{{{a}}}", "{x y}"),
        ("}}{{", "}{"),
        ("", ""),
        ("plain", "plain"),
        ("$(a) `b` *", "$(a) `b` *"),
    ],
)
def test_elements(element: str, rendered: str) -> None:
    assert render_argv(["p", element], {"a": "x y", "b": 5}) == ["p", rendered]


@given(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_one_element_stays_one_element_and_is_no_option(value: str) -> None:
    exec_ = ["/bin/echo", "{x}", "--x={x}", "y{x}"]
    if value.startswith("-"):
        assert refusal("{x}", x=value) == Refusal("bad-args", "x begins with -")
        exec_.pop(1)
    argv = render_argv(exec_, {"x": value})
    assert argv[-2:] == [f"--x={value}", f"y{value}"]
    assert len(argv) == len(exec_)
    assert argv[1] == value or value.startswith("-")


@given(st.dictionaries(st.sampled_from("abc"), st.text(alphabet="-x{}", max_size=2), min_size=3))
def test_values_together_make_no_option_either_and_are_not_expanded(args: dict[str, str]) -> None:
    joined = args["a"] + args["b"] + args["c"]
    if joined.startswith("-"):
        assert refusal("{a}{b}{c}", **args).detail.endswith(" begins with -")
    else:
        assert render_argv(["p", "{a}{b}{c}"], args) == ["p", joined]


def test_a_negative_number_where_an_element_begins_is_refused_too() -> None:
    assert refusal("{x}", x=-5) == Refusal("bad-args", "x begins with -")
    assert render_argv(["p", "--x={x}"], {"x": -5}) == ["p", "--x=-5"]
    assert render_argv(["p", "-x{x}"], {"x": -5}) == ["p", "-x-5"]


def test_an_argument_that_is_absent_is_named() -> None:
    assert refusal("{x}", y="1") == Refusal("bad-args", "x missing")


def test_a_nul_cannot_be_carried() -> None:
    assert refusal("a{x}", x="\0") == Refusal("bad-args", "x holds a NUL")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (False, "false"),
        (5, "5"),
        (-5, "-5"),
        (5.0, "5"),
        (0.1, "0.1"),
        (1e20, "1e+20"),
        (10**18, str(10**18)),
        ("True", "True"),
    ],
)
def test_values_are_written(value: str | float, text: str) -> None:
    assert render_value(value) == text


# The configuration's side.


def test_a_sound_vector() -> None:
    assert check_exec(["/bin/p", "{a}", "{{x}}", "--b={b-1}"], {"a", "b-1"}) == ()


@pytest.mark.parametrize(
    ("exec_", "problem"),
    [
        ([], "no program"),
        ([""], "no program"),
        (["{a}"], "the program cannot be an argument"),
        (["/bin/{a}"], "the program cannot be an argument"),
        (["p", "{b}"], "element 1: no argument b"),
        (["p", "{A}"], "element 1: a lone { at 0; write {{ for one"),
        (["p", "{}"], "element 1: a lone { at 0; write {{ for one"),
        (["p", "x{a"], "element 1: a lone { at 1; write {{ for one"),
        (["p", "a}"], "element 1: a lone } at 1; write }} for one"),
        (["p", "{a!r}"], "element 1: a lone { at 0; write {{ for one"),
        (["p", "{a.b}"], "element 1: a lone { at 0; write {{ for one"),
        (["p", "x\0"], "element 1 holds a NUL"),
    ],
)
def test_an_unsound_vector_says_what_is_wrong(exec_: list[str], problem: str) -> None:
    assert problem in check_exec(exec_, {"a"})


def test_bad_braces_do_not_run() -> None:
    with pytest.raises(TemplateError):
        render_argv(["p", "{a"], {"a": "1"})
