"""The inventory: every problem at once, by its key."""

from __future__ import annotations

import json

import pytest

from agent.config.model import ConfigError
from agent.operator.inventory_file import load
from tests.agent.operator.conftest import Desk
from tests.agent.operator.test_hostile import pointed


def problems(desk: Desk, text: str) -> set[str]:
    desk.inventory.write_text(text)
    with pytest.raises(ConfigError) as raised:
        load(desk.inventory)
    return {one.path for one in raised.value.problems}


def test_every_problem_is_told_with_its_key(desk: Desk) -> None:
    text = """
        surprise = 1
        [platform.super-sim]
        url = "supersim.example"
        client_id = 7
        clientsecret = "x"
        timeout_s = "long"
        [platform.emnify]
        application_token_file = "nowhere"
        [platform.sms-r-us]
        [device.a]
        platform = "super-sim"
        iccid = "8944"
        [device.b]
        [device.c]
        platform = "connectivitypro"
        iccid = "8944"
        key_file = "nowhere"
        [device.d]
        platform = "emnify"
        endpoint = "twelve"
        [listen]
        url = "ftp://desk"
    """
    assert problems(desk, text) == {
        "surprise",
        "platform.super-sim.url",
        "platform.super-sim.client_id",
        "platform.super-sim.client_secret_file",
        "platform.super-sim.clientsecret",
        "platform.super-sim.timeout_s",
        "platform.emnify.application_token_file",
        "platform.sms-r-us",
        "device.a",
        "device.b.platform",
        "device.c.platform",
        "device.c.device_id",
        "device.c.key_file",
        "device.d.endpoint",
        "listen.url",
    }


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", "platform"),
        ("platform = 7", "platform"),
        ("[platform]\nemnify = 7", "platform.emnify"),
        ("= 7", "file"),
        ("[device.x]\nplatform = 'emnify'\nendpoint = 12", "device.x.platform"),
    ],
)
def test_a_file_that_is_no_inventory_is_told(desk: Desk, text: str, key: str) -> None:
    assert key in problems(desk, text)


def test_check_tells_and_exits_with_78(desk: Desk) -> None:
    assert desk.run("check").returncode == 78  # there is no file
    pointed(desk, "http://127.0.0.1:1")
    good = desk.run("check")
    assert good.returncode == 0, good.stderr
    assert "good; devices" in good.stdout
    desk.tables["platform"]["super-sim"] |= {"secret": "1", "client_id": 7}
    desk.write()
    bad = desk.run("check", "--json")
    assert bad.returncode == 78
    paths = [one["path"] for one in json.loads(bad.stdout)["problems"]]
    assert paths == ["platform.super-sim.secret", "platform.super-sim.client_id"]
    for words in (("send", "super-sim", "ping"), ("messages", "super-sim")):
        assert desk.run(*words).returncode == 78


def test_without_an_address_the_real_ones_are_meant(desk: Desk) -> None:
    pointed(desk, "http://127.0.0.1:1")
    for name, table in desk.tables["platform"].items():
        if name != "m2m-portal":
            del table["url"]
    desk.write()
    accounts = load(desk.inventory).accounts
    assert accounts["super-sim"].url == "https://supersim.api.korewireless.com"
    assert accounts["super-sim"].token_url.startswith("https://api.korewireless.com/")
    assert accounts["emnify"].url == "https://cdn.emnify.net"


def test_wrong_use_is_2(desk: Desk) -> None:
    pointed(desk, "http://127.0.0.1:1")
    for words in (
        ("send", "nobody", "ping"),
        ("messages", "nobody"),
        ("send", "super-sim"),
        ("send", "super-sim", "ping", "--wait", "0"),
        ("send", "super-sim", "ping", "--retry", "-1"),
        ("listen", "--http", "here"),
        ("dance",),
    ):
        assert desk.run(*words).returncode == 2, words


def test_no_secret_is_shown(desk: Desk) -> None:
    pointed(desk, "http://127.0.0.1:1")
    desk.tables["platform"]["super-sim"]["client_secret_file"] = desk.secret("s", "open-sesame")
    desk.write()
    inventory = load(desk.inventory)
    assert inventory.accounts["super-sim"].secrets["client_secret"] == "open-sesame"
    assert "open-sesame" not in repr(inventory)
