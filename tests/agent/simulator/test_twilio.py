"""The stock client of the platforms' older days, unchanged but for its base URL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from tests.support.platforms import Simulation, eventually


@pytest.fixture(scope="module")
def simulation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulation]:
    with Simulation(tmp_path_factory.mktemp("twilio")) as running:
        yield running


@pytest.fixture
def client(simulation: Simulation) -> Client:
    account = simulation.platform("programmable-wireless")["credentials"]
    made = Client(account["client_id"], account["client_secret"])
    made.wireless.base_url = f"{simulation.url}/programmable-wireless"
    made.supersim.base_url = f"{simulation.url}/super-sim"
    return made


def test_commands_are_created_fetched_listed_and_deleted(client: Client) -> None:
    commands = client.wireless.v1.commands
    made = [commands.create(command=f"ping id=t{n}", sim="gateway-17") for n in range(5)]
    assert made[0].sid.startswith("DC")
    assert made[0].direction == "to_sim"
    eventually(lambda: commands(made[0].sid).fetch().status == "delivered" or None, "delivery")
    # Newest first, over pages of two.
    assert [one.sid for one in commands.list(page_size=2)] == [one.sid for one in reversed(made)]
    assert [one.sid for one in commands.list(limit=3, page_size=2)] == [
        one.sid for one in reversed(made[2:])
    ]
    assert made[0].date_created is not None
    assert commands(made[0].sid).delete() is True
    with pytest.raises(TwilioRestException) as caught:
        commands(made[0].sid).fetch()
    assert caught.value.status == 404


def test_filters_and_binary(client: Client) -> None:
    commands = client.wireless.v1.commands
    commands.create(command="AAEC/w==", sim="gateway-17", command_mode="binary")
    found = commands.list(sim="gateway-17", direction="to_sim", limit=1)
    assert (found[0].command, found[0].command_mode) == ("AAEC/w==", "binary")
    assert commands.list(direction="from_sim") == []
    assert commands.list(transport="ip") == []


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"command": "x" * 161, "sim": "gateway-17"}, 33111),
        ({"command": "x" * 126, "sim": "gateway-17", "include_sid": "start"}, 33111),
        ({"command": "ping", "sim": "nobody"}, 33107),
        ({"command": "ping", "sim": "gateway-17", "command_mode": "morse"}, 33101),
        ({"command": "no base64", "sim": "gateway-17", "command_mode": "binary"}, 33101),
    ],
)
def test_what_is_refused_comes_as_the_platform_s_own_error(
    client: Client, how: dict[str, str], code: int
) -> None:
    with pytest.raises(TwilioRestException) as caught:
        client.wireless.v1.commands.create(**how)
    assert caught.value.code == code


def test_super_sim_commands(client: Client) -> None:
    commands = client.supersim.v1.sms_commands
    made = [commands.create(sim="gateway-17", payload=f"ping id=u{n}") for n in range(3)]
    assert made[0].sid.startswith("HC")
    assert made[0].status == "queued"
    eventually(lambda: commands(made[0].sid).fetch().status == "delivered" or None, "delivery")
    assert [one.sid for one in commands.list(page_size=1)] == [one.sid for one in reversed(made)]
    with pytest.raises(TwilioRestException) as caught:
        commands.create(sim="nobody", payload="ping")
    assert (caught.value.status, caught.value.code) == (404, 83005)


def test_wrong_credentials_are_refused(simulation: Simulation) -> None:
    stranger = Client("AC" + "0" * 32, "wrong")
    stranger.wireless.base_url = f"{simulation.url}/programmable-wireless"
    with pytest.raises(TwilioRestException) as caught:
        stranger.wireless.v1.commands.create(command="ping", sim="gateway-17")
    assert caught.value.status == 403
