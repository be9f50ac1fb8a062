"""Where the files of a configuration are found: credentials, the file's folder, usual places."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from agent.app import _secret as secret
from agent.config import paths
from agent.config.control_socket import socket_of
from agent.config.loader import load, parse
from agent.config.model import ConfigError, control_candidates, control_path, find_config

TEXT = '[platforms]\nenabled = ["super-sim"]\n[modem]\npin_file = "pin"\n'


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_relative_name_is_a_credential_first(tmp_path: Path) -> None:
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    beside = write(tmp_path / "pin", "1111\n")
    source = write(tmp_path / "agent.toml", TEXT)
    env = {"CREDENTIALS_DIRECTORY": str(credentials)}
    assert load(source, env).modem.pin_file == beside
    credential = write(credentials / "pin", "2222", 0o440)
    config = load(source, env)
    assert config.modem.pin_file == credential
    assert config.warnings == ()  # systemd guards the folder
    assert load(source, {}).modem.pin_file == beside


def test_an_absolute_name_is_never_a_credential(tmp_path: Path) -> None:
    beside = write(tmp_path / "pin", "1111")
    text = TEXT.replace('"pin"', f'"{beside}"')
    env = {"CREDENTIALS_DIRECTORY": str(tmp_path / "credentials")}
    assert parse(text, None, env).modem.pin_file == beside


def test_a_tilde_is_the_home_folder(tmp_path: Path) -> None:
    pin = write(tmp_path / "pin", "1111")
    config = parse(TEXT.replace('"pin"', '"~/pin"'), None, {"HOME": str(tmp_path)})
    assert config.modem.pin_file == pin


def test_a_secret_that_others_can_read_is_used_with_a_warning(tmp_path: Path) -> None:
    write(tmp_path / "pin", "1111", 0o644)
    config = load(write(tmp_path / "agent.toml", TEXT), {})
    assert config.modem.pin_file == tmp_path / "pin"
    (warning,) = config.warnings
    assert warning.path == "modem.pin_file"
    assert "chmod 600" in warning.expected
    assert warning.got == "mode 0644"


@pytest.mark.parametrize(
    ("content", "words"), [("", "is empty"), ("\n", "is empty"), ("1" * 70_000, "64 KiB")]
)
def test_a_secret_has_a_sensible_size(tmp_path: Path, content: str, words: str) -> None:
    write(tmp_path / "pin", content)
    with pytest.raises(ConfigError, match=words):
        load(write(tmp_path / "agent.toml", TEXT), {})


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_secret_must_be_readable(tmp_path: Path) -> None:
    write(tmp_path / "pin", "1111", 0o000)
    with pytest.raises(ConfigError, match="permission denied"):
        load(write(tmp_path / "agent.toml", TEXT), {})


def test_a_short_key_is_warned_of(tmp_path: Path) -> None:
    write(tmp_path / "key", "short")
    text = (
        '[device]\nid = "d"\n[platforms]\nenabled = ["super-sim"]\n'
        '[security.keys.0]\nfile = "key"\n'
    )
    config = load(write(tmp_path / "agent.toml", text), {})
    assert [(w.path, w.got) for w in config.warnings] == [("security.keys.0.file", "5")]


@pytest.mark.parametrize(
    ("name", "words"), [("missing.toml", "no such file"), ("", "is a directory")]
)
def test_a_configuration_that_cannot_be_read_is_one_problem(
    tmp_path: Path, name: str, words: str
) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        load(tmp_path / name)
    assert len(caught.value.problems) == 1


def test_a_configuration_that_is_not_text_is_one_problem(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b"[modem]\n# caf\xe9\n")
    with pytest.raises(ConfigError, match="0xe9 at offset 13"):
        load(tmp_path / "a.toml")


def test_the_usual_places_are_searched_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = tmp_path / "etc" / "modem-agent.toml"
    user = tmp_path / "home" / ".config" / "modem-agent" / "modem-agent.toml"
    monkeypatch.setattr(paths, "SYSTEM_CONFIG", system)
    env = {"HOME": str(tmp_path / "home")}
    with pytest.raises(ConfigError, match=f"{system} or {user}"):
        load(None, env)
    user.parent.mkdir(parents=True)
    write(user, '[platforms]\nenabled = ["super-sim"]\n')
    assert load(None, env).source == user
    system.parent.mkdir()
    write(system, '[platforms]\nenabled = ["super-sim"]\n')
    assert find_config(env) == system


def test_the_journal_lives_in_the_state_folder() -> None:
    assert paths.journal_path({"STATE_DIRECTORY": "/var/lib/a:/var/lib/b"}) == Path(
        "/var/lib/a/journal.db"
    )
    assert paths.journal_path({"XDG_STATE_HOME": "/s"}) == Path("/s/modem-agent/journal.db")
    assert paths.journal_path({"HOME": "/h"}) == Path("/h/.local/state/modem-agent/journal.db")


def test_the_control_socket_lives_in_the_runtime_folder() -> None:
    service = Path("/run/modem-agent/control.sock")
    assert control_path({"RUNTIME_DIRECTORY": "/run/modem-agent"}) == service
    own = Path("/run/user/7/modem-agent/control.sock")
    assert control_path({"XDG_RUNTIME_DIR": "/run/user/7"}) == own
    assert control_path({"TMPDIR": "/t"}) == Path(f"/t/modem-agent-{os.getuid()}/control.sock")


def test_a_client_tries_its_own_agent_and_then_the_service() -> None:
    service = Path("/run/modem-agent/control.sock")
    assert control_candidates({"XDG_RUNTIME_DIR": "/r"}) == (
        Path("/r/modem-agent/control.sock"),
        service,
    )
    assert control_candidates({"RUNTIME_DIRECTORY": "/run/modem-agent"}) == (service,)


def test_byte_order_mark_of_an_editor_is_not_read(tmp_path: Path) -> None:
    source = tmp_path / "agent.toml"
    pin = tmp_path / "pin"
    source.write_bytes(b"\xef\xbb\xbf" + TEXT.encode() + b'[control]\nsocket = "s"\n')
    pin.write_bytes(b"\xef\xbb\xbf1111\r\n")
    pin.chmod(0o600)
    assert load(source).platforms[0].name == "super-sim"
    assert socket_of(source) == tmp_path / "s"
    assert secret(pin) == "1111"


@pytest.mark.parametrize(
    ("text", "code_point"),
    [
        ("[modem]\nport = \u201cauto\u201d\n", "U+201C"),
        ("[modem]\n\u00a0port = 'auto'\n", "U+00A0"),
        ("\u200b[modem]\n", "U+200B"),
    ],
)
def test_character_that_is_no_toml_is_named(text: str, code_point: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(code_point)):
        parse(text, None)
