"""Each platform end to end: its API, a real agent, the answer in the API and at the callback."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.agent.simulator.conftest import PLATFORMS, MakeAgent, Place, answer_of, effects
from tests.support.platforms import call, eventually


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_command_goes_through_the_api_to_the_agent_and_its_answer_comes_back(
    place: Place, make_agent: MakeAgent, platform: str
) -> None:
    agent = make_agent(platform)
    agent.wait_log("modem ready", timeout_s=30)
    sent = place.send(platform, "note id=a")
    assert sent.status in (200, 201), sent.body
    assert answer_of(place, platform, "a")["text"].startswith("a OK")
    assert effects(place) == ["a"]
    delivered = {"delivered", "Success", "DELIVERED"}
    eventually(lambda: place.messages(platform, "to_sim")[0]["status"] in delivered, "delivery")
    eventually(lambda: [one for one in place.customer.calls if "a OK" in _said(one)], "callback")


def _said(one: dict[str, Any]) -> str:
    return str(one["body"] or one["path"]).replace("+", " ").replace("%20", " ")


@pytest.mark.parametrize("platform", PLATFORMS)
def test_an_agent_that_is_off_gets_its_command_later_and_twice_the_same_runs_once(
    place: Place, make_agent: MakeAgent, platform: str
) -> None:
    place.simulation.control("modem", op="radio", registration=0)
    place.simulation.control("faults", duplicate=1, again=1)
    assert place.send(platform, "note id=late").status in (200, 201)
    assert place.simulation.state()["sims"]["gateway-17"]["waiting"] == 3
    agent = make_agent(platform)
    agent.wait_log("modem ready|not registered|starting", timeout_s=30)
    place.simulation.control("modem", op="radio", registration=1)
    assert answer_of(place, platform, "late")["text"].startswith("late OK")
    agent.wait_rows("SELECT 1 FROM messages WHERE verdict = 'duplicate'", count=2, timeout_s=30)
    assert effects(place) == ["late"]


def test_programmable_wireless_puts_its_sid_into_the_body(
    place: Place, make_agent: MakeAgent
) -> None:
    make_agent("programmable-wireless").wait_log("modem ready", timeout_s=30)
    name = "programmable-wireless"
    form = {"Sim": "gateway-17", "Command": "note", "IncludeSid": "start"}
    url = f"{place.url(name)}/v1/Commands"
    created = call("POST", url, form=form, headers=place.bearer(name)).json
    answer = answer_of(place, name, created["sid"].upper())
    assert answer["text"].split()[1] == "OK"


def test_binary_both_ways_is_base64(place: Place) -> None:
    name = "programmable-wireless"
    data = base64.b64encode(bytes(range(140))).decode()
    form = {"Sim": "gateway-17", "Command": data, "CommandMode": "binary"}
    url = f"{place.url(name)}/v1/Commands"
    created = call("POST", url, form=form, headers=place.bearer(name))
    assert created.status == 201
    assert created.json["command"] == data
    eventually(lambda: place.messages(name, "to_sim")[0]["status"] == "delivered", "delivery")
