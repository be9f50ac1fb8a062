"""`operator listen`: callbacks and pushes of all five platforms, each printed once."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import queue
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.operator.signatures import is_token, kore_signature
from tests.agent.operator.conftest import Desk, Handler, fill, platform_that, say
from tests.agent.operator.test_hostile import pointed
from tests.agent.simulator.conftest import PLATFORMS, Place, world
from tests.support.agent import Agent
from tests.support.platforms import Customer, Simulation, call


class Ears:
    """A running `operator listen`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stderr is not None
        line = process.stderr.readline()
        found = re.search(r"http://\S+(?=/$)", line.strip())
        assert found, line + process.stderr.read()
        self.url = found[0]
        self._lines: queue.Queue[str] = queue.Queue()
        self._readers = [
            threading.Thread(target=self._read, args=(process.stdout,), daemon=True),
            threading.Thread(target=process.stderr.read, daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, stream: Any) -> None:
        for line in stream:
            self._lines.put(line)

    def event(self, **wanted: Any) -> dict[str, Any]:
        """The next event with these values."""
        while True:
            event: dict[str, Any] = json.loads(self._lines.get(timeout=60))
            if all(event[key] == value for key, value in wanted.items()):
                return event

    def quiet(self) -> bool:
        return self._lines.empty()

    def end(self) -> int:
        self._process.send_signal(signal.SIGTERM)
        status = self._process.wait(20)
        for reader in self._readers:
            reader.join(20)
        for stream in (self._process.stdout, self._process.stderr):
            assert stream is not None
            stream.close()
        return status


@contextlib.contextmanager
def ears(desk: Desk) -> Iterator[Ears]:
    heard = Ears(desk.start("listen", "--http", "127.0.0.1:0"))
    try:
        yield heard
    finally:
        assert heard.end() == 0


SECRETS = {
    "programmable-wireless": "webhook_secret_file",
    "super-sim": "webhook_secret_file",
    "m2m-portal": "passphrase_file",
    "emnify": "api_secret_file",
}


def proven(desk: Desk, url: str = "http://127.0.0.1:1") -> None:
    """An inventory that knows every secret: `12345`."""
    pointed(desk, url)
    for name, key in SECRETS.items():
        desk.tables["platform"][name][key] = desk.secret("shared", "12345")
    desk.write()


def jwt(secret: str, head: dict[str, Any], claims: dict[str, Any]) -> str:
    def part(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

    signed = ".".join(part(json.dumps(one).encode()) for one in (head, claims))
    return f"{signed}.{part(hmac.digest(secret.encode(), signed.encode(), 'sha256'))}"


HS256 = {"alg": "HS256", "typ": "JWT"}


def test_the_published_signature() -> None:
    body = b"field1=value1&field2=value2"
    told = "f562d3959f68b5a30fc7a63f8bbf40987f633575f4231ffceb4f76dd154ea3ce"
    assert kore_signature("12345", "POST", "https://testendpoint.com", body) == told
    assert kore_signature("12345", "POST", "https://testendpoint.com?a=b#c", body) == told


@pytest.mark.parametrize(
    ("token", "good"),
    [
        (jwt("12345", HS256, {}), True),
        (jwt("12345", HS256, {"exp": 1000}), True),
        (jwt("12345", HS256, {"exp": 900}), False),
        (jwt("12345", HS256, {"exp": "soon"}), False),
        (jwt("12345", HS256, {"nbf": 2000}), False),
        (jwt("54321", HS256, {}), False),
        (jwt("12345", {"alg": "none"}, {}), False),
        (jwt("12345", {"alg": "none"}, {}).rpartition(".")[0] + ".", False),
        (jwt("12345", {"alg": "HS512"}, {}), False),
        ("", False),
        ("a.b.c", False),
        ("..", False),
        ("\u00e9.\u00e9.\u00e9", False),
    ],
)
def test_a_token_is_signed_and_in_time(token: str, good: bool) -> None:
    assert is_token(token, "12345", 950.0 + 40) is good


def test_what_bears_no_secret_is_refused_and_not_printed(desk: Desk) -> None:
    proven(desk)
    with ears(desk) as heard:
        form = {"CommandSid": "HC1", "Status": "received", "Payload": "x OK", "SimSid": "HS1"}
        calls: dict[str, dict[str, Any]] = {
            "super-sim": {"form": form, "headers": {"kore-signature": "0" * 64}},
            "programmable-wireless": {"form": form},
            "emnify": {"body": b'{"id": 1, "payload": "x OK"}'},
            "m2m-portal": {"body": b"<post_sms><message_text>x OK</message_text></post_sms>"},
        }
        for name, how in calls.items():
            assert call("POST", f"{heard.url}/{name}", **how).status == 403
        body = b"CommandSid=HC1&Status=received&Payload=x+OK&SimUniqueName=gateway-17"
        url = f"{heard.url}/super-sim"
        headers = {"kore-signature": hashlib.sha256(b"12345POST" + url.encode() + body).hexdigest()}
        assert call("POST", f"{url}?a=b", body=body, headers=headers).status == 200
        event = heard.event()
        assert (event["id"], event["verified"], event["text"]) == ("HC1", True, "x OK")
        assert event["device"] == "super-sim"
        query = "CommandSid=HC2&Status=delivered"
        headers = {"kore-signature": hashlib.sha256(b"12345GET" + url.encode()).hexdigest()}
        assert call("GET", f"{url}?{query}", headers=headers).status == 200
        assert heard.event()["id"] == "HC2"
        token = {"Authorization": f"Bearer {jwt('12345', HS256, {})}"}
        body = b'{"id": 1, "payload": "x OK", "endpoint": {"id": 12}}'
        assert call("POST", f"{heard.url}/emnify", body=body, headers=token).status == 200
        assert heard.event()["device"] == "emnify"
        body = b"<post-sms><PassPhrase>12345</PassPhrase><iccid>8944</iccid></post-sms>"
        assert call("POST", f"{heard.url}/m2m-portal", body=body).status == 200
        assert heard.event()["device"] == "m2m-portal"
        assert heard.quiet()


def test_a_signature_is_over_the_address_that_the_platform_knows(desk: Desk) -> None:
    proven(desk)
    desk.tables["listen"] = {"url": "https://desk.example/sms/"}
    desk.write()
    with ears(desk) as heard:
        body = b"CommandSid=HC1&Status=sent"
        told = b"12345POSThttps://desk.example/sms/super-sim" + body
        headers = {"kore-signature": hashlib.sha256(told).hexdigest()}
        answer = call("POST", f"{heard.url}/super-sim", body=body, headers=headers)
        assert answer.status == 200
        assert heard.event()["status"] == "sent"


def test_repeats_are_dropped_also_over_a_restart(desk: Desk) -> None:
    pointed(desk, "http://127.0.0.1:1")

    def push(heard: Ears, id_: str, text: str, status: str = "received") -> None:
        form = {"CommandSid": id_, "Status": status, "Payload": text, "SimSid": "gateway-17"}
        assert call("POST", f"{heard.url}/super-sim", form=form).status == 200

    with ears(desk) as heard:
        push(heard, "HC1", "a OK")
        push(heard, "HC1", "a OK")
        push(heard, "HC2", "a OK")  # the same SMS under two ids
        push(heard, "HC3", "b OK")
        push(heard, "HC4", "c", "sent")
        push(heard, "HC4", "c", "delivered")
        events = [heard.event() for _ in range(4)]
        assert [(one["id"], one["status"]) for one in events] == [
            ("HC1", "received"),
            ("HC3", "received"),
            ("HC4", "sent"),
            ("HC4", "delivered"),
        ]
        assert events[0]["verified"] is None
    with ears(desk) as heard:
        push(heard, "HC1", "a OK")
        push(heard, "HC9", "b OK")
        push(heard, "HC5", "d OK")
        assert heard.event()["id"] == "HC5"
        assert heard.quiet()


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/super-sim", b"\xff\xfe", 400),
        ("POST", "/super-sim", b"a=b", 400),
        ("POST", "/super-sim", b"&".join(b"a=b" for _ in range(500)), 400),
        ("POST", "/connectivitypro", b'{"events": [7]}', 400),
        ("POST", "/connectivitypro", b"[" * 100_000, 400),
        ("POST", "/emnify", b'{"id": {}}', 400),
        ("POST", "/m2m-portal", b'<!DOCTYPE a [<!ENTITY b "c">]><post_sms>&b;</post_sms>', 400),
        ("POST", "/m2m-portal", b"<other/>", 400),
        ("POST", "/emnify", b"x" * 300_000, 413),
        ("PATCH", "/super-sim", b"", 405),
        ("POST", "/elsewhere", b"", 404),
    ],
)
def test_what_no_platform_calls_with_is_refused(
    heard_by_all: Ears, method: str, path: str, body: bytes, status: int
) -> None:
    assert call(method, heard_by_all.url + path, body=body).status == status
    # It lives, and a text that is no Unicode is printed all the same.
    told = {"id": f"{hash((path, body))}", "payload": f"\ud800 {status} {path} {len(body)}"}
    answer = call("POST", f"{heard_by_all.url}/emnify", body=json.dumps(told).encode())
    assert answer.status == 200
    assert heard_by_all.event()["text"] == told["payload"]


@pytest.fixture(scope="module")
def heard_by_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ears]:
    desk = Desk(tmp_path_factory.mktemp("desk"))
    pointed(desk, "http://127.0.0.1:1")
    with ears(desk) as heard:
        yield heard


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_answer_of_each_platform_is_heard_and_waited_for(
    tmp_path: Path, desk: Desk, platform: str
) -> None:
    pointed(desk, "http://127.0.0.1:1")
    with ears(desk) as heard:
        file = tmp_path / "world.toml"
        file.write_text(world(heard.url, tmp_path / "modem"))
        with Simulation(tmp_path, "--world", str(file)) as simulation:
            place = Place(tmp_path, simulation, Customer())
            fill(desk, place)
            agent = make_agent_of(place, platform)
            with agent:
                agent.wait_log("modem ready", timeout_s=30)
                told = desk.json("send", platform, "ping", "--wait", "60")
                assert told["answer"]["state"] == "succeeded", told
                event = heard.event(platform=platform, direction="from_sim")
                assert event["text"] == told["answer"]["text"]


def test_where_only_pushes_tell_a_lost_answer_is_asked_for_again(
    tmp_path: Path, desk: Desk
) -> None:
    pointed(desk, "http://127.0.0.1:1")
    with ears(desk) as heard:

        def lossy(one: Handler, body: bytes) -> None:
            """Take the first answer, and tell nobody."""
            if b" OK" not in body or b" dup" in body:
                call("POST", heard.url + one.path, body=body)
            say(one, 200, b"")

        with platform_that(lossy) as url:
            file = tmp_path / "world.toml"
            file.write_text(world(url, tmp_path / "modem"))
            with Simulation(tmp_path, "--world", str(file)) as simulation:
                place = Place(tmp_path, simulation, Customer())
                fill(desk, place)
                with make_agent_of(place, "m2m-portal") as agent:
                    agent.wait_log("modem ready", timeout_s=30)
                    words = ("send", "m2m-portal", "ping", "--wait", "2", "--retry", "30")
                    told = desk.json(*words)
                    assert told["answer"], told
                    assert told["answer"]["duplicate"] is True
                    assert len(agent.rows("commands")) == 1


def make_agent_of(place: Place, platform: str) -> Agent:
    sender = {"m2m-portal": "882390", "emnify": "12345"}.get(platform)
    row = {platform: {"senders": [sender], "reply_to": sender}} if sender else {}
    return Agent(place.folder, settings={"platforms": {"enabled": [platform], **row}})
