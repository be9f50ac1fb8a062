"""`modem-agent sign`: what it prints is what the agent accepts."""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path
from typing import Any

import pytest

from agent.cli import sign
from agent.payload.request import EVERY_COMMAND, read
from agent.payload.signatures import Signer, authenticate

KEY = "a key that is long enough to be one"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_text(KEY + "\n", encoding="ascii")
    path.chmod(0o600)
    return path


@pytest.fixture
def config_file(tmp_path: Path, key_file: Path) -> Path:
    path = tmp_path / "agent.toml"
    path.write_text(
        f"""
        [device]
        id = "gateway-17"
        [platforms]
        enabled = ["super-sim", "connectivitypro"]
        [security.keys.0]
        file = "{key_file}"
        [journal]
        path = "{tmp_path}/journal.db"
        [command.beep]
        exec = ["/bin/true", "{{n}}"]
        [command.beep.args.n]
        type = "integer"
        max = 5
        [property.enable]
        type = "boolean"
        exec = ["/bin/true", "{{value}}"]
        """,
        encoding="utf-8",
    )
    return path


def run(*argv: object) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--config")
    sign.add_parser(parser.add_subparsers())
    options = parser.parse_args([str(word) for word in argv])
    status: int = options.func(options)
    return status


def by_hand(key_file: Path, *words: object) -> tuple[object, ...]:
    return ("sign", "--key-file", key_file, "--device-id", "gateway-17", *words)


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    output: dict[str, Any] = json.loads(capsys.readouterr().out)
    return output


def signer(message: str, k: str = "0") -> Signer | None:
    request = read(message, known=EVERY_COMMAND).request
    assert request is not None
    return authenticate(request, {k: KEY.encode()}, "gateway-17")


def test_the_message_is_printed_first_with_its_length_and_where_it_fits(
    key_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*by_hand(key_file, "--c", "1700000001", "reboot", "delay=5", "id=7f3a")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("reboot delay=5 id=7f3a c=1700000001 m=")
    assert signer(lines[0]) == Signer("0", 1700000001)
    assert lines[2] == "48 septets"
    assert [line.split()[:2] for line in lines[3:]] == [
        ["programmable-wireless", "fits"],
        ["super-sim", "fits"],
        ["connectivitypro", "fits"],
        ["m2m-portal", "fits"],
        ["emnify", "fits"],
        ["phone", "fits"],
    ]


def test_either_form_is_printed_and_both_are_valid(
    key_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    signatures = set()
    for given in ('sms to=5 text="a b"', '{"cmd":"sms","to":5,"text":"a b"}'):
        for form in ("line", "json"):
            argv = by_hand(key_file, "--c", "9", "--form", form, "--json", given)
            assert run(*argv) == 0
            output = told(capsys)
            assert output["message"].startswith("{") == (form == "json")
            assert output["canonical"] == '{"args":{"text":"a b","to":"5"},"cmd":"sms"}'
            assert signer(output["message"]) == Signer("0", 9)
            signatures.add(output["m"])
    assert len(signatures) == 1


def test_the_words_of_a_shell_keep_their_values(
    key_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*by_hand(key_file, "--json", "sms", "to=5", "text=a; b")) == 0
    assert told(capsys)["message"].startswith('sms to=5 text="a; b" c=')


def test_the_command_may_come_from_stdin(
    key_file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for words in ((), ("-",)):
        monkeypatch.setattr("sys.stdin", io.StringIO("enable=True reset=False\n"))
        assert run(*by_hand(key_file, "--json", *words)) == 0
        output = told(capsys)
        assert output["message"].startswith("enable=True reset=False c=")
        assert output["canonical"].endswith('"cmd":"set"}')


def test_the_counter_is_the_time_unless_given(
    key_file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: 1800000000.9)
    assert run(*by_hand(key_file, "--json", "ping")) == 0
    assert told(capsys)["c"] == "1800000000"


def test_another_key_id_is_in_the_message(
    key_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*by_hand(key_file, "--json", "--k", "new", "ping")) == 0
    output = told(capsys)
    assert " k=new " in output["message"]
    assert signer(output["message"], "new") is not None


def test_a_message_that_does_not_fit_its_platform_fails_and_is_still_shown(
    key_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = by_hand(key_file, "--platform", "connectivitypro", "--form", "json", "ping")
    assert run(*argv) == 1
    output = capsys.readouterr().out
    assert output.startswith('{"cmd":"ping"')
    assert "connectivitypro  does not fit: the message has extension characters" in output
    assert run(*by_hand(key_file, "--platform", "connectivitypro", "ping")) == 0


def test_the_platforms_sid_is_counted(key_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = by_hand(key_file, "--platform", "programmable-wireless", "--json", "--c", "1700000000")
    assert run(*argv, "ping", "x=" + "a" * 91) == 0
    fitting = told(capsys)
    assert (fitting["septets"], fitting["platforms"][0]["room"]) == (124, 125)
    assert run(*argv, "ping", "x=" + "a" * 92) == 1
    assert told(capsys)["platforms"][0]["why"] == "fills the SMS to its end without a ;"


# With a configuration.


def test_key_device_and_platforms_come_from_the_configuration(
    config_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for argv in (("--config", config_file, "sign"), ("sign", "--config", config_file)):
        assert run(*argv, "--json", "ping") == 0
        output = told(capsys)
        assert signer(output["message"]) is not None
        assert [row["platform"] for row in output["platforms"]] == ["super-sim", "connectivitypro"]


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        ("beep n=6", "bad-args n above 5"),
        ("beep n=x", "bad-args n is no integer"),
        ("fly high=1", "unknown-command fly"),
        ("enable=maybe", "bad-args enable is no boolean"),
        ("colour=red", "bad-args colour unknown"),
        ("hello world", "not a command"),
        ("ping m=AAAAAAAAAA", "leave them out"),
    ],
)
def test_what_the_agent_would_refuse_is_not_signed(
    command: str, complaint: str, config_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("sign", "--config", config_file, command) == 1
    printed = capsys.readouterr()
    assert complaint in printed.err
    assert printed.out == ""


def test_a_device_id_that_is_only_the_hosts_name_is_refused(
    config_file: Path, key_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = config_file.read_text(encoding="utf-8").replace('id = "gateway-17"', "")
    text = text.replace(f'[security.keys.0]\n        file = "{key_file}"', "")
    config_file.write_text(text, encoding="utf-8")
    assert run("sign", "--config", config_file, "--key-file", key_file, "ping") == 78
    assert "signatures need device.id" in capsys.readouterr().err


def test_a_key_that_is_not_configured_is_named(
    config_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("sign", "--config", config_file, "--k", "9", "ping") == 78
    assert "security.keys.9" in capsys.readouterr().err


def test_a_configuration_that_cannot_be_used_is_exit_status_78(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "agent.toml"
    path.write_text("[device]\nname = 5\n", encoding="utf-8")
    assert run("sign", "--config", path, "ping") == 78
    assert "device.name" in capsys.readouterr().err


# Errors of use.


def test_a_key_file_that_cannot_be_read_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*by_hand(tmp_path / "none", "ping")) == 1
    assert "none: No such file or directory" in capsys.readouterr().err
    (tmp_path / "empty").write_bytes(b"\n")
    assert run(*by_hand(tmp_path / "empty", "ping")) == 1
    assert "empty: the key file is empty" in capsys.readouterr().err


def test_a_short_key_is_used_with_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "short").write_bytes(b"secret\n")
    assert run(*by_hand(tmp_path / "short", "ping")) == 0
    assert "easily guessed" in capsys.readouterr().err


@pytest.mark.parametrize(
    "option", [("--c", "-1"), ("--c", "1" * 19), ("--c", "x"), ("--k", "a b"), ("--k", "")]
)
def test_bad_option_values_are_exit_status_2(key_file: Path, option: tuple[str, str]) -> None:
    assert run(*by_hand(key_file, f"{option[0]}={option[1]}", "ping")) == 2


def test_two_signed_at_once_have_two_counters(
    key_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    counters = []
    for _ in range(3):
        assert run(*by_hand(key_file, "--json", "ping")) == 0
        counters.append(int(told(capsys)["c"]))
    assert counters == sorted(set(counters))


def test_a_counter_that_cannot_be_remembered_signs_nothing(
    key_file: Path, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state.write_text("a file where the folder should be")
    assert run(*by_hand(key_file, "ping")) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "no counter" in captured.err
    assert str(state) in captured.err
    assert run(*by_hand(key_file, "--c", "5", "ping")) == 0


def test_what_is_refused_takes_no_counter(key_file: Path, state: Path) -> None:
    assert run(*by_hand(key_file, "ping", "c=1")) == 1
    assert not state.exists()
