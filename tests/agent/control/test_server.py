"""The control socket's conversation: requests, answers, clients that behave and that do not."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agent.conftest import Running
from tests.support.agent import Agent
from tests.support.control import Conversation


@pytest.fixture
def talk(running: Running) -> Iterator[Conversation]:
    with Conversation(running.agent.control_path) as conversation:
        yield conversation


def error(answer: dict[str, object]) -> tuple[str, str]:
    assert answer["ok"] is False
    assert answer["done"] is True
    told = answer["error"]
    assert isinstance(told, dict)
    return told["code"], told["text"]


def test_answer_names_its_request(talk: Conversation) -> None:
    for req in (7, "seven", None):
        answer = talk.ask("status", req=req)
        assert (answer["req"], answer["ok"], answer["done"]) == (req, True, True)


def test_requests_of_one_client_run_side_by_side(talk: Conversation) -> None:
    talk.request("send", req=1, text="slow")
    talk.request("commands", req=2)
    ends: list[object] = []
    while len(ends) < 2:
        answer = talk.hear()
        if answer["done"]:
            ends.append(answer["req"])
    assert ends == [2, 1]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b"hello", "not JSON"),
        (b"[" * 30000, "not JSON"),
        (b"[1]", "object"),
        (b'"status"', "object"),
        (b"{}", "op is missing"),
        (b'{"op": 5}', "op is missing"),
        (b'{"op": "dance"}', "no operation dance; there are status, send"),
        (b'{"op": "status", "req": [1]}', "req is"),
        (b'{"op": "status", "verbose": true}', "verbose is no key"),
        (b'{"op": "send"}', "text is missing"),
        (b'{"op": "send", "text": 5}', "text is missing"),
        (b'{"op": "send", "text": "\\ud800"}', "half a character"),
        (b'{"op": "send", "text": "ping", "id": "a b"}', "id is not"),
        (b'{"op": "send", "text": "ping", "wait": "no"}', "wait is not"),
        (b'{"op": "send", "text": "ping", "timeout_s": -1}', "timeout_s is not"),
        (b'{"op": "send", "text": "ping", "timeout_s": NaN}', "timeout_s is not"),
        (b'{"op": "history", "since": "yesterday"}', "since is not"),
        (b'{"op": "history", "since": "2026-11-21T10:00"}', "no zone"),
        (b'{"op": "history", "limit": 0}', "limit is not"),
        (b'{"op": "explain", "text": "x", "channel": "fax"}', "channel is"),
        (b'{"op": "road"}', "exactly one"),
        (b'{"op": "at", "line": "+CSQ", "timeout_s": 1e9}', "timeout_s is not"),
    ],
)
def test_wrong_request_is_told_what_is_wrong_and_the_next_is_heard(
    talk: Conversation, line: bytes, text: str
) -> None:
    talk.send(line + b"\n")
    code, told = error(talk.hear())
    assert code == "usage"
    assert text in told
    assert talk.ask("commands")["ok"]


def test_request_with_a_wrong_key_is_answered_under_its_number(talk: Conversation) -> None:
    assert talk.ask("status", req=9, x=1)["req"] == 9


def test_empty_lines_are_no_requests(talk: Conversation) -> None:
    talk.send(b"\n \r\n")
    assert talk.ask("commands")["ok"]


def test_endless_line_ends_the_connection_with_a_reason(talk: Conversation) -> None:
    talk.send(b"x" * 70000)
    assert error(talk.hear()) == ("usage", "a line is at most 65536 octets")
    assert talk.hear() == {}


def test_longest_payload_fits_a_request_even_as_escapes(talk: Conversation) -> None:
    text = "é" * 4096  # 8 KiB of UTF-8
    line = json.dumps({"op": "explain", "text": text, "channel": "console"})
    assert "\\u00e9" in line
    talk.send(line.encode() + b"\n")
    assert talk.hear()["verdict"] == "not-a-command"


def test_client_that_says_no_more_still_gets_its_answer(talk: Conversation) -> None:
    talk.request("send", text="slow")
    talk.say_no_more()
    states = []
    while answer := talk.hear():
        states.append(answer["state"])
    assert states[-1] == "succeeded"


def test_last_line_needs_no_line_end(talk: Conversation) -> None:
    talk.send(b'{"op": "commands"}')
    talk.say_no_more()
    assert talk.hear()["ok"]


def test_clients_that_vanish_while_they_follow_leave_room_for_others(running: Running) -> None:
    for _ in range(50):  # more than may be connected at once
        with Conversation(running.agent.control_path) as one:
            one.request("events")
            assert one.hear()["following"]

    def free() -> bool:
        with Conversation(running.agent.control_path) as one:
            return bool(one.ask("commands")["ok"])

    assert running.agent.wait(free, "a free place")


def test_one_client_too_many_is_told_so(running: Running) -> None:
    with contextlib.ExitStack() as stack:
        path = running.agent.control_path
        for _ in range(32):
            one = stack.enter_context(Conversation(path))
            assert one.ask("commands")["ok"]
        late = stack.enter_context(Conversation(path))
        assert error(late.hear()) == ("unavailable", "32 clients are connected already")
        assert late.hear() == {}


def test_events_are_told_as_they_happen(running: Running) -> None:
    with Conversation(running.agent.control_path) as one:
        one.request("events", kind="command")
        assert one.hear()["following"]
        with Conversation(running.agent.control_path) as two:
            two.ask("send", text="ping id=watched")
        told = [one.hear()["event"] for _ in range(2)]
    assert [(event["id"], event["state"]) for event in told] == [
        ("watched", "running"),
        ("watched", "succeeded"),
    ]


def test_other_users_are_refused_even_where_the_mode_would_let_them_in(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    script = (
        "import os, socket, sys; os.setgroups([]); os.setgid(65534); os.setuid(65534);"
        "s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]);"
        's.sendall(b\'{"op":"status"}\\n\'); print(s.makefile().read())'
    )
    with tempfile.TemporaryDirectory() as name, Agent(Path(name)) as agent:
        for path in (Path(name), agent.control_path.parent):
            path.chmod(0o755)
        agent.control_path.chmod(0o666)
        done = subprocess.run(
            [sys.executable, "-c", script, str(agent.control_path)],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
        assert done.stderr == ""
        assert error(json.loads(done.stdout)) == ("denied", "user 65534 may not use this agent")
        assert "control client refused" in agent.log


def test_second_agent_is_told_who_has_the_socket_and_runs_on_without_it(tmp_path: Path) -> None:
    with Agent(tmp_path / "one") as first:
        second = Agent(tmp_path / "two", env={"RUNTIME_DIRECTORY": str(first.folder / "run")})
        with second:
            second.wait_log(re.escape(f"another agent listens there (process {first.pid})"))
            assert second.running
        assert "Traceback" not in second.log
        with Conversation(first.control_path) as talk:
            assert talk.ask("status")["pid"] == first.pid


def test_socket_of_a_killed_agent_is_taken_over_and_an_orderly_end_removes_it(
    tmp_path: Path,
) -> None:
    with Agent(tmp_path) as agent:
        agent.kill()
        assert agent.control_path.exists()
        agent.start()
        with Conversation(agent.control_path) as talk:
            assert talk.ask("status")["pid"] == agent.pid
            assert agent.stop() == 0
            assert talk.hear() == {}
        assert not agent.control_path.exists()


def test_agent_without_a_place_for_its_socket_runs_all_the_same(tmp_path: Path) -> None:
    with Agent(tmp_path, env={"RUNTIME_DIRECTORY": str(tmp_path / "no" / ("x" * 120))}) as agent:
        assert "no control socket" in agent.wait_log("control socket")
        assert agent.stop() == 0


def test_client_does_not_trust_a_folder_that_a_stranger_made(
    running: Running, tmp_path: Path
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    strange = tmp_path / "modem-agent-0"
    strange.mkdir()
    (strange / "control.sock").symlink_to(running.agent.control_path)
    os.chown(strange, 65534, 65534)
    env = {"RUNTIME_DIRECTORY": str(strange)}
    done = running.agent.cli("status", env=env)
    assert (done.returncode, done.stdout) == (69, "")
    assert "belongs to another user (uid 65534); set control.socket" in done.stderr
    named = running.agent.cli("status", "--socket", str(strange / "control.sock"), env=env)
    assert named.returncode == 0
