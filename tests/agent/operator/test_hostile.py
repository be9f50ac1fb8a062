"""A platform that is not there, is slow, or answers as no platform does."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest

from tests.agent.operator.conftest import (
    Answers,
    Desk,
    Handler,
    account_table,
    platform_that,
    say,
)
from tests.agent.simulator.conftest import PLATFORMS

CREDENTIALS = {
    "programmable-wireless": ("client_id", "client_secret"),
    "super-sim": ("client_id", "client_secret"),
    "connectivitypro": ("client_id", "client_secret", "api_key", "account_id"),
    "m2m-portal": ("username", "password"),
    "emnify": ("application_token",),
}
DEVICES: dict[str, dict[str, Any]] = {
    "programmable-wireless": {"sim": "gateway-17"},
    "super-sim": {"sim": "gateway-17"},
    "connectivitypro": {"iccid": "8944"},
    "m2m-portal": {"iccid": "8944"},
    "emnify": {"endpoint": 12},
}
TOKENS = b'{"access_token": "a", "auth_token": "a"}'


def pointed(desk: Desk, url: str, **more: Any) -> None:
    desk.tables = {"platform": {}, "device": {}}
    for name in PLATFORMS:
        made_up = dict.fromkeys(CREDENTIALS[name], "made-up")
        desk.tables["platform"][name] = {**account_table(desk, name, url, made_up), **more}
        desk.tables["device"][name] = {"platform": name, **DEVICES[name]}
    desk.write()


def test_nobody_there_is_69(desk: Desk) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and not listening: refused
        pointed(desk, f"http://127.0.0.1:{taken.getsockname()[1]}")
        for platform in PLATFORMS:
            for words in (("send", platform, "ping"), ("messages", platform)):
                ended = desk.run(*words)
                assert ended.returncode == 69, ended.stderr
                assert f"{platform} cannot be reached" in ended.stderr


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param(lambda one, _: say(one, 200, b"<html>hello</html>"), id="html"),
        pytest.param(lambda one, _: say(one, 200, b""), id="nothing"),
        pytest.param(lambda one, _: say(one, 200, b'{"access_token": 7'), id="cut"),
        pytest.param(lambda one, _: say(one, 200, b"[" * 100_000), id="deep"),
        pytest.param(lambda one, _: say(one, 200, b'[{"sid": {}}]'), id="other-json"),
        pytest.param(lambda one, _: say(one, 200, TOKENS), id="tokens-only"),
        pytest.param(lambda one, _: say(one, 200, b"x" * 3_000_000), id="huge"),
        pytest.param(lambda one, _: say(one, 500, b'{"message": "\x1b[2Jboom"}'), id="500"),
        pytest.param(lambda one, _: say(one, 503, b"\xff\xfe"), id="503"),
        pytest.param(lambda one, _: say(one, 302, b"", Location="http://127.0.0.1:1/"), id="302"),
        pytest.param(lambda one, _: say(one, 429, b"{}"), id="429"),
        pytest.param(lambda one, _: one.wfile.write(b"SMTP ready\r\n"), id="no-http"),
        pytest.param(
            lambda one, _: say(
                one, 200, b'<!DOCTYPE a [<!ENTITY b "c">]><a><api_outcome>&b;</api_outcome></a>'
            ),
            id="entities",
        ),
    ],
)
def test_an_answer_that_no_platform_gives_is_69_and_told(desk: Desk, answers: Answers) -> None:
    with platform_that(answers) as url:
        pointed(desk, url)
        for platform in PLATFORMS:
            ended = desk.run("send", platform, "ping", "--wait", "1")
            assert ended.returncode == 69, f"{platform}: {ended.stderr}"
            assert ended.stderr.count("\n") == 1
            assert ended.stderr.rstrip("\n").isprintable()
            assert "made-up" not in ended.stderr


def test_a_slow_platform_is_given_up(desk: Desk) -> None:
    with platform_that(lambda *_: time.sleep(1.5)) as url:
        pointed(desk, url, timeout_s=0.3)
        ended = desk.run("send", "super-sim", "ping", "--wait", "1")
        assert ended.returncode == 69
        assert "no answer within 0.3 s" in ended.stderr


def test_a_platform_that_refuses_the_credentials_is_1(desk: Desk) -> None:
    with platform_that(lambda one, _: say(one, 401, b'{"message": "who are you"}')) as url:
        pointed(desk, url)
        for platform in PLATFORMS:
            ended = desk.run("send", platform, "ping")
            assert ended.returncode == 1
            assert f"{platform} refused it: 401 who are you" in ended.stderr


def test_a_platform_that_fails_after_it_took_the_command_is_75_with_what_is_known(
    desk: Desk,
) -> None:
    def answers(one: Handler, _: bytes) -> None:
        if one.command == "GET":
            say(one, 500, b"{}")
        elif "token" in one.path:
            say(one, 200, TOKENS)
        else:
            say(one, 201, b'{"sid": "HC\\u001b[2J"}')

    with platform_that(answers) as url:
        pointed(desk, url)
        ended = desk.run("send", "super-sim", "ping", "--wait", "1")
        assert ended.returncode == 75
        assert "super-sim says nothing of HC?[2J" in ended.stderr
        assert "answered 500" in ended.stderr
        assert "\x1b" not in desk.run("send", "super-sim", "ping").stdout
        told = desk.json("send", "super-sim", "ping", "--wait", "1", "--retry", "1")
        assert told["tries"] == 2
        assert told["answer"] is None


def test_a_retry_reaches_a_platform_that_was_away(desk: Desk) -> None:
    refusals = [503]

    def answers(one: Handler, _: bytes) -> None:
        if "token" in one.path:
            say(one, 200, TOKENS)
        elif refusals:
            say(one, refusals.pop(), b"")
        elif one.command == "POST":
            say(one, 201, b'{"sid": "HC1"}')
        else:
            say(one, 200, b'{"sms_commands": [], "status": "failed"}')

    with platform_that(answers) as url:
        pointed(desk, url)
        ended = desk.run("send", "super-sim", "ping", "--wait", "5", "--retry", "1")
        assert ended.returncode == 1
        assert "super-sim says failed" in ended.stderr
