"""Everything that can be wrong with a configuration is named by its key, all at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.config.loader import load_document, parse
from agent.config.model import Config, ConfigError
from agent.config.structure import TOP

ENABLED = '[platforms]\nenabled = ["super-sim"]\n'


def problems(text: str) -> dict[str, str]:
    """Each problem's key -> the sentence about it."""
    with pytest.raises(ConfigError) as caught:
        parse(text)
    return {p.path: f"expected {p.expected}, found {p.got}" for p in caught.value.problems}


@pytest.mark.parametrize(
    ("text", "path", "words"),
    [
        ("[[modem]]", "modem", "expected a table, found an array"),
        ("[modem]\npol_s = 3", "modem.pol_s", 'did you mean "poll_s"?'),
        ("[mqqt]\n", "mqqt", 'did you mean "mqtt"?'),
        ("[modem]\npoll_s = true", "modem.poll_s", "a number, found true"),
        ("[modem]\nbaudrate = true", "modem.baudrate", "an integer, found true"),
        ("[modem]\nbaudrate = 9600.0", "modem.baudrate", "an integer, found 9600.0"),
        ("[modem]\nbaudrate = 50", "modem.baudrate", "from 300 to"),
        ("[modem]\npoll_s = 0", "modem.poll_s", "from 0.1 to"),
        ("[modem]\npoll_s = nan", "modem.poll_s", "found nan"),
        ("[modem]\npoll_s = inf", "modem.poll_s", "found inf"),
        ("[modem]\npoll_s = 2020-01-01", "modem.poll_s", "the date or time 2020-01-01"),
        ('[modem]\nsms_mode = "PDU"', "modem.sms_mode", 'did you mean "pdu"?'),
        ('[modem]\nprofile = "../x"', "modem.profile", '"auto" or the name'),
        ('[modem]\nport = "ttyUSB0"', "modem.port", '"auto", an absolute path'),
        ('[modem]\nport = ""', "modem.port", "absolute path"),
        ('[modem]\nport = "socket://host"', "modem.port", "a port from 1 to 65535"),
        ('[modem]\nport = "socket://host:70000"', "modem.port", "a port from 1 to 65535"),
        ('[modem]\nport = "socket://host:x"', "modem.port", "a port from 1 to 65535"),
        ('[modem]\nport = "socket://:5000"', "modem.port", "a port from 1 to 65535"),
        ('[modem]\nport = "rfc2217://h:1"', "modem.port", "socket://host:port"),
        ('[modem]\npower_cycle = ["uhubctl"]', "modem.power_cycle[0]", "absolute path"),
        ('[modem]\npower_cycle = ["/bin/true", "{x}"]', "modem.power_cycle[1]", "no argument x"),
        ('[modem]\npower_cycle = ["/bin/true", 3]', "modem.power_cycle[1]", "a string, found 3"),
        ('[modem]\npower_cycle = "x"', "modem.power_cycle", "an array of strings"),
        ('[modem]\npin_file = "no-such-file"', "modem.pin_file", "no such file"),
        ('[modem]\npin_file = ""', "modem.pin_file", 'found ""'),
        ('[modem]\npin_file = "a\\u0000b"', "modem.pin_file", "the name of"),
        ('[device]\nid = "a/b"', "device.id", "topic level"),
        ('[device]\nid = ""', "device.id", "is empty"),
        ('[device]\nid = "a\\nb"', "device.id", "control character"),
        ('[device]\nid = " a"', "device.id", "white space"),
        ('[platforms.emnfy]\nsenders = ["1"]', "platforms.emnfy", 'did you mean "emnify"?'),
        ("[platforms.emnify]\nsender = 1", "platforms.emnify.sender", 'did you mean "senders"?'),
        ("[platforms.emnify]\nsenders = [2936]", "platforms.emnify.senders[0]", "a string"),
        ('[platforms.emnify]\nsenders = [""]', "platforms.emnify.senders[0]", "a number"),
        (
            '[platforms.emnify]\nsenders = ["0171,12345"]',
            "platforms.emnify.senders[0]",
            "',' at character 5",
        ),
        (
            '[platforms.emnify]\nreply_to = "+44 (0)77"',
            "platforms.emnify.reply_to",
            "(0) after a country code",
        ),
        (
            '[platforms.emnify]\nsenders = ["123456789012345678901"]',
            "platforms.emnify.senders[0]",
            "at most 20 digits",
        ),
        ('[platforms.emnify]\nreply_to = "12345678"', "platforms.emnify.reply_to", "7 digits"),
        ('[platforms.emnify]\nreply_to = "Name"', "platforms.emnify.reply_to", "a number"),
        ('[platforms.emnify]\ntrust = "full"', "platforms.emnify.trust", '"closed", "open"'),
        ('[platforms.emnify]\ncharset = "ucs2"', "platforms.emnify.charset", '"gsm7-basic"'),
        ("[platforms.emnify]\nmax_segments = 0", "platforms.emnify.max_segments", "from 1 to 10"),
        (
            "[platforms.super-sim]\nsenders = []",
            "platforms.super-sim.senders",
            "the addresses its messages come from",
        ),
        ("[mqtt]\n", "mqtt.url", "found nothing"),
        ('[mqtt]\nurl = "broker:1883"', "mqtt.url", "mqtt://host[:port]"),
        ('[mqtt]\nurl = "http://broker"', "mqtt.url", "mqtts://host[:port]"),
        ('[mqtt]\nurl = "mqtt://"', "mqtt.url", "mqtt://host[:port]"),
        ('[mqtt]\nurl = "mqtt://h:0"', "mqtt.url", "mqtt://host[:port]"),
        ('[mqtt]\nurl = "mqtt://h:99999"', "mqtt.url", "mqtt://host[:port]"),
        ('[mqtt]\nurl = "mqtt://h:x"', "mqtt.url", "mqtt://host[:port]"),
        ('[mqtt]\nurl = "mqtt://[::1"', "mqtt.url", "mqtt://host[:port]"),
        ('[mqtt]\nurl = "mqtt://h/topic"', "mqtt.url", "mqtt://host[:port]"),
        ('[mqtt]\nurl = "mqtt://h"\nca = "/dev/null"', "mqtt.ca", "mqtts://"),
        ('[mqtt]\nurl = "mqtts://h"\nkey = "/no"', "mqtt.cert", "a certificate beside key"),
        ('[mqtt]\nurl = "mqtts://h"\nca = "/no/ca"', "mqtt.ca", "no such file"),
        ('[mqtt]\nurl = "mqtt://h"\npassword_file = "/no"', "mqtt.username", "beside password"),
        ('[mqtt]\nurl = "mqtt://h"\nroot = "a/#"', "mqtt.root", "wildcard"),
        ('[mqtt]\nurl = "mqtt://h"\nroot = ""', "mqtt.root", "empty"),
        ('[mqtt]\nurl = "mqtt://h"\nresponse_prefix = "+"', "mqtt.response_prefix", "wildcard"),
        ('[mqtt]\nurl = "mqtt://h"\nprotocol = "4"', "mqtt.protocol", '"3.1.1"'),
        ('[mqtt]\nurl = "mqtt://h"\nprotocol = 5', "mqtt.protocol", "a string, found 5"),
        ('[mqtt]\nurl = "mqtt://h"\nkeepalive_s = 0', "mqtt.keepalive_s", "from 5 to 65535"),
        ('[report]\nroute = "mqtt"', "report.route", "a route that needs no broker"),
        ('[report]\nroute = "both"', "report.route", "a route that needs no broker"),
        ('[report]\nroute = "sms-then-mqtt"', "report.route", "mqtt-then-sms"),
        ('[report]\npolicy = "some"', "report.policy", '"all", "errors", "none"'),
        ("[report]\nsms_after_s = -1", "report.sms_after_s", "from 0 to"),
        ('[security]\nrequire_signature = "yes"', "security.require_signature", '"always"'),
        ("[security]\nrequire_signature = true", "security.require_signature", "a string"),
        ('[security.keys.0]\nfile = "/no/key"', "security.keys.0.file", "no such file"),
        ('[security.keys.0]\nfile = "/"', "security.keys.0.file", "directory"),
        ("[security.keys.0]\n", "security.keys.0.file", "found nothing"),
        ('[security.keys."a b"]\n', 'security.keys."a b"', "a key id"),
        ("[security]\nkeys = 3", "security.keys", "a table, found 3"),
        ('[command.c]\nexec = ["/bin/true"]\nargs = "x"', "command.c.args", "a table"),
        ('[security.keys]\n0 = "f"', "security.keys.0", "a table"),
        ('[security.keys.0]\nfile = "/dev/null"', "device.id", "part of every signature"),
        ("[budget]\nsms_per_hour = -1", "budget.sms_per_hour", "from 0 to"),
        ("[budget]\ncommands_per_minute = 0", "budget.commands_per_minute", "from 1 to"),
        ("[budget]\nsms_per_day = 1.5", "budget.sms_per_day", "an integer"),
        ('[journal]\npath = "/"', "journal.path", "which is a folder"),
        ('[journal]\npath = ""', "journal.path", "the name of a file"),
        ('[command.ping]\nexec = ["/bin/true"]', "command.ping.exec", "built in"),
        ("[command.ping]\ntimeout_s = 3", "command.ping.timeout_s", "brings its own"),
        ("[command.ping]\nread_only = false", "command.ping.read_only", "brings its own"),
        ("[command.pnig]\n", "command.pnig.exec", 'did you mean "ping"?'),
        ('[command.Big]\nexec = ["/bin/true"]', "command.Big", "a-z 0-9 _ -"),
        ('[command."a b"]\nexec = ["/bin/true"]', 'command."a b"', "a-z 0-9 _ -"),
        ('[command.ping]\nchannels = ["sms", "fax"]', "command.ping.channels[1]", '"console"'),
        ('[command.ping]\nplatforms = ["x"]', "command.ping.platforms[0]", '"super-sim"'),
        ('[command.ping]\nkeys = ["7"]', "command.ping.keys[0]", "there are none"),
        ("[command.ping]\nenabled = 1", "command.ping.enabled", "true or false, found 1"),
        ("[command.c]\nexec = []", "command.c.exec", "a program and its arguments"),
        ('[command.c]\nexec = [""]', "command.c.exec", "a program and its arguments"),
        ('[command.c]\nexec = ["true"]', "command.c.exec[0]", "absolute path"),
        ('[command.c]\nexec = ["/bin/{x}"]', "command.c.exec[0]", "without placeholders"),
        ('[command.c]\nexec = ["/bin/true", "{x}"]', "command.c.exec[1]", "no argument x"),
        ('[command.c]\nexec = ["/bin/true", "{"]', "command.c.exec[1]", "{{"),
        ('[command.c]\nexec = ["/bin/true", "}"]', "command.c.exec[1]", "}}"),
        ('[command.c]\nexec = ["/bin/true", "{X}"]', "command.c.exec[1]", "{{"),
        ('[command.c]\nexec = ["/bin/true"]\ntimeout_s = 0', "command.c.timeout_s", "from 0.1"),
        ('[property.When]\ntype = "string"', "property.When", "a-z 0-9 _ -"),
        ('[property.p]\nexec = ["/bin/true", "{name}"]', "property.p.exec[1]", '"value"'),
        ('[property.p]\nget_exec = ["/bin/true", "{value}"]', "property.p.get_exec[1]", "none"),
        ('[property.p]\ntype = "str"', "property.p.type", 'did you mean "string"?'),
        ("[property.p]\ndefault = 3", "property.p.default", "an unknown key"),
    ],
)
def test_a_problem_is_told_by_its_key(text: str, path: str, words: str) -> None:
    found = problems(ENABLED + text)
    assert path in found
    assert words in found[path]


@pytest.mark.parametrize("name", ["cmd", "args", "id", "when", "exp", "reply", "k", "c", "m"])
def test_reserved_keys_name_neither_arguments_nor_properties(name: str) -> None:
    found = problems(
        ENABLED
        + f'[property.{name}]\n[command.x]\nexec = ["/bin/echo", "{{{name}}}"]\n'
        + f"[command.x.args.{name}]\n"
    )
    assert set(found) == {f"property.{name}", f"command.x.args.{name}"}
    assert all("reserved" in words for words in found.values())


@pytest.mark.parametrize(
    ("spec", "key", "words"),
    [
        ('type = "int"', "type", 'did you mean "integer"?'),
        ("type = 3", "type", "a string, found 3"),
        ('type = "integer"\nmin = 3\nmax = 1', "min", "at most max"),
        ('type = "integer"\nmin = "1"', "min", "a number"),
        ('type = "number"\nmax = nan', "max", "a finite number"),
        ('type = "string"\npattern = "("', "pattern", "a regular expression"),
        ('type = "integer"\npattern = "[0-9]"', "pattern", "only a string"),
        ('type = "integer"\nchoices = ["a"]', "choices", "values of the declared type"),
        ('type = "integer"\nchoices = []', "choices", "at least one"),
        ('type = "integer"\nchoices = [[1]]', "choices[0]", "a string, a number or a boolean"),
        ('type = "integer"\nmax = 3\ndefault = 5', "default", "its own rules allow"),
        ('type = "integer"\ndefault = "3"', "default", "its own rules allow"),
        ('type = "integer"\ndefault = true', "default", "its own rules allow"),
        ('type = "string"\npattern = "[a-z]"\ndefault = "A"', "default", "its own rules allow"),
        ('type = "string"\nchoices = ["a"]\ndefault = "b"', "default", "its own rules allow"),
        ('type = "number"\ndefault = inf', "default", "a finite number"),
        ("default = {}", "default", "found a table"),
        ('required = "yes"', "required", "true or false"),
    ],
)
def test_an_argument_must_agree_with_itself(spec: str, key: str, words: str) -> None:
    found = problems(
        ENABLED + '[command.x]\nexec = ["/bin/echo", "{a}"]\n[command.x.args.a]\n' + spec
    )
    assert list(found) == [f"command.x.args.a.{key}"]
    assert words in found[f"command.x.args.a.{key}"]


@pytest.mark.parametrize("text", ["", "[platforms]\n", "[platforms]\nenabled = []\n"])
def test_there_is_no_default_platform(text: str) -> None:
    found = problems(text)
    assert list(found) == ["platforms.enabled"]
    assert "there is no default" in found["platforms.enabled"]


def test_an_unknown_platform_is_guessed_at() -> None:
    found = problems('[platforms]\nenabled = ["super-sim", "supersim"]')
    assert 'did you mean "super-sim"?' in found["platforms.enabled[1]"]


@pytest.mark.parametrize("name", ["m2m-portal", "emnify"])
def test_a_platform_without_senders_of_its_own_needs_them(name: str) -> None:
    assert list(problems(f'[platforms]\nenabled = ["{name}"]')) == [f"platforms.{name}.senders"]


def test_two_enabled_rows_never_match_one_sender() -> None:
    text = '[platforms]\nenabled = ["super-sim", "emnify"]\n[platforms.emnify]\nsenders = '
    found = problems(text + '["123", "+000"]')
    assert list(found) == ["platforms.emnify.senders"]
    assert '"000", which is also a sender of super-sim' in found["platforms.emnify.senders"]
    parse(text + '["123", "0000"]')


def test_a_row_that_is_not_enabled_may_share_a_sender() -> None:
    parse(ENABLED + '[platforms.emnify]\nsenders = ["000"]')


def test_all_problems_are_told_at_once_in_the_order_of_the_file() -> None:
    found = problems(
        """
        [modem]
        port = "nope"
        poll_s = "fast"
        [platforms]
        enabled = ["super-sim", 3]
        super-sim = {trust = "half"}
        [mqtt]
        url = "http://x"
        protocol = "4"
        [security.keys.0]
        fil = "x"
        [command.Up]
        exec = ["true", "{a}", "{b}"]
        [command.Up.args]
        a = {type = "integr"}
        id = 3
        [property.when]
        type = "boolean"
        exec = ["/bin/true", "{x}"]
        """
    )
    assert set(found) == {
        "modem.port",
        "modem.poll_s",
        "platforms.enabled[1]",
        "platforms.super-sim.trust",
        "mqtt.url",
        "mqtt.protocol",
        "security.keys.0.fil",
        "security.keys.0.file",
        "device.id",
        "command.Up",
        "command.Up.exec[0]",
        "command.Up.exec[2]",
        "command.Up.args.a.type",
        "command.Up.args.id",
        "property.when",
        "property.when.exec[1]",
    }
    tables = [path.split(".")[0] for path in found if path != "device.id"]
    assert tables == sorted(
        tables, key=["modem", "platforms", "mqtt", "security", "command", "property"].index
    )


def test_a_password_in_the_url_is_never_told() -> None:
    for url in ("mqtt://user:hunter2@h", "mqtt://user:hunter2@[h", "mqtt://u:hunter2@h:99999"):
        found = problems(f'{ENABLED}[mqtt]\nurl = "{url}"')
        assert "mqtt.url" in found
        assert "hunter2" not in str(found)


def test_a_pin_is_never_told(tmp_path: Path) -> None:
    (tmp_path / "pin").write_text("12a4")
    found = problems(f'{ENABLED}[modem]\npin_file = "{tmp_path}/pin"')
    assert "12a4" not in str(found)
    assert "4 to 8 digits" in found["modem.pin_file"]


@pytest.mark.parametrize(
    ("text", "place"),
    [("[modem\n", "line 1, column 7"), ("a = 1\na = 2\n", "line 2"), ("a = ", "line 1")],
)
def test_what_is_not_toml_is_told_by_its_place(text: str, place: str) -> None:
    found = problems(text)
    assert len(found) == 1
    assert next(iter(found)).startswith((place, "end of document"))


def test_deep_nesting_is_a_problem_not_a_crash() -> None:
    assert "file" in problems("a = " + "[" * 100_000)


# Names that mean something somewhere below the top.
NAMES = """enabled senders trust reply_to url ca file keys exec args type min max default choices
    pattern port pin_file emnify super-sim id ping x root power_cycle""".split()  # noqa: SIM905 - readable as words

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["auto", "mqtt://h", "/bin/true", "{value}", "socket://h:1", "string"]),
    st.dates(),
)
KEYS = st.one_of(
    st.sampled_from([*sorted(TOP), *NAMES]),
    st.text(max_size=6),
)
TREES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


@given(document=st.dictionaries(KEYS, TREES, max_size=5))
def test_no_document_ends_in_anything_but_a_config_or_its_problems(
    document: dict[str, Any],
) -> None:
    config: Config | None = None
    paths: list[str] = []
    try:
        config = load_document(document, None, {"HOME": "/nonexistent"})
    except ConfigError as error:
        paths = [problem.path for problem in error.problems]
    if config is None:
        assert paths
        assert len(set(paths)) == len(paths)
    else:
        assert config.platforms
