"""Reply lines: one line, basic characters, the id first, cut with a `+`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.payload.request import EVERY_COMMAND, read
from agent.reports.reply import basic, compose_error, compose_ok, compose_waiting
from at.sms.alphabets import gsm7

TEXTS = st.text(max_size=300)


def test_success_tells_the_results_in_order() -> None:
    assert compose_ok("7f3a", {"up": 5, "op": "KORE net", "on": True, "level": 0.5}) == (
        '7f3a OK up=5 op="KORE net" on=true level=0.5'
    )
    assert compose_ok("7f3a", {}) == "7f3a OK"


def test_values_are_quoted_as_in_line_form() -> None:
    line = compose_ok("1", {"a": 'x "y"', "b": "", "e": "1=2;", "d": "plain"})
    assert line == '1 OK a="x ""y""" b="" e="1=2;" d=plain'
    request = read(line.removeprefix("1 OK "), known=EVERY_COMMAND).request
    assert request is not None
    assert request.args == {"a": 'x "y"', "b": "", "e": "1=2;", "d": "plain"}


def test_errors_tell_reason_and_detail() -> None:
    assert compose_error("7f3a", "bad-args", "delay above 3600") == (
        "7f3a ER bad-args delay above 3600"
    )
    assert compose_error("7f3a", "signature") == "7f3a ER signature"
    assert compose_error("7f3a", "exit-3", " no such\nunit \n") == "7f3a ER exit-3 no such unit"


def test_a_missing_id_is_a_dash() -> None:
    assert compose_error(None, "parse", "sid") == "- ER parse sid"


def test_waiting_tells_the_state_and_the_time_in_utc() -> None:
    due = datetime(2026, 11, 21, 13, 0, 0, 999, tzinfo=timezone(timedelta(hours=1)))
    assert compose_waiting("1", "running") == "1 WT running"
    assert compose_waiting("1", "scheduled", due) == "1 WT scheduled 2026-11-21T12:00:00Z"
    assert due.astimezone(UTC).hour == 12


def test_a_repeated_report_ends_with_dup() -> None:
    assert compose_ok("1", {"up": 5}, repeated=True) == "1 OK up=5 dup"
    assert compose_error("1", "error", "x" * 300, repeated=True).endswith("x+ dup")
    assert len(compose_error("1", "error", "x" * 300, repeated=True)) == 160


# Length.


def test_160_characters_are_whole_and_161_are_cut() -> None:
    head = "1 ER error "
    assert compose_error("1", "error", "x" * (160 - len(head))) == head + "x" * (160 - len(head))
    cut = compose_error("1", "error", "x" * (161 - len(head)))
    assert cut == head + "x" * (159 - len(head)) + "+"


def test_more_segments_hold_153_each() -> None:
    for segments in (2, 3):
        whole = compose_error("1", "error", "x" * (153 * segments - 11), max_segments=segments)
        assert len(whole) == 153 * segments
        assert not whole.endswith("+")
        cut = compose_error("1", "error", "x" * 1000, max_segments=segments)
        assert len(cut) == 153 * segments
        assert cut.endswith("x+")


def test_a_short_word_is_dropped_rather_than_cut() -> None:
    line = compose_ok("1", {f"key{n:02}": 100000 + n for n in range(20)})
    assert line.endswith(" +")
    assert len(line) <= 160
    for word in line.removesuffix(" +").split()[2:]:
        assert len(word.partition("=")[2]) == 6


def test_a_long_word_is_cut_inside() -> None:
    line = compose_ok("1", {"up": 5, "output": "y" * 300})
    assert len(line) == 160
    assert line.endswith("yy+")


@given(st.text(min_size=1, max_size=36, alphabet="aZ0._:-"), TEXTS, TEXTS, st.integers(1, 4))
def test_every_line_can_be_sent(id_: str, one: str, other: str, segments: int) -> None:
    room = 160 if segments == 1 else 153 * segments
    lines = [
        compose_ok(id_, {"a": one, "b": other}, max_segments=segments),
        compose_ok(id_, {"a": one}, repeated=True, max_segments=segments),
        compose_error(id_, "error", one, max_segments=segments),
        compose_error(id_, "error", other, repeated=True, max_segments=segments),
        compose_waiting(id_, "running", max_segments=segments),
    ]
    for line in lines:
        assert gsm7.is_basic(line)
        assert line.isprintable()
        assert gsm7.septets(line) <= room
        assert line.startswith(id_ + " ")


# Characters.


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("plain @£$ éèùìòÇ ÄÖÑÜ§¿äöñüà ΔΦ _", "plain @£$ éèùìòÇ ÄÖÑÜ§¿äöñüà ΔΦ _"),
        ("{a}[b]", "(a)(b)"),
        ("a\\b|c", "a/b/c"),
        ("^`´‘’", "'''''"),  # noqa: RUF001 - the characters under test
        ("~‐‑‒–—−", "-------"),  # noqa: RUF001 - the characters under test
        ("“”„«»", '"""""'),
        ("5 €", "5 EUR"),
        ("°µ×•‚", "oux*,"),  # noqa: RUF001 - the characters under test
        ("ç Š ő ﬁ Ａ ｛", "c S o fi A ("),  # noqa: RUF001 - the characters under test
        ("e\u0301 a\u200bb\ufeff", "e ab"),
        ("…", "..."),
        ("a\r\nb\tc\u00a0d\x0ce\u2028f", "a  b c d e f"),
        ("日本 😀 \x00\x1b\ud800", "?? ? ???"),
    ],
)
def test_characters_outside_the_basic_table_are_replaced(text: str, plain: str) -> None:
    assert basic(text) == plain
