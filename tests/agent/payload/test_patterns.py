"""Patterns of the configuration: as `re` would have them, in time linear in the text."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.commands.catalogue import HandlerError, build
from agent.commands.registry import Call, Handler, Outcome
from agent.payload.arguments import ArgSpec, check_spec
from agent.payload.patterns import MAX_POSITIONS, PatternError, compile_pattern
from tests.agent.parts import settings as configured

LONGEST = 1024  # octets of a value

_CHARACTERS = [*"abAB.", "[ab]", "[^a]", "[a-c\\d]", r"\w", r"\s", r"\D", r"\.", "\n", "é"]
_SUFFIXES = ["*", "+", "?", "*?", "+?", "??", "{2}", "{1,3}", "{0,2}?", "{2,}", "{0}", "{,2}"]


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    group = st.builds("{}{})".format, st.sampled_from(["(", "(?:", "(?i:", "(?s:"]), inner)
    return st.one_of(
        st.builds("{}{}".format, inner, inner),
        st.builds("{}|{}".format, inner, inner),
        st.builds("{}{}".format, group, st.sampled_from(_SUFFIXES)),
        group,
    )


_PATTERNS = st.recursive(
    st.builds("{}{}".format, st.sampled_from(_CHARACTERS), st.sampled_from(["", *_SUFFIXES]))
    | st.just(""),
    _grown,
    max_leaves=6,
)
_FLAGS = st.sampled_from(["", "(?i)", "(?s)", "(?a)", "(?is)"])


@settings(max_examples=150)
@given(_FLAGS, _PATTERNS, st.lists(st.text("abAB.1 \néÉ", max_size=7), max_size=12))
def test_a_pattern_matches_what_re_matches(flags: str, pattern: str, texts: list[str]) -> None:
    compiled = compile_pattern(flags + pattern)
    for text in ["", *texts]:
        assert compiled.matches(text) == bool(re.fullmatch(flags + pattern, text)), text


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        ("^[a-z]+$", ["a", "zz"], ["", "a\n", "A"]),
        (r"\A(?:on|off)\Z", ["on", "off"], ["no", "on\n"]),
        ("^a$|^b$", ["a", "b"], ["ab", ""]),
        ("(^a)?(b$)?", ["", "a", "b", "ab"], ["ba"]),
        ("(?m)^a$", ["a"], ["a\n"]),
        ("(?x) a  b # a comment", ["ab"], ["a b"]),
        ("(?P<name>[0-9]{1,3})(?:[.][0-9]{1,3}){3}", ["10.0.0.1"], ["10.0.0", "10.0.0.1.2"]),
        ("[a-z]+(?:-[a-z]+)*", ["a", "ab-cd-e"], ["-a", "a--b", "a-"]),
        (".{1,1024}", ["x", "x" * 1024], ["", "x" * 1025, "\n"]),
        ("a{2000,}", ["a" * 2000], ["a" * 1999]),
        ("(?i)straße", ["STRAßE"], ["STRASSE"]),
        ("(?i)[k]", ["k", "K", "\u212a"], ["\u212b"]),
        ("(?:)", [""], ["a"]),
        ("(?:){5}(a{0}){3}", [""], ["a"]),
    ],
)
def test_what_people_write_is_matched(pattern: str, good: list[str], bad: list[str]) -> None:
    compiled = compile_pattern(pattern)
    assert [text for text in good if not compiled.matches(text)] == []
    assert [text for text in bad if compiled.matches(text)] == []


@pytest.mark.parametrize(
    ("pattern", "complaint"),
    [
        ("(?=a)a", "look-around"),
        ("(?!-)[a-z-]+", "look-around"),
        ("a(?<=a)", "look-around"),
        ("a(?<!b)", "look-around"),
        (r"(a+)\1", "reference"),
        ("(?P<x>a)(?P=x)", "reference"),
        ("(a)?(?(1)b|c)", "condition"),
        ("(?>a+)b", "atomic"),
        ("a*+b", "possessive"),
        ("a^b", "anchor"),
        ("(a$)*", "anchor"),
        (r"\ba", "anchor"),
        ("[a-z", "unterminated"),
        ("a{1,2", None),  # braces that are none
        ("a{70000}", f"more than {MAX_POSITIONS}"),
        ("((a{100}){100}){100}", f"more than {MAX_POSITIONS}"),
        ("(" * 5000 + "a" + ")" * 5000, "recursion"),
        ("a{99999999999999999999}", "too large"),
    ],
)
def test_what_cannot_be_matched_so_is_refused(pattern: str, complaint: str | None) -> None:
    problems = check_spec(ArgSpec("string", pattern=pattern))
    if complaint is None:
        assert problems == ()
        return
    (problem,) = problems
    assert problem.startswith("pattern: ")
    assert complaint in problem
    with pytest.raises(PatternError):
        compile_pattern(pattern)


CATASTROPHES = [
    "(a+)+b",
    "(a*)*b",
    "(a|aa)+b",
    "(a|a?)+b",
    "(?:a|(?:a))*b",
    "(a+?)+?b",
    "((a{1,30}){1,30}){1,2}b",
    "(?i:(A+)+)b",
    "([a-z]+)*!",
    r"(\w+\d?)+!",
    r"^(([a-z])+.)+[A-Z]([a-z])+$",
    "(.*)*b",
    "(.*a){20}b",
    "(.*?a){20}b",
    "a*a*a*a*a*a*a*a*b",
    ".*.*.*.*=.*",
    r"\w*\w*\w*\w*!",
    "(a?){500}a{500}b",
    "(x+x+)+y|(a+a+)+b",
    "(a|b|ab|aba)*c",
    "(ab?c?){600}!",
    "(?:" + "|".join(f"{chr(97 + n % 26)}?" for n in range(300)) + ")*!",
]


class _Read(str):
    """A text that counts how many characters of it are read."""

    __slots__ = ("looks",)

    def __iter__(self) -> Iterator[str]:
        self.looks = 0
        for character in super().__iter__():
            self.looks += 1
            yield character


@pytest.mark.parametrize("pattern", CATASTROPHES)
def test_no_pattern_takes_more_than_one_look_at_a_character(pattern: str) -> None:
    compiled = compile_pattern(pattern)
    began = time.process_time()
    for unit in ("a", "ab", "abc", "aA1"):
        text = _Read((unit * LONGEST)[: LONGEST - 1] + "~")
        assert not compiled.matches(text)
        assert text.looks <= LONGEST
    assert time.process_time() - began < 10  # it takes a second at most; with `re`, years


def test_an_installed_handler_is_held_to_the_same_patterns(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def run(_call: Call) -> Outcome:
        return Outcome.ok()

    handler = Handler("led", "a light", run, {"on": ArgSpec("string", pattern="(?=a)a")})
    point = SimpleNamespace(name="led", value="field:LED", load=lambda: handler)
    monkeypatch.setattr("importlib.metadata.entry_points", lambda **_: [point])
    with pytest.raises(HandlerError, match="field:LED: argument on: pattern: look-around"):
        build(configured(tmp_path, {"command": {"led": {}}}))
