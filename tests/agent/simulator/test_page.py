"""The page at `/`: in a real browser, and what it may not do."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agent.simulator.conftest import PLATFORMS, MakeAgent, Place
from tests.support.browser import Browser, browser, missing
from tests.support.platforms import Simulation, call, eventually

needs_browser = pytest.mark.skipif(missing() is not None, reason=str(missing()))


@pytest.fixture(scope="module")
def window() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


def listed(window: Browser, *names: str) -> None:
    """Wait until the page knows the world."""
    eventually(lambda: set(names) <= set(window.text("#platform").split()), "platforms")


@needs_browser
def test_a_command_is_typed_and_both_ends_are_watched(
    window: Browser, place: Place, make_agent: MakeAgent
) -> None:
    make_agent("super-sim").wait_log("modem ready", timeout_s=30)
    window.open(f"{place.simulation.url}/")
    listed(window, *PLATFORMS)
    window.choose("#platform", "super-sim")
    eventually(lambda: window.text("#sim") == "gateway-17", "device")
    window.write("#text", "ping id=typed")
    window.click("#send")
    eventually(lambda: "201" in window.text("#exchange"), "answer of the API")
    assert "/super-sim/v1/SmsCommands" in window.text("#exchange")
    eventually(lambda: re.search(r"typed OK.*succeeded", window.text("#replies")), "reply")
    eventually(lambda: re.search(r"to_sim\s+ping id=typed\s+delivered", window.text("#api")), "API")
    eventually(lambda: re.search(r"from_sim\s+typed OK", window.text("#api")), "answer in the API")
    eventually(lambda: re.search(r"Status=received.*200", window.text("#callbacks")), "callback")
    eventually(lambda: re.search(r"typed\s+1\s+delivered", window.text("#centre")), "centre")
    eventually(lambda: re.search(r"gateway-17.*\s0\s+0\s+1$", window.text("#modems")), "modem")
    assert not window.problems()
    if folder := os.environ.get("PAGE_SCREENSHOT"):
        Path(folder).write_bytes(window.screenshot())


@needs_browser
def test_a_refusal_is_shown_and_a_message_is_text_only(window: Browser, place: Place) -> None:
    window.open(f"{place.simulation.url}/")
    listed(window, *PLATFORMS)
    window.choose("#platform", "programmable-wireless")
    eventually(lambda: window.text("#sim") == "gateway-17", "device")
    window.write("#text", "x" * 161)
    window.click("#send")
    eventually(lambda: "33111" in window.text("#exchange"), "refusal")
    window.write("#text", "<img src=x onerror=document.title=1>")
    window.click("#send")
    eventually(lambda: "<img src=x" in window.text("#api"), "the text as it is")
    assert window.run("return document.images.length") == 0
    assert not window.problems()


@needs_browser
def test_no_foreign_page_reaches_the_control_api(window: Browser, place: Place) -> None:
    before = place.simulation.state()["faults"]
    window.open(f"{place.customer.url}/")
    window.run(
        "window.done = 0;"
        "fetch(arguments[0], {method: 'POST', mode: 'no-cors', body: '{\"lose\": 1}'})"
        ".finally(() => { window.done = 1 })",
        f"{place.simulation.url}/_control/faults",
    )
    eventually(lambda: window.run("return window.done") == 1, "end of the request")
    assert place.simulation.state()["faults"] == before


def test_the_page_loads_nothing_from_elsewhere(place: Place) -> None:
    page = call("GET", f"{place.simulation.url}/")
    assert page.status == 200
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    for path in ("/", "/_page/page.js", "/_page/page.css"):
        body = call("GET", f"{place.simulation.url}{path}").body
        assert not re.search(r"(https?:)?//[a-z]", body.replace("${", "")), path
        assert "<script>" not in body
        assert not re.search(r"\son\w+=|style=", body)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://elsewhere.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://rebound.example", "Host": "rebound.example"},
    ],
)
def test_another_sites_page_is_refused(place: Place, headers: dict[str, str]) -> None:
    url = f"{place.simulation.url}/_control/faults"
    assert call("POST", url, body=b'{"lose": 1}', headers=headers).status == 403


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_page_sends_through_each_platform_as_a_client_does(
    tmp_path: Path, platform: str
) -> None:
    with Simulation(tmp_path) as simulation:
        told = simulation.control("send", platform=platform, sim="gateway-17", text="ping <&>")
        assert told["status"] in (200, 201), told
        found = simulation.state()
        assert [one["text"] for one in found["platforms"][platform]] == ["ping <&>"]
        # A world that nobody described has its callbacks taken by the simulator itself.
        eventually(lambda: simulation.state()["callbacks"], "callback")
        eventually(
            lambda: all(one["status"] == 204 for one in simulation.state()["callbacks"]), "answers"
        )


@pytest.mark.parametrize(
    "body", [{}, {"platform": "x", "sim": "gateway-17", "text": "a"}, {"platform": "emnify"}]
)
def test_what_cannot_be_sent_is_told(place: Place, body: dict[str, str]) -> None:
    answer = call("POST", f"{place.simulation.url}/_control/send", body=json.dumps(body).encode())
    assert answer.status == 400
    assert answer.json["error"]
