"""`modem-agent history`: every message ever received, with its verdict."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agent.journal.history import VERDICTS, Filters
from agent.journal.states import COMMAND, REPORT
from at.simulator.texts import pdus_of
from tests.support.agent import REPOSITORY, Agent, simulated

RECEIVED = [
    ("000", "ping id=h1"),
    ("2936", "bad id=h2"),
    ("000", "nonsense x=1"),
    ("+447700900123", "hello \x1b[31mred"),
    ("000", "Good morning"),
    ("000", "ping id=h1"),
    ("000", f"ping id=h3 {' ' * 200}"),
]


def first_part(sender: str, text: str) -> str:
    """The first PDU of a message of two; the other never comes."""
    return pdus_of(sender, text, datetime.now(UTC), reference=77)[0]


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    folder = tmp_path_factory.mktemp("history")
    settings = {"command": {"bad": {"exec": ["/bin/false"]}}}
    with simulated(folder) as modem, Agent(folder, settings=settings) as agent:
        # One after the other: a slot that is free again is read before the ones behind it.
        for count, (sender, text) in enumerate(RECEIVED, 1):
            modem.deliver_text(sender, text)
            agent.wait_rows("SELECT 1 FROM messages", count=count)
        part = first_part("000", "z" * 200)
        for verdict in ("part", "repeat"):
            modem.deliver(part)
            agent.wait_rows(f"SELECT 1 FROM segments WHERE verdict = '{verdict}'")
        agent.wait(lambda: not agent.query("SELECT 1 FROM reports WHERE state = 'pending'"))
        yield agent


def items(agent: Agent, *words: str) -> list[dict[str, Any]]:
    done = agent.main("history", "--json", *words)
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_message_is_listed_with_its_verdict_oldest_first(agent: Agent) -> None:
    found = items(agent)
    assert [item["verdict"] for item in found] == [
        "accepted",
        "accepted",
        "rejected",
        "stranger",
        "not-a-command",
        "duplicate",
        "accepted",
        "part",
        "repeat",
    ]
    assert [item["kind"] for item in found][-2:] == ["part", "part"]
    times = [item["received_at"] for item in found]
    assert times == sorted(times)


def test_item_has_command_reports_and_parts(agent: Agent) -> None:
    (item,) = items(agent, "--id", "h2")
    assert item["command"]["state"] == "failed"
    assert item["command"]["reason"] == "exit-1"
    assert [(report["channel"], report["state"]) for report in item["reports"]] == [
        ("sms", "reported")
    ]
    (long,) = items(agent, "--id", "h3")
    assert [part["sequence"] for part in long["parts"]] == [1, 2]
    assert long["platform"] == "super-sim"


@pytest.mark.parametrize(
    ("words", "texts"),
    [
        (["--verdict", "stranger"], ["hello \x1b[31mred"]),
        (["--verdict", "part"], [None]),
        (["--sender", "447700900123"], ["hello \x1b[31mred"]),
        (["--sender", "2936"], ["bad id=h2"]),
        (["--state", "failed"], ["bad id=h2"]),
        (["--state", "undeliverable"], []),
        (["--command", "bad"], ["bad id=h2"]),
        (["--id", "h1"], ["ping id=h1", "ping id=h1"]),
        (["--channel", "mqtt"], []),
        (["--until", "2020-01-01"], []),
        (["--since", "1h", "--verdict", "rejected"], ["nonsense x=1"]),
        (["-n", "3", "--channel", "sms", "--state", "succeeded"], None),
        (["-n", "1", "--verdict", "accepted"], [RECEIVED[-1][1]]),
    ],
)
def test_filters(agent: Agent, words: list[str], texts: list[str | None] | None) -> None:
    found = items(agent, *words)
    if texts is None:
        assert [item["id"] for item in found] == ["h1", "h1", "h3"]
    else:
        assert [item.get("text") for item in found] == texts


def test_list_for_a_pipe_is_a_line_a_message_and_harmless(agent: Agent) -> None:
    done = agent.main("history")
    lines = done.stdout.splitlines()
    assert len(lines) == len(RECEIVED) + 2
    assert "\x1b" not in done.stdout
    assert "hello \\x1b[31mred" in done.stdout
    assert not lines[0].startswith("RECEIVED")
    assert lines[1].endswith("bad id=h2  [exit-1]")


def test_wrong_filter_is_wrong_use(agent: Agent) -> None:
    for words in (["--since", "soon"], ["-n", "-1"], ["--channel", "fax"], ["extra"]):
        done = agent.main("history", *words)
        assert (done.returncode, done.stdout) == (2, "")
        assert "Traceback" not in done.stderr


def test_follow_tells_what_comes_and_what_changes(agent: Agent) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "agent", "history", "--follow", "--json", "-n", "1"],
        env=agent.environment(),
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()
        assert agent.main("send", "ping", "--id", "followed").returncode == 0
        states: list[str] = []
        while not states or states[-1] != "succeeded":
            item = json.loads(process.stdout.readline())
            if item["id"] == "followed":
                states.append(item["command"]["state"])
        assert states[-1] == "succeeded"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=40)
        assert (process.returncode, err) == (0, "")
    finally:
        process.kill()
        process.communicate()


def test_reader_that_goes_away_is_no_error_worth_a_traceback(agent: Agent) -> None:
    script = f"{sys.executable} -m agent history --json | head -c 1"
    done = subprocess.run(
        ["/bin/sh", "-c", script],
        env=agent.environment(),
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    assert done.stderr == ""


# ---- without an agent -------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_ended_agents_journal_tells_the_same(tmp_path: Path, end: str) -> None:
    with simulated(tmp_path) as modem, Agent(tmp_path) as agent:
        modem.deliver_text("000", "ping id=one")
        modem.deliver_text("+4915", "hi")
        agent.wait_command("one")
        agent.wait_rows("SELECT 1 FROM reports WHERE state = 'reported'")
        alive = items(agent)
        getattr(agent, end)()
        names = sorted(path.name for path in agent.journal_path.parent.iterdir())
        assert items(agent) == alive
        assert sorted(path.name for path in agent.journal_path.parent.iterdir()) == names
        followed = agent.main("history", "--follow")
        assert followed.returncode == 69


def test_no_journal_is_told_and_none_is_made(tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    done = agent.main("history")
    assert (done.returncode, done.stdout) == (1, "")
    assert "there is no journal" in done.stderr
    assert list(agent.journal_path.parent.iterdir()) == []


def test_damaged_and_foreign_journals_are_told(tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    agent.journal_path.write_bytes(b"nonsense" * 500)
    damaged = agent.main("history")
    assert damaged.returncode == 1
    assert "cannot be read" in damaged.stderr
    agent.journal_path.write_bytes(b"")
    empty = agent.main("history")
    assert empty.returncode == 1
    assert "schema 0" in empty.stderr


@pytest.mark.parametrize("words", [("--state", "sucseeded"), ("--verdict", "strangers")])
@pytest.mark.parametrize("more", [(), ("--offline",)])
def test_filter_that_can_find_nothing_is_wrong_use(
    agent: Agent, words: tuple[str, str], more: tuple[str, ...]
) -> None:
    done = agent.main("history", *words, *more)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"'{words[1]}' is none of" in done.stderr


def test_every_verdict_and_state_can_be_asked_for() -> None:
    written = {
        verdict
        for path in (REPOSITORY / "agent").rglob("*.py")
        for verdict in re.findall(r"verdict\"?(?:: | ?= ?)\"([a-z-]+)\"", path.read_text("utf-8"))
    }
    assert written <= set(VERDICTS)
    for state in (*COMMAND.states, *REPORT.states):
        Filters(state=state)
