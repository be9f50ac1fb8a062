"""`modem-agent config check|example`, and the example itself."""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import tomllib
from pathlib import Path

import pytest

from agent.cli import config as cli
from agent.config import sections
from agent.config.loader import parse
from agent.install import shipped

GOOD = '[device]\nid = "d"\n[platforms]\nenabled = ["super-sim"]\n'


def run(*argv: str) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--config")
    cli.add_parser(parser.add_subparsers())
    options = parser.parse_args(["config", *argv])
    status: int = options.func(options)
    return status


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    file = tmp_path / "bad.toml"
    file.write_text(GOOD + '[modem]\npoll_s = "fast"\npol_s = 3\n')
    return file


@pytest.fixture
def good(tmp_path: Path) -> Path:
    file = tmp_path / "good.toml"
    file.write_text(GOOD)
    return file


def test_a_good_configuration_is_summed_up(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", str(good)) == 0
    assert capsys.readouterr() == (
        f"{good}: good; device d, platforms super-sim (closed)\n",
        "",
    )


@pytest.mark.parametrize("option", [["--config"], []])
def test_a_bad_configuration_ends_with_78_and_every_problem(
    bad: Path, option: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("check", *option, str(bad)) == 78
    out, err = capsys.readouterr()
    assert out == ""
    first, second, last = err.splitlines()
    assert first == 'error: modem.poll_s: expected a number, found "fast"'
    assert second.startswith("error: modem.pol_s: expected one of ")
    assert last == f"{bad}: 2 problems"


def test_warnings_do_not_fail_the_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.toml"
    file.write_text(GOOD + '[command.c]\nexec = ["/no/such/program"]\n')
    assert run("check", str(file)) == 0
    assert "warning: command.c.exec[0]: " in capsys.readouterr().err


def test_the_check_speaks_json(good: Path, bad: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", "--json", str(good)) == 0
    report = json.loads(capsys.readouterr().out)
    assert report == {"file": str(good), "ok": True, "problems": [], "warnings": []}
    assert run("check", "--json", str(bad)) == 78
    out, err = capsys.readouterr()
    assert err == ""
    report = json.loads(out)
    assert not report["ok"]
    assert report["problems"][0] == {
        "path": "modem.poll_s",
        "expected": "a number",
        "got": '"fast"',
    }


def test_no_configuration_anywhere_is_78_and_says_where_it_looked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("agent.config.paths.SYSTEM_CONFIG", tmp_path / "none.toml")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert run("check") == 78
    assert str(tmp_path / "none.toml") in capsys.readouterr().err


def test_the_printed_example_passes_the_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("example") == 0
    file = tmp_path / "example.toml"
    file.write_text(capsys.readouterr().out)
    assert run("check", str(file)) == 0
    assert capsys.readouterr().err == ""


def uncommented(folder: Path) -> str:
    """The example with every setting switched on, its files made and its programs real."""
    text = shipped.packaged("modem-agent.toml").read_text()
    text = re.sub(r"(?m)^#(?=\S)", "", text)
    text = text.replace("/usr/sbin/uhubctl", "/bin/true").replace(
        "/usr/local/bin/feature", "/bin/true"
    )
    text = text.replace("/usr/bin/systemctl", "/bin/true")
    for name in ("pin", "mqtt-password", "ca.pem", "client.pem", "client.key", "key-0"):
        assert f'"{name}"' in text
        (folder / name).write_text("12345678" * (1 if name == "pin" else 4))
        (folder / name).chmod(0o600)
    return text


def test_the_example_with_every_setting_switched_on_is_good_too(tmp_path: Path) -> None:
    config = parse(uncommented(tmp_path), source=tmp_path / "a.toml")
    assert config.warnings == ()
    assert config.commands["restart-vpn"].args["name"].pattern == "[a-z0-9]+"
    assert list(config.properties) == ["enable", "interval", "label"]


def test_the_example_shows_every_key_there_is(tmp_path: Path) -> None:
    document = tomllib.loads(uncommented(tmp_path))
    shown = {
        sections.DeviceSection: document["device"],
        sections.ModemSection: document["modem"],
        sections.PlatformSection: document["platforms"]["super-sim"]
        | document["platforms"]["my-aggregator"],
        sections.MqttSection: document["mqtt"],
        sections.ReportSection: document["report"],
        sections.SecuritySection: document["security"],
        sections.KeySection: document["security"]["keys"]["0"],
        sections.BudgetSection: document["budget"],
        sections.JournalSection: document["journal"],
        sections.CommandSection: document["command"]["sms"] | document["command"]["restart-vpn"],
        sections.ArgSection: document["command"]["restart-vpn"]["args"]["name"],
        sections.PropertySection: document["property"]["enable"]
        | document["property"]["interval"]
        | document["property"]["label"],
    }
    for section, table in shown.items():
        assert set(table) == {field.name for field in dataclasses.fields(section)}


def test_the_reference_names_every_key() -> None:
    reference = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text()
    named = set(re.findall(r"[a-z][a-z0-9_]*", " ".join(re.findall(r"`([^`\n]+)`", reference))))
    for section in vars(sections).values():
        if dataclasses.is_dataclass(section):
            assert {field.name for field in dataclasses.fields(section)} <= named, section


def test_a_file_that_is_not_shipped_is_an_error() -> None:
    with pytest.raises(FileNotFoundError, match=r"nothing\.toml"):
        shipped.packaged("nothing.toml")
