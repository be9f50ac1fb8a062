"""The minimal line editor: keys in, lines and a picture out, whatever the keys."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.cli.line_editor import Ended, Interrupted, LineEditor, Typed

WORDS = ("ping", "restart", "restart-vpn", "/status")


def editor() -> LineEditor:
    def complete(typed: str) -> list[str]:
        return ["name=", "text="] if " " in typed else list(WORDS)

    return LineEditor(complete)


def screen(output: bytes) -> list[str]:
    """What a plain terminal shows: one row a line, backspace moves left, a bell is heard."""
    rows, column = [""], 0
    for character in output.decode():
        row = rows[-1]
        if character == "\b":
            column = max(0, column - 1)
        elif character == "\r":
            column = 0
        elif character == "\n":
            rows.append("")
        elif character != "\a":
            rows[-1] = row[:column] + character + row[column + 1 :]
            column += 1
    return [row.rstrip() for row in rows]


def typed(keys: bytes) -> tuple[str, list[str]]:
    """The line that keys and a CR give, and the screen after them."""
    one = editor()
    one.prompt("> ")
    events = one.feed(keys + b"\r")
    assert len(events) == 1
    assert isinstance(events[0], Typed)
    return events[0].line, screen(one.take_output())


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (b"ping", "ping"),
        (b"pong\x08\x08\x08ing", "ping"),
        (b"pong\x7f\x7f\x7fing", "ping"),
        (b"\x7f\x08ping", "ping"),
        (b"ing\x01p", "ping"),
        (b"ing\x1b[Hp", "ping"),
        (b"ing\x1b[1~p\x1b[4~!", "ping!"),
        (b"ing\x1bOHp\x05!", "ping!"),
        (b"pig\x1b[Dn", "ping"),
        (b"pnig\x1b[D\x1b[D\x7f\x1b[Cn", "ping"),
        (b"xping\x01\x04", "ping"),
        (b"xping\x01\x1b[3~", "ping"),
        (b"other\x15ping", "ping"),
        (b"ping name=wg0\x17\x17ping", "ping"),
        (b"ping more\x1b[D\x1b[D\x1b[D\x1b[D\x1b[D\x0b", "ping"),
        (b"pi\x1b[99;99~ng", "ping"),
        (b"pi\x1bXng", "ping"),
        (b"p\x00i\x02\x06ng", "ping"),
        ("größe".encode(), "größe"),
        (b"\xc3", "\ufffd"),
        (b"pi\tx\x7f", "ping "),
    ],
)
def test_keys_edit_the_line_and_the_screen_shows_it(keys: bytes, line: str) -> None:
    found, rows = typed(keys)
    assert found == line
    assert rows[0] == f"> {line}".rstrip()


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_line_ends_of_every_terminal_end_one_line_each(end: bytes) -> None:
    one = editor()
    events = one.feed(b"a" + end + b"b" + end)
    assert events == [Typed("a")]
    assert one.feed(b"") == [Typed("b")]
    assert one.feed(b"") == []


def test_ctrl_c_gives_the_line_up_and_ctrl_d_ends_only_an_empty_one() -> None:
    one = editor()
    assert one.feed(b"half\x03") == [Interrupted()]
    assert one.feed(b"a\x04") == []
    assert one.feed(b"\x7f\x04") == [Ended()]


def test_history_is_walked_with_the_arrows_and_comes_back_to_what_was_typed() -> None:
    one = editor()
    for line in (b"first\r", b"second\r", b"second\r", b"\r"):
        one.feed(line)
    assert one.history == ["first", "second"]
    assert one.feed(b"new\x1b[A\x1b[A\r") == [Typed("first")]
    assert one.feed(b"new\x10\x0e\r") == [Typed("new")]
    assert one.feed(b"\x1b[A\x1b[A\x1b[A\x1b[A\x1b[A\r") == [Typed("first")]


def test_tab_completes_what_is_clear_and_lists_what_is_not() -> None:
    assert typed(b"pi\t")[0] == "ping "
    assert typed(b"res\t-\t")[0] == "restart-vpn "
    line, rows = typed(b"res\t\t")
    assert line == "restart"
    assert rows[1] == "restart  restart-vpn"
    assert rows[2] == "> restart"
    assert typed(b"ping na\twg0")[0] == "ping name= wg0"
    assert typed(b"zzz\t")[0] == "zzz"


def test_line_without_end_is_bounded() -> None:
    one = editor()
    one.feed(b"x" * 5000)
    (event,) = one.feed(b"\r")
    assert isinstance(event, Typed)
    assert len(event.line) == 2000


@given(st.lists(st.binary(max_size=12), max_size=12))
def test_no_octets_disturb_it_and_their_cut_does_not_matter(pieces: list[bytes]) -> None:
    whole, cut = editor(), editor()

    def all_of(one: LineEditor, chunks: list[bytes]) -> list[object]:
        events: list[object] = []
        for chunk in chunks:
            found = one.feed(chunk)
            while found:
                events += found
                found = one.feed(b"")
        return events

    assert all_of(whole, [b"".join(pieces)]) == all_of(cut, pieces)
    shown = whole.take_output()
    assert shown == cut.take_output()
    # Nothing that was typed reaches the terminal as a command to it.
    assert not re.search(rb"[\x00-\x06\x0b\x0c\x0e-\x1f]", shown)
