"""`operator send` through each simulated platform, with a real agent behind it."""

from __future__ import annotations

import json
import re

import pytest

from tests.agent.operator.conftest import Desk, fill
from tests.agent.simulator.conftest import PLATFORMS, MakeAgent, Place, effects

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
