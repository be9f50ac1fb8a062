"""`operator send` through each simulated platform, with a real agent behind it."""

from __future__ import annotations

import json
import re
import sys

import pytest

from tests.agent.operator.conftest import Desk, fill
from tests.agent.operator.test_hostile import pointed
from tests.agent.simulator.conftest import PLATFORMS, MakeAgent, Place, effects
from tests.support.agent import REPOSITORY
from tests.support.terminal import Terminal

LISTING = tuple(name for name in PLATFORMS if name != "m2m-portal")


@pytest.mark.parametrize("platform", LISTING)
def test_a_command_is_sent_and_its_answer_is_waited_for(
    place: Place, make_agent: MakeAgent, desk: Desk, platform: str
) -> None:
    fill(desk, place)
    make_agent(platform).wait_log("modem ready", timeout_s=30)
    told = desk.json("send", platform, "note", "--wait", "60")
    assert told["answer"]["state"] == "succeeded", told
    assert effects(place) == [told["id"]]
    assert told["platform_id"]
    assert told["segments"] == 1
    plain = desk.run("send", platform, "ping", "--wait", "60")
    assert plain.returncode == 0, plain.stderr
    assert re.fullmatch(r"\w{8} OK up=[0-9.]+\n", plain.stdout)
    assert plain.stderr == ""  # not a terminal
    refused = desk.run("send", platform, "no-such-thing x=1", "--wait", "60")
    assert refused.returncode == 1
    assert "ER unknown-command" in refused.stdout
    listed = desk.run("messages", platform, "--json").stdout.splitlines()
    texts = [json.loads(line)["text"] for line in listed]
    assert told["message"] in texts
    assert told["answer"]["text"] in texts


def test_a_command_that_is_not_waited_for_is_sent(place: Place, desk: Desk) -> None:
    fill(desk, place)
    for platform in PLATFORMS:
        ended = desk.run("send", platform, "note")
        assert ended.returncode == 0, ended.stderr
        assert re.fullmatch(r"\w{8} sent as \S+: \d+ septets, 1 SMS\n", ended.stdout)
        assert place.messages(platform, "to_sim")[0]["text"].startswith("note id=")


def test_the_portal_lists_no_answers_and_that_is_said(
    place: Place, make_agent: MakeAgent, desk: Desk
) -> None:
    fill(desk, place)
    make_agent("m2m-portal").wait_log("modem ready", timeout_s=30)
    ended = desk.run("send", "m2m-portal", "note", "--wait", "3")
    assert ended.returncode == 75
    assert "no answer in time; m2m-portal says delivered" in ended.stderr
    assert "operator listen" in ended.stderr


def test_without_the_extra_it_says_what_to_install(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    pointed(desk, "http://127.0.0.1:1")
    for name in [one for one in sys.modules if one.startswith("agent.operator")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    for words in (
        ("send", "super-sim", "ping"),
        ("messages", "super-sim"),
        ("listen", "--http", "127.0.0.1:0"),
    ):
        ended = desk.run(*words)
        assert ended.returncode == 1
        assert "pip install '.[operator]'" in ended.stderr
    assert desk.run("check").returncode == 0


def test_a_command_that_is_scheduled_is_told_and_75(
    place: Place, make_agent: MakeAgent, desk: Desk
) -> None:
    fill(desk, place)
    make_agent("super-sim").wait_log("modem ready", timeout_s=30)
    desk.run("send", "super-sim", "note id=later when=+1h")
    told = desk.run("send", "super-sim", "note id=later when=+1h", "--wait", "8")
    assert told.returncode == 75
    assert told.stdout.startswith("later WT scheduled ")
    assert "the agent says scheduled" in told.stderr


def test_progress_is_shown_on_a_terminal(place: Place, make_agent: MakeAgent, desk: Desk) -> None:
    fill(desk, place)
    make_agent("super-sim").wait_log("modem ready", timeout_s=30)
    with Terminal() as terminal:
        words = desk.words("send", "super-sim", "ping", "--wait", "60")
        command = [sys.executable, "-m", "agent", *words]
        process = terminal.start(command, env=desk.environment(), cwd=REPOSITORY)
        terminal.wait_for("sent as HC", timeout_s=30)
        terminal.wait_for("answer: .* OK up=", timeout_s=60)
        assert process.wait(20) == 0


@pytest.mark.parametrize("platform", ["connectivitypro", "emnify"])
def test_a_text_of_two_parts_is_joined_by_the_agent(
    place: Place, make_agent: MakeAgent, desk: Desk, platform: str
) -> None:
    fill(desk, place)
    make_agent(platform).wait_log("modem ready", timeout_s=30)
    told = desk.json("send", platform, f"note pad={'y' * 170}", "--wait", "60")
    assert told["segments"] == 2
    # The id stands at the end, in the second part.
    assert (told["answer"]["reason"], told["answer"]["detail"][:3]) == ("bad-args", "pad"), told
