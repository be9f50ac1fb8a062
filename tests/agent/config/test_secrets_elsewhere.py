"""A configuration whose secrets only the service has (LoadCredential=), read by a person."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.config import files
from agent.config.loader import load
from tests.support.agent import Agent

SETTINGS = {
    "modem": {"pin_file": "pin"},
    "mqtt": {
        "url": "mqtts://127.0.0.1:1",
        "username": "gw",
        "password_file": "broker-password",
        "ca": "ca.pem",
        "cert": "cert.pem",
        "key": "key.pem",
    },
    "security": {"keys": {"0": {"file": "key-0"}}},
}
KEY = "0123456789abcdef"


@pytest.fixture
def agent(tmp_path: Path) -> Agent:
    return Agent(tmp_path, settings=SETTINGS)


def test_config_check_warns_of_what_it_cannot_see_and_run_refuses_it(agent: Agent) -> None:
    done = agent.main("config", "check", "--json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["problems"]) == (0, [])
    keys = {"modem.pin_file", "mqtt.key", "mqtt.password_file", "security.keys.0.file"}
    assert {row["path"] for row in report["warnings"]} >= keys
    assert agent.cli("run").returncode == 78


@pytest.mark.parametrize("where", ["/no/such/key", "folder/key-0"])
def test_a_secret_that_no_credential_can_be_is_missing(tmp_path: Path, where: str) -> None:
    agent = Agent(tmp_path, settings={"security": {"keys": {"0": {"file": where}}}})
    done = agent.main("config", "check")
    assert done.returncode == 78
    assert "security.keys.0.file" in done.stderr


def test_as_the_service_sees_it_nothing_is_elsewhere(agent: Agent, tmp_path: Path) -> None:
    agent.env["CREDENTIALS_DIRECTORY"] = str(tmp_path / "state")
    assert agent.main("config", "check").returncode == 78


def test_a_stopped_agents_journal_is_read_without_its_secrets(agent: Agent) -> None:
    agent.settings = {}
    agent.start()
    assert agent.main("send", "ping id=old").returncode == 0
    agent.stop()
    agent.settings = SETTINGS
    agent.write_configuration()
    listed = agent.main("history", "--json")
    assert (listed.returncode, json.loads(listed.stdout)["id"]) == (0, "old")
    told = agent.main("explain", "ping", "--from", "000")
    assert told.returncode == 0, told.stderr
    assert "key 0 counts as unknown" in told.stderr


def test_doctor_examines_what_is_here(agent: Agent) -> None:
    done = agent.main("doctor", "--json", "--timeout", "20")
    rows = {(row["layer"], row["check"]): row for row in json.loads(done.stdout)}
    assert done.returncode != 78
    assert rows["configuration", "file"]["verdict"] == "ok"
    assert "pin_file" in rows["configuration", "oddities"]["seen"]


def test_sign_needs_the_one_key_alone(agent: Agent, tmp_path: Path) -> None:
    refused = agent.main("sign", "ping")
    assert refused.returncode == 78
    assert "--key-file" in refused.stderr
    (tmp_path / "key-0").write_text(KEY)
    assert agent.main("sign", "ping", "--c", "5").returncode == 0
    (tmp_path / "key-0").rename(tmp_path / "elsewhere")
    named = agent.main("sign", "ping", "--c", "5", "--key-file", str(tmp_path / "elsewhere"))
    assert named.returncode == 0


def test_who_may_look_finds_the_running_services_credentials(
    agent: Agent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = tmp_path / "credentials"
    given.mkdir()
    (given / "key-0").write_text(KEY)
    monkeypatch.setattr(files, "SERVICE_CREDENTIALS", given)
    assert agent.main("sign", "ping", "--c", "5").returncode == 0


def test_who_reads_finds_the_services_journal(
    agent: Agent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent.settings = {"journal": {"path": None}}
    agent.write_configuration()
    service = tmp_path / "service"
    service.mkdir()
    (service / "journal.db").touch()
    monkeypatch.setattr(files, "SYSTEM_STATE", service)
    env = {"HOME": str(tmp_path / "home")}
    own = tmp_path / "home/.local/state/modem-agent/journal.db"
    assert load(agent.config_path, env).journal.path == own
    assert load(agent.config_path, env, secrets="unread").journal.path.parent == service
    own.parent.mkdir(parents=True)
    own.touch()
    assert load(agent.config_path, env, secrets="unread").journal.path == own
