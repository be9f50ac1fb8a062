"""A good configuration: every key arrives where the agent looks for it, with its default."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import MappingProxyType

import pytest

from agent.commands.catalogue import build
from agent.config.commands import BUILT_IN
from agent.config.loader import load, parse
from agent.config.model import (
    BudgetConfig,
    CommandConfig,
    Config,
    ConfigError,
    KeyFile,
    ModemConfig,
    MqttConfig,
    Problem,
    PropertyConfig,
    ReportConfig,
)
from agent.payload.arguments import ArgSpec
from agent.payload.platforms import ROWS

MINIMAL = '[platforms]\nenabled = ["super-sim"]\n'


def test_only_the_platforms_are_required(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    config = parse(MINIMAL)
    assert not config.device.explicit
    assert config.device.id
    assert config.modem == ModemConfig()
    assert config.platforms == (ROWS["super-sim"],)
    assert config.mqtt is None
    assert config.report == ReportConfig("mqtt-then-sms", "all", 60.0)
    assert config.security.require_signature == "open-platforms"
    assert config.security.keys == {}
    assert config.budget == BudgetConfig(20, 100, 30)
    assert config.journal.path == tmp_path / "journal.db"
    assert config.properties == {}
    assert config.warnings == ()


def test_every_key_arrives(tmp_path: Path) -> None:
    for name in ("pin", "password", "ca.pem", "cert.pem", "key.pem", "key-0", "key-new"):
        (tmp_path / name).write_text("1234\n" if name == "pin" else "0123456789abcdef\n")
        (tmp_path / name).chmod(0o600)
    file = tmp_path / "agent.toml"
    file.write_text(
        """
        [device]
        id = "gateway-17"
        [modem]
        port = "socket://127.0.0.1:7000"
        baudrate = 9600
        profile = "simcom"
        sms_mode = "text"
        poll_s = 2.5
        pin_file = "pin"
        power_cycle = ["/bin/true", "-a", "cycle"]
        [platforms]
        enabled = ["connectivitypro", "emnify"]
        [platforms.connectivitypro]
        senders = ["567300905"]
        reply_to = "567300905"
        trust = "closed"
        max_segments = 3
        charset = "gsm7"
        [platforms.emnify]
        senders = ["12345", "Operator"]
        [mqtt]
        url = "mqtts://broker.example"
        username = "u"
        password_file = "password"
        ca = "ca.pem"
        cert = "cert.pem"
        key = "key.pem"
        root = "fleet/17"
        response_prefix = "replies/"
        protocol = "3.1.1"
        keepalive_s = 30
        [report]
        route = "both"
        policy = "errors"
        sms_after_s = 5
        [security]
        require_signature = "always"
        [security.keys.0]
        file = "key-0"
        [security.keys.new]
        file = "key-new"
        [budget]
        sms_per_hour = 1
        sms_per_day = 2
        commands_per_minute = 3
        [journal]
        path = "j.db"
        [command.sms]
        enabled = true
        channels = ["console"]
        platforms = ["emnify"]
        keys = ["0", "new"]
        [command.restart-vpn]
        exec = ["/bin/echo", "wg-quick@{name}"]
        timeout_s = 10
        idempotent = true
        read_only = true
        [command.restart-vpn.args.name]
        type = "string"
        pattern = "[a-z0-9]{1,15}"
        [property.level]
        type = "integer"
        min = 1
        max = 9
        exec = ["/bin/echo", "{value}"]
        get_exec = ["/bin/cat", "/dev/null"]
        timeout_s = 1.5
        [property.enable]
        type = "boolean"
        """
    )
    config = load(file)
    assert config.source == file
    assert (config.device.id, config.device.explicit) == ("gateway-17", True)
    assert config.modem == ModemConfig(
        port="socket://127.0.0.1:7000",
        baudrate=9600,
        profile="simcom",
        sms_mode="text",
        poll_s=2.5,
        pin_file=tmp_path / "pin",
        power_cycle=("/bin/true", "-a", "cycle"),
    )
    first, second = config.platforms
    assert first == dataclasses.replace(
        ROWS["connectivitypro"],
        senders=("567300905",),
        reply_to="567300905",
        trust="closed",
        max_segments=3,
        charset="gsm7",
    )
    assert second == dataclasses.replace(ROWS["emnify"], senders=("12345", "Operator"))
    assert config.mqtt == MqttConfig(
        host="broker.example",
        port=8883,
        tls=True,
        root="fleet/17",
        username="u",
        password_file=tmp_path / "password",
        ca=tmp_path / "ca.pem",
        cert=tmp_path / "cert.pem",
        key=tmp_path / "key.pem",
        response_prefix="replies",
        protocol="3.1.1",
        keepalive_s=30,
    )
    assert config.report == ReportConfig("both", "errors", 5)
    assert config.security.require_signature == "always"
    assert config.security.keys == {
        "0": KeyFile(tmp_path / "key-0"),
        "new": KeyFile(tmp_path / "key-new"),
    }
    assert config.budget == BudgetConfig(1, 2, 3)
    assert config.journal.path == tmp_path / "j.db"
    assert config.commands["sms"] == CommandConfig(
        "sms", channels=("console",), platforms=("emnify",), keys=("0", "new")
    )
    assert config.commands["restart-vpn"] == CommandConfig(
        "restart-vpn",
        exec=("/bin/echo", "wg-quick@{name}"),
        timeout_s=10,
        args={"name": ArgSpec(type="string", pattern="[a-z0-9]{1,15}", required=True)},
        idempotent=True,
        read_only=True,
    )
    assert list(config.properties.values()) == [
        PropertyConfig(
            "level",
            ArgSpec(type="integer", min=1, max=9),
            ("/bin/echo", "{value}"),
            ("/bin/cat", "/dev/null"),
            1.5,
        ),
        PropertyConfig("enable", ArgSpec(type="boolean"), (), (), 30.0),
    ]
    (warning,) = config.warnings  # a name cannot be answered
    assert (warning.path, warning.got) == ("platforms.emnify.senders[1]", '"Operator"')


def test_nothing_in_a_configuration_can_be_changed() -> None:
    config = parse(MINIMAL)
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.device = config.device  # type: ignore[misc] # the point of the test
    assert isinstance(config.commands, MappingProxyType)
    assert isinstance(config.properties, MappingProxyType)
    assert isinstance(config.security.keys, MappingProxyType)


def test_built_in_commands_are_on_except_the_two_that_reach_outside() -> None:
    off = {name for name, command in parse(MINIMAL).commands.items() if not command.enabled}
    assert off == {"sms", "at"}


def test_restricting_a_command_that_is_off_does_not_turn_it_on() -> None:
    config = parse(MINIMAL + '[command.at]\nchannels = ["console"]\n')
    assert not config.commands["at"].enabled


def test_every_command_of_the_registry_has_its_configuration() -> None:
    config = parse(MINIMAL)
    for handler in build(config):
        assert handler.name in config.commands
        assert handler.name in BUILT_IN


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("mqtt://localhost", ("localhost", 1883, False)),
        ("mqtt://localhost:1/", ("localhost", 1, False)),
        ("mqtts://broker", ("broker", 8883, True)),
        ("mqtt://[::1]:1884", ("::1", 1884, False)),
        ("MQTT://192.0.2.7:65535", ("192.0.2.7", 65535, False)),
    ],
)
def test_a_broker_url_gives_host_port_and_tls(url: str, endpoint: tuple[str, int, bool]) -> None:
    mqtt = parse(f'{MINIMAL}[device]\nid = "x"\n[mqtt]\nurl = "{url}"\n').mqtt
    assert mqtt is not None
    assert (mqtt.host, mqtt.port, mqtt.tls) == endpoint
    assert mqtt.root == "modem-agent/x"
    assert mqtt.response_prefix is None


def trusts(config: Config) -> dict[str, str]:
    return {row.name: row.trust for row in config.platforms}


def test_one_open_platform_opens_all() -> None:
    config = parse('[platforms]\nenabled = ["super-sim", "connectivitypro"]')
    assert trusts(config) == {"super-sim": "open", "connectivitypro": "open"}


def test_a_trust_that_is_set_stays() -> None:
    config = parse(
        '[platforms]\nenabled = ["super-sim", "programmable-wireless", "connectivitypro"]\n'
        '[platforms.super-sim]\ntrust = "closed"\n'
    )
    assert trusts(config) == {
        "super-sim": "closed",
        "programmable-wireless": "open",
        "connectivitypro": "open",
    }


def test_open_platforms_that_are_all_set_closed_open_nobody() -> None:
    config = parse(
        '[platforms]\nenabled = ["super-sim", "connectivitypro"]\n'
        '[platforms.connectivitypro]\ntrust = "closed"\n'
    )
    assert trusts(config) == {"super-sim": "closed", "connectivitypro": "closed"}


def test_an_argument_that_exec_uses_is_required_unless_it_has_a_default() -> None:
    config = parse(
        MINIMAL
        + """
        [command.c]
        exec = ["/bin/echo", "{a}", "{b}", "{{c}}"]
        [command.c.args]
        a = {type = "string"}
        b = {type = "integer", default = 3}
        d = {type = "string"}
        """
    )
    args = config.commands["c"].args
    assert {name: spec.required for name, spec in args.items()} == {
        "a": True,
        "b": False,
        "d": False,
    }
    assert config.warnings == (
        Problem("command.c.args.d", "{d} somewhere in command.c.exec", "an argument without use"),
    )


EMNIFY = """
[platforms]
enabled = ["emnify"]
[platforms.emnify]
trust = "closed"
senders = """


def test_numbers_are_read_as_people_write_them() -> None:
    text = MINIMAL + (
        '[platforms.super-sim]\nsenders = ["0171 12345", "+44 (7700) 900-123", "KORE"]\n'
        'reply_to = "tel:+44 7700 900123"'
    )
    (row,) = parse(text).platforms
    assert row.senders == ("017112345", "+447700900123", "KORE")
    assert row.reply_to == "+447700900123"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('[platforms]\nenabled = ["connectivitypro"]', "security.keys"),
        (
            '[platforms]\nenabled = ["connectivitypro"]\n[security]\nrequire_signature = "never"',
            "security.require_signature",
        ),
        (MINIMAL + '[modem]\nprofile = "quectl"', "modem.profile"),
        (MINIMAL + "[platforms.super-sim]\nmax_segments = 2", "platforms.super-sim.max_segments"),
        (
            MINIMAL + '[platforms.super-sim]\nsenders = ["07700O9"]',
            "platforms.super-sim.senders[0]",
        ),
        (EMNIFY + '["+12345678"]', "platforms.emnify.senders[0]"),
        (EMNIFY + '["123", "KORE"]', "platforms.emnify.senders[1]"),
        (MINIMAL + '[command.c]\nexec = ["/no/such/program"]', "command.c.exec[0]"),
        (MINIMAL + '[command.ping]\nplatforms = ["emnify"]', "command.ping.platforms[0]"),
        (
            MINIMAL + '[command.c]\nexec = ["/bin/echo", "{a}"]\nargs.a = {required = false}',
            "command.c.args.a.required",
        ),
    ],
)
def test_what_is_odd_but_usable_is_a_warning(text: str, path: str) -> None:
    assert [warning.path for warning in parse(text).warnings] == [path]


def test_problems_say_file_key_expectation_and_find(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text(MINIMAL + '[modem]\npoll_s = "fast"\n')
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert str(caught.value) == f'{file}: modem.poll_s: expected a number, found "fast"'
    assert caught.value.source == file


def test_a_platform_of_ones_own_is_configuration_only() -> None:
    config = parse("""
        [platforms]
        enabled = ["my-aggregator", "phone"]
        [platforms.my-aggregator]
        senders = ["46000", "ALERTS"]
        reply_to = "46000"
        trust = "closed"
        charset = "gsm7-basic"
        max_segments = 2
        sid = "either"
        [platforms.phone]
        senders = ["+44 7700 900123"]
        [command.sms]
        enabled = true
        platforms = ["my-aggregator"]
    """)
    own, phone = config.platforms
    assert (own.name, own.senders, own.reply_to) == ("my-aggregator", ("46000", "ALERTS"), "46000")
    assert (own.charset, own.max_segments, own.sid_septets) == ("gsm7-basic", 2, 35)
    assert own.trust == "closed"
    assert (phone.senders, phone.reply_to, phone.trust) == (("+447700900123",), None, "open")
    assert phone.max_segments > 1
    assert config.commands["sms"].platforms == ("my-aggregator",)


def test_answers_to_whoever_sent_can_be_said() -> None:
    config = parse("""
        [platforms]
        enabled = ["super-sim"]
        [platforms.super-sim]
        senders = ["000", "+447700900123"]
        reply_to = "sender"
    """)
    assert config.platforms[0].reply_to is None
