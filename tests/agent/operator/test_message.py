"""What is made of a command, and what is not sent at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.operator.answer import read
from agent.operator.inventory import Account, Device
from agent.operator.message import NotSentError, compose
from agent.payload import request as grammar
from agent.payload.signatures import authenticate
from tests.agent.operator.conftest import Desk
from tests.agent.operator.test_hostile import pointed

ROOMS = {
    "programmable-wireless": 125,
    "super-sim": 160,
    "m2m-portal": 160,
}


def device(platform: str, **settings: str) -> Device:
    return Device("gw", Account(platform, ""), {}, settings)


def padded(length: int, form: str) -> str:
    """A command of so many septets in this form, its id included."""
    text = "x" * 20
    while True:
        body = f"note id=abcdefgh text={text}"
        if form == "json":
            body = f'{{"cmd":"note","id":"abcdefgh","text":"{text}"}}'
        septets = len(body) + body.count("{") + body.count("}")
        if septets >= length:
            return body
        text += "x"


@pytest.mark.parametrize("platform", ROOMS)
def test_one_septet_too_long_is_refused_with_the_figure(platform: str, tmp_path: Path) -> None:
    room = ROOMS[platform] - 1  # a line that fills its SMS is refused as cut
    fits = compose(padded(room, "line"), device(platform), tmp_path / "c")
    assert (fits.septets, fits.segments) == (room, 1)
    with pytest.raises(NotSentError, match=rf"1 septet too long .* {room + 1} septets, {room} fit"):
        compose(padded(room + 1, "line"), device(platform), tmp_path / "c")
    with pytest.raises(NotSentError, match=f"5 septets too long for {platform}"):
        compose(padded(room + 6, "line"), device(platform), tmp_path / "c")


def test_a_sid_that_is_not_asked_for_takes_no_room(tmp_path: Path) -> None:
    where = device("programmable-wireless", include_sid="none")
    assert compose(padded(159, "line"), where, tmp_path / "c").segments == 1


def test_the_command_line_says_so_and_sends_nothing(desk: Desk) -> None:
    pointed(desk, "http://127.0.0.1:1")  # nobody there: it would be 69
    for words in ([padded(160, "line")], ["ping", f"x={'y' * 200}"]):
        ended = desk.run("send", "super-sim", *words)
        assert ended.returncode == 1
        assert "too long for super-sim" in ended.stderr
    told = desk.json("send", "super-sim", padded(160, "line"))
    assert (told["septets"], told["segments"], told["platform_id"]) == (160, 0, None)
    assert desk.run("send", "super-sim", "\u4f60 x=1").returncode == 1


def test_braces_do_not_pass_connectivitypro(tmp_path: Path) -> None:
    body = '{"cmd":"note","text":"a b"}'
    made = compose(body, device("connectivitypro"), tmp_path / "c")
    assert made.text == f'note text="a b" id={made.id}'
    assert compose(body, device("super-sim"), tmp_path / "c").text.startswith("{")
    with pytest.raises(NotSentError, match="extension characters"):
        compose('note text="[]"', device("connectivitypro"), tmp_path / "c")


def test_long_texts_go_in_parts_where_the_platform_carries_them(tmp_path: Path) -> None:
    for platform in ("connectivitypro", "emnify"):
        assert compose(padded(170, "line"), device(platform), tmp_path / "c").segments == 2


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("", "not a command"),
        ("reboot delay=5 delay=6", "the agent would refuse it: parse"),
        ("reboot c=5 m=AAAAAAAAAA", "leave them out"),
    ],
)
def test_what_the_agent_would_refuse_is_not_sent(body: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(NotSentError, match=why):
        compose(body, device("super-sim"), tmp_path / "c")


def test_a_device_with_a_key_gets_what_it_takes_for_signed(tmp_path: Path) -> None:
    key = b"k" * 20
    where = Device("gw", Account("super-sim", ""), {}, {}, "gateway-17", key, "desk")
    made = compose("reboot delay=5", where, tmp_path / "c")
    request = grammar.read(made.text, known={"reboot"}).request
    assert request is not None
    signer = authenticate(request, {"desk": key}, "gateway-17")
    assert signer is not None
    assert signer.key_id == "desk"


@pytest.mark.parametrize(
    ("text", "state", "reason", "detail", "result"),
    [
        ('a OK up=5 op="x ""y"" z"', "succeeded", "", "", {"up": "5", "op": 'x "y" z'}),
        ("a OK", "succeeded", "", "", {}),
        ("a OK dup", "succeeded", "", "", {}),
        ('a OK output="beac+', "succeeded", "", "", {"output": "beac"}),
        ("a ER bad-args delay 7", "rejected", "bad-args", "delay 7", {}),
        ("a ER exit-3 no such file dup", "failed", "exit-3", "no such file", {}),
        ("a ER timeout", "timed-out", "timeout", "", {}),
        ("a WT running", "running", "", "", {}),
        ("a WT scheduled 2026-11-25T20:00:00Z", "scheduled", "", "2026-11-25T20:00:00Z", {}),
        ("a ER error \x1b[2J", "failed", "error", "?[2J", {}),
    ],
)
def test_an_answer_is_taken_apart(
    text: str, state: str, reason: str, detail: str, result: dict[str, str]
) -> None:
    answer = read(text, {"a"})
    assert answer is not None
    assert (answer.state, answer.reason, answer.detail) == (state, reason, detail)
    assert answer.result == result
    assert answer.duplicate is text.endswith(" dup")
    assert answer.cut is text.endswith("+")
    assert answer.is_final is ("WT" not in text)


@pytest.mark.parametrize("text", ["", "a", "b OK", "ab OK", "a ok", "a ER", "a WT", "a WT done"])
def test_anything_else_is_no_answer(text: str) -> None:
    assert read(text, {"a"}) is None
