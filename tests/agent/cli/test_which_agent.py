"""Which agent a client command reaches: that of its configuration, or none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.agent import Agent, toml


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    """Device gw, where this user's agent is looked for; its modem is not there."""
    with Agent(tmp_path) as running:
        yield running


@pytest.fixture
def other(tmp_path: Path, agent: Agent) -> Iterator[Agent]:
    """Device other, with the same runtime folder but a socket of its own."""
    folder = tmp_path / "other"
    named = Agent(folder, settings={"device": {"id": "other"}, "control": {"socket": "run/a.sock"}})
    named.env["RUNTIME_DIRECTORY"] = str(tmp_path / "run")
    with named:
        yield named


def _received(agent: Agent) -> list[str]:
    return [row["text"] for row in agent.rows("messages")]


def test_a_client_reaches_the_agent_of_its_configuration(agent: Agent, other: Agent) -> None:
    assert other.main("send", "ping id=b").returncode == 0
    assert agent.main("send", "ping id=a").returncode == 0
    assert (_received(agent), _received(other)) == (["ping id=a"], ["ping id=b"])
    assert json.loads(other.main("status", "--json").stdout)["device"] == "other"
    assert "socket: device other" in other.main("doctor", "--timeout", "10").stdout


@pytest.mark.parametrize(
    "words",
    [
        ("send", "ping"),
        ("sms", "send", "+15551234567", "hello"),
        ("status",),
        ("history", "--follow"),
        ("at", "AT+CSQ"),
        ("console",),
    ],
)
def test_nothing_is_asked_of_another_devices_agent(
    agent: Agent, tmp_path: Path, words: tuple[str, ...]
) -> None:
    file = tmp_path / "stranger.toml"
    settings = {
        "device": {"id": "stranger"},
        "modem": {"port": "/dev/no-such-modem"},
        "platforms": {"enabled": ["super-sim"]},
    }
    file.write_text(toml(settings))
    for socket in ((), ("--socket", str(agent.control_path))):
        done = agent.main("--config", str(file), *words, *socket)
        assert done.returncode == 69, done.stderr
        if words[0] != "at" and words[-1] != "--follow":
            assert "the agent of device gw, not of stranger" in done.stderr + done.stdout
    assert agent.rows("messages") == agent.rows("sends") == []


@pytest.mark.parametrize("text", [None, "[modem", "[mdem]\n"])
def test_a_configuration_that_cannot_be_used_is_78_and_nothing_is_sent(
    agent: Agent, tmp_path: Path, text: str | None
) -> None:
    file = tmp_path / "broken.toml"
    if text is not None:
        file.write_text(text)
    for words in (("send", "ping"), ("status",), ("history",), ("console",)):
        assert agent.main("--config", str(file), *words).returncode == 78
    assert agent.rows("messages") == []


def test_without_config_the_usual_files_socket_is_tried(other: Agent, tmp_path: Path) -> None:
    usual = tmp_path / "xdg" / "modem-agent"
    usual.mkdir(parents=True)
    (usual / "modem-agent.toml").symlink_to(other.config_path)
    text = other.config_path.read_text().replace("run/a.sock", f"{other.folder}/run/a.sock")
    other.config_path.write_text(text)
    env = {"XDG_CONFIG_HOME": str(tmp_path / "xdg")}
    done = other.cli("send", "ping", config=False, env=env)
    assert (done.returncode, _received(other)) == (0, ["ping"])


@pytest.mark.parametrize(
    ("socket", "words"),
    [("", "the name of a socket"), ("/tmp", "which is a folder"), ("x" * 96, "at most 95 octets")],
)
def test_a_socket_that_cannot_be_is_a_problem(tmp_path: Path, socket: str, words: str) -> None:
    agent = Agent(tmp_path, settings={"control": {"socket": socket}})
    done = agent.main("config", "check")
    assert done.returncode == 78
    assert "control.socket" in done.stderr
    assert words in done.stderr
