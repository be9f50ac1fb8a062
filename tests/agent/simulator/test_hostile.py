"""Whatever comes over HTTP: an error in the platform's own form, and the simulator lives on."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.platforms import Simulation, call

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
XML = {"Content-Type": "application/xml"}
BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]>'
    b"<send_sms><iccid>&b;</iccid></send_sms>"
)
OUTSIDE = (
    b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><send_sms><iccid>&a;</iccid></send_sms>'
)


@pytest.fixture(scope="module")
def simulation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulation]:
    with Simulation(tmp_path_factory.mktemp("hostile")) as running:
        yield running


@pytest.fixture(scope="module")
def headers(simulation: Simulation) -> dict[str, dict[str, str]]:
    """What a client of each platform sends to be known."""
    told: dict[str, dict[str, str]] = {"m2m-portal": {}}
    for name in ("programmable-wireless", "super-sim", "connectivitypro"):
        account = simulation.platform(name)["credentials"]
        path = "/Api/api/token" if name == "connectivitypro" else "/api-services/v1/auth/token"
        form = {
            "grant_type": "client_credentials",
            "client_id": account["client_id"],
            "client_secret": account["client_secret"],
        }
        answer = call("POST", f"{simulation.url}/{name}{path}", form=form).json
        told[name] = {"Authorization": f"Bearer {answer['access_token']}"}
        if name == "connectivitypro":
            told[name]["x-api-key"] = account["api_key"]
    token = simulation.platform("emnify")["credentials"]["application_token"]
    body = json.dumps({"application_token": token}).encode()
    answer = call("POST", f"{simulation.url}/emnify/api/v1/authenticate", body=body).json
    told["emnify"] = {"Authorization": f"Bearer {answer['auth_token']}"}
    return told


def target(simulation: Simulation, name: str) -> str:
    platform = simulation.platform(name)
    path = {
        "programmable-wireless": "/v1/Commands",
        "super-sim": "/v1/SmsCommands",
        "connectivitypro": "/sms/v1/messages/send?account-id="
        + str(platform["credentials"].get("account_id")),
        "m2m-portal": "/",
        "emnify": f"/api/v1/endpoint/{platform['device'].get('endpoint_id')}/sms",
    }[name]
    return str(platform["url"]) + path


def is_own_form(name: str, body: str) -> bool:
    if name == "m2m-portal":
        return "<api_outcome>failure" in body and "<error_description>" in body
    told: dict[str, Any] = json.loads(body)
    wanted = {
        "programmable-wireless": {"status", "message", "code", "more_info"},
        "super-sim": {"status", "message", "code", "more_info"},
        "connectivitypro": {"message", "code", "status"},
        "emnify": {"error_code", "error_token", "message"},
    }[name]
    return wanted <= told.keys()


BODIES: list[tuple[str, dict[str, str], bytes]] = [
    ("ten megabytes", FORM, b"x=" + b"y" * 10_000_000),
    ("broken UTF-8", FORM, b"Sim=%ff%fe&Command=\xff&Payload=\xff"),
    ("no form", FORM, b"\x00\x01\x02"),
    ("no JSON", JSON, b"{"),
    ("an array", JSON, b"[1, 2]"),
    ("deep", JSON, b"[" * 50_000),
    ("wrong types", JSON, b'{"payload": 1, "message": [], "msisdn": {}, "source_address": null}'),
    ("lone surrogate", JSON, b'{"payload": "\\ud800", "message": "\\ud800", "msisdn": "1"}'),
    ("huge number", JSON, b'{"payload": "x", "source_address": 1' + b"0" * 5000 + b"}"),
    ("nothing", {}, b""),
    ("entities", XML, BOMB),
    ("outside entity", XML, OUTSIDE),
    ("deep XML", XML, b"<a>" * 5000 + b"</a>" * 5000),
    ("broken XML", XML, b"<send_sms"),
    ("unknown encoding", XML, b'<?xml version="1.0" encoding="martian"?><a/>'),
]
PLATFORMS = ("programmable-wireless", "super-sim", "connectivitypro", "m2m-portal", "emnify")


@pytest.mark.parametrize("name", PLATFORMS)
@pytest.mark.parametrize(("what", "kind", "body"), BODIES, ids=[one[0] for one in BODIES])
def test_a_bad_body_is_refused_in_the_platform_s_own_form(
    simulation: Simulation,
    headers: dict[str, dict[str, str]],
    name: str,
    what: str,
    kind: dict[str, str],
    body: bytes,
) -> None:
    answer = call("POST", target(simulation, name), body=body, headers={**headers[name], **kind})
    assert 400 <= answer.status < 500 or name == "m2m-portal", answer.body
    assert is_own_form(name, answer.body), answer.body
    assert "root:" not in answer.body


@pytest.mark.parametrize("name", PLATFORMS)
@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS"])
def test_a_wrong_method_or_path_is_refused_in_the_platform_s_own_form(
    simulation: Simulation, headers: dict[str, dict[str, str]], name: str, method: str
) -> None:
    url = simulation.platform(name)["url"]
    for path in ("/nothing", urlsplit(target(simulation, name)).path.removeprefix(f"/{name}")):
        answer = call(method, f"{url}{path}", headers=headers[name])
        assert answer.status in (404, 405)
        assert is_own_form(name, answer.body), answer.body


def test_memory_stays_bounded_under_large_bodies(simulation: Simulation) -> None:
    before = simulation.resident_mib()

    def flood() -> None:
        for _ in range(5):
            call("POST", target(simulation, "super-sim"), body=b"y" * 10_000_000, headers=FORM)

    threads = [threading.Thread(target=flood) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert simulation.resident_mib() - before < 64


def test_slow_clients_do_not_hold_up_the_others(simulation: Simulation) -> None:
    parts = urlsplit(simulation.url)
    slow = []
    for _ in range(50):
        one = socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10)
        one.sendall(
            b"POST /super-sim/v1/SmsCommands HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n"
        )
        slow.append(one)
    assert call("GET", f"{simulation.url}/_control/state").status == 200
    for one in slow:
        one.close()
    assert call("GET", f"{simulation.url}/_control/state").status == 200
