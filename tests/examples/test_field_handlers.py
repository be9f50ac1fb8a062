"""The example distribution is found by its entry points and runs in the real agent."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.agent import Agent, simulated

EXAMPLE = Path(__file__).parent / "field_handlers"
CLOSED = "000"


def install(folder: Path) -> None:
    """Put the example on a path as an installer would: the module, and the dist-info beside it."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    info = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir(parents=True)
    points = project["entry-points"]["modem_agent.handlers"]
    info.joinpath("entry_points.txt").write_text(
        "[modem_agent.handlers]\n" + "".join(f"{k} = {v}\n" for k, v in points.items())
    )
    info.joinpath("METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    module = EXAMPLE / "field_handlers.py"
    (folder / module.name).write_text(module.read_text())


@pytest.fixture
def site(tmp_path: Path) -> Path:
    install(tmp_path / "site")
    return tmp_path / "site"


def settings(**commands: dict[str, Any]) -> dict[str, Any]:
    return {"command": commands}


@pytest.fixture
def box(tmp_path: Path, site: Path) -> Iterator[tuple[Any, Agent]]:
    leds = tmp_path / "leds"
    (leds / "green").mkdir(parents=True)
    env = {"PYTHONPATH": str(site), "LEDS": str(leds)}
    with (
        simulated(tmp_path) as modem,
        Agent(tmp_path, port=modem.path, settings=settings(disk={}, led={}), env=env) as agent,
    ):
        yield modem, agent


def test_both_commands_run_by_sms(box: tuple[Any, Agent], tmp_path: Path) -> None:
    modem, agent = box
    modem.deliver_text(CLOSED, "led name=green on=yes id=a1")
    modem.deliver_text(CLOSED, "disk path=/tmp id=a2")
    assert agent.wait_command("a1")["result"] == '{"name":"green","on":true}'
    assert (tmp_path / "leds" / "green" / "brightness").read_text() == "1"
    assert "free_mb" in agent.wait_command("a2")["result"]


def test_their_arguments_are_checked_before_they_run(
    box: tuple[Any, Agent], tmp_path: Path
) -> None:
    modem, agent = box
    modem.deliver_text(CLOSED, "led name=../x on=yes id=b1")
    modem.deliver_text(CLOSED, "led name=green on=perhaps id=b2")
    for id_, told in (("b1", "name does not match"), ("b2", "on is no boolean")):
        row = agent.wait_command(id_)
        assert (row["state"], row["reason"]) == ("rejected", "bad-args")
        assert row["detail"].startswith(told)
    assert not (tmp_path / "leds" / "green" / "brightness").exists()


def test_what_fails_in_them_is_an_outcome(box: tuple[Any, Agent]) -> None:
    modem, agent = box
    modem.deliver_text(CLOSED, "led name=red on=yes id=c1")
    row = agent.wait_command("c1")
    assert (row["state"], row["reason"]) == ("failed", "error")
    assert row["detail"].endswith("red/brightness: No such file or directory")


def test_an_installed_command_is_there_only_where_the_configuration_names_it(
    tmp_path: Path, site: Path
) -> None:
    agent = Agent(tmp_path, env={"PYTHONPATH": str(site)}, settings=settings(disk={}))
    with agent, simulated(tmp_path) as modem:
        modem.deliver_text(CLOSED, "led name=green on=yes id=d1")
        row = agent.wait_command("d1")
        assert (row["state"], row["reason"]) == ("rejected", "unknown-command")


def test_a_command_that_nobody_brings_is_an_error_of_the_configuration(tmp_path: Path) -> None:
    agent = Agent(tmp_path, settings=settings(disk={}))
    checked = agent.cli("config", "check")
    assert checked.returncode == 78
    assert "command.disk.exec" in checked.stderr
    assert "neither built in nor installed" in checked.stderr


def test_a_handler_that_cannot_be_loaded_is_named_before_and_at_the_start(
    tmp_path: Path, site: Path
) -> None:
    (site / "field_handlers.py").write_text("import a_module_that_nobody_has\n")
    agent = Agent(tmp_path, env={"PYTHONPATH": str(site)}, settings=settings(disk={}))
    checked = agent.cli("config", "check")
    started = agent.cli("run")
    for done in (checked, started):
        assert done.returncode == 78
        assert "a_module_that_nobody_has" in done.stderr
        assert "Traceback" not in done.stderr


def test_permissions_hold_for_them_as_for_any_other(tmp_path: Path, site: Path) -> None:
    agent = Agent(
        tmp_path,
        env={"PYTHONPATH": str(site)},
        settings=settings(disk={"channels": ["mqtt"]}),
    )
    with agent, simulated(tmp_path) as modem:
        modem.deliver_text(CLOSED, "disk id=e1")
        row = agent.wait_command("e1")
        assert (row["state"], row["reason"], row["detail"]) == ("rejected", "denied", "channel")
