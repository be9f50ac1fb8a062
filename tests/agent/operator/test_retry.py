"""What is lost on the way, and what is said twice."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.payload.counters import next_counter
from tests.agent.operator.conftest import Desk, Handler, fill, platform_that, say
from tests.agent.simulator.conftest import PLATFORMS, SENDERS, Place, effects
from tests.support.agent import Agent
from tests.support.platforms import call

KEY = "correct horse battery staple 017"
LISTING = tuple(name for name in PLATFORMS if name != "m2m-portal")


def signed(desk: Desk, *devices: str) -> None:
    for name in devices:
        desk.tables["device"][name] |= {
            "device_id": "gw",
            "key_file": desk.secret("key", KEY),
        }
    desk.write()


def signing_agent(place: Place, platform: str) -> Agent:
    key = place.folder / "key"
    key.write_text(KEY)
    key.chmod(0o600)
    enabled: dict[str, Any] = {"enabled": [platform]}
    if platform in SENDERS:
        enabled[platform] = {"senders": [SENDERS[platform]], "reply_to": SENDERS[platform]}
    settings = {
        "platforms": enabled,
        "security": {"require_signature": "always", "keys": {"0": {"file": key}}},
        "command": {
            "note": {
                "exec": [
                    "/bin/sh",
                    "-c",
                    f"echo $MODEM_AGENT_COMMAND_ID >>{place.folder / 'effects'}",
                ]
            }
        },
    }
    return Agent(place.folder, settings=settings)


def is_first_answer(row: Any) -> bool:
    text = json.dumps(row)
    return " OK" in text and " dup" not in text


@contextlib.contextmanager
def relay(url: str) -> Iterator[str]:
    """Stand before a platform, in whose lists the first answer never comes to be seen."""

    def answers(one: Handler, body: bytes) -> None:
        names = ("Authorization", "Content-Type", "x-api-key")
        sent = {name: one.headers[name] for name in names if name in one.headers}
        got = call(one.command, url + one.path, body=body or None, headers=sent)
        told = json.loads(got.body) if got.body else None
        if isinstance(told, dict):
            told = {
                key: [row for row in value if not is_first_answer(row)]
                if isinstance(value, list)
                else value
                for key, value in told.items()
            }
        elif isinstance(told, list):
            told = [row for row in told if not is_first_answer(row)]
        headers = {key: got.headers[key] for key in ("Location",) if key in got.headers}
        say(one, got.status, json.dumps(told).encode() if got.body else b"", **headers)

    with platform_that(answers) as own:
        yield own


@pytest.mark.parametrize("platform", LISTING)
def test_a_signed_command_whose_first_answer_is_lost_is_repeated_and_ran_once(
    place: Place, desk: Desk, platform: str
) -> None:
    fill(desk, place)
    signed(desk, platform)
    with relay(place.url(platform)) as url, signing_agent(place, platform) as agent:
        desk.tables["platform"][platform]["url"] = url
        desk.write()
        agent.wait_log("modem ready", timeout_s=30)
        told = desk.json("send", platform, "note", "--wait", "2", "--retry", "30")
        assert told["answer"], told
        assert told["answer"]["state"] == "succeeded", told
        assert told["answer"]["duplicate"] is True
        assert told["tries"] > 1
        assert effects(place) == [told["id"]]
        assert " m=" in told["message"]


def test_the_very_same_message_again_is_answered_with_what_was_stored(
    place: Place, desk: Desk
) -> None:
    fill(desk, place)
    signed(desk, "super-sim")
    with signing_agent(place, "super-sim") as agent:
        agent.wait_log("modem ready", timeout_s=30)
        first = desk.json("send", "super-sim", "note id=mine", "--wait", "60")
        assert first["answer"]["duplicate"] is False
        # The older answer bears the id as well, and is not taken for the new one.
        again = desk.json("send", "super-sim", "note id=mine", "--wait", "60")
        assert again["answer"]["duplicate"] is True, again
        assert again["answer"]["state"] == "succeeded"
        assert effects(place) == ["mine"]


def test_processes_that_sign_at_once_never_share_a_counter(place: Place, desk: Desk) -> None:
    fill(desk, place)
    signed(desk, "super-sim")
    running = [desk.start("send", "super-sim", "note", "--json") for _ in range(6)]
    messages = [json.loads(one.communicate(timeout=60)[0])["message"] for one in running]
    counters = [word for message in messages for word in message.split() if word[:2] == "c="]
    assert len(counters) == len(set(counters)) == 6
    given = next_counter(desk.folder / "state" / "counters.json", "0", now=0)
    assert given == max(int(word[2:]) for word in counters) + 1
    assert not list(Path(desk.folder).glob("*.new"))
