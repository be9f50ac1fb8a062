"""A simulation with a customer's server, and clients written from the platforms' documents."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.support.agent import Agent
from tests.support.platforms import Answer, Customer, Simulation, call, customer, eventually

SENDERS = {"m2m-portal": "882390", "emnify": "12345"}


@dataclass
class Place:
    """A simulation, a customer's server, and how to be a client of each platform."""

    folder: Path
    simulation: Simulation
    customer: Customer

    def known(self, platform: str) -> dict[str, Any]:
        return dict(self.simulation.platform(platform)["device"])

    def account(self, platform: str) -> dict[str, Any]:
        return dict(self.simulation.platform(platform)["credentials"])

    def url(self, platform: str) -> str:
        return str(self.simulation.platform(platform)["url"])

    def bearer(self, platform: str) -> dict[str, str]:
        account = self.account(platform)
        path = "/Api/api/token" if platform == "connectivitypro" else "/api-services/v1/auth/token"
        if platform == "emnify":
            body = json.dumps({"application_token": account["application_token"]}).encode()
            answer = call("POST", f"{self.url(platform)}/api/v1/authenticate", body=body)
            return {"Authorization": f"Bearer {answer.json['auth_token']}"}
        form = {
            "grant_type": "client_credentials",
            "client_id": account["client_id"],
            "client_secret": account["client_secret"],
        }
        answer = call("POST", f"{self.url(platform)}{path}", form=form)
        assert answer.status == 200, answer.body
        headers = {"Authorization": f"Bearer {answer.json['access_token']}"}
        if platform == "connectivitypro":
            headers["x-api-key"] = account["api_key"]
        return headers

    def send(self, platform: str, text: str) -> Answer:
        """Send a text to the device as the platform's documents say."""
        known, url = self.known(platform), self.url(platform)
        if platform == "m2m-portal":
            return call(
                "POST",
                f"{url}/",
                body=portal_request(self.account(platform), known["iccid"], text),
                headers={"Content-Type": "application/xml"},
            )
        headers = self.bearer(platform)
        if platform == "programmable-wireless":
            form = {"Sim": known["sid"], "Command": text, "CallbackUrl": f"{self.customer.url}/pw"}
            return call("POST", f"{url}/v1/Commands", form=form, headers=headers)
        if platform == "super-sim":
            form = {"Sim": "gateway-17", "Payload": text, "CallbackUrl": f"{self.customer.url}/ss"}
            return call("POST", f"{url}/v1/SmsCommands", form=form, headers=headers)
        headers["Content-Type"] = "application/json"
        if platform == "connectivitypro":
            body = {"msisdn": known["msisdn"], "message": text}
            where = f"{url}/sms/v1/messages/send?account-id={self.account(platform)['account_id']}"
        else:
            body = {"payload": text, "source_address": "12345"}
            where = f"{url}/api/v1/endpoint/{known['endpoint_id']}/sms"
        return call("POST", where, body=json.dumps(body).encode(), headers=headers)

    def messages(self, platform: str, direction: str) -> list[dict[str, Any]]:
        found = self.simulation.state()["platforms"][platform]
        return [one for one in found if one["direction"] == direction]


def portal_request(account: dict[str, Any], iccid: str, text: str) -> bytes:
    root = ET.Element("send_sms", {"version": "1", "api_id": "123456"})
    who = ET.SubElement(root, "authentication")
    ET.SubElement(who, "username").text = account["username"]
    ET.SubElement(who, "password").text = account["password"]
    ET.SubElement(root, "iccid").text = iccid
    ET.SubElement(root, "message_text").text = text
    ET.SubElement(root, "sms_uid").text = "123abcde4567"
    return ET.tostring(root)


PLATFORMS = ("programmable-wireless", "super-sim", "connectivitypro", "m2m-portal", "emnify")


def world(url: str, link: Path) -> str:
    """A world whose one SIM all platforms know, and whose messages go to a customer's server."""
    tables = [f'[sim.gateway-17]\nmodem = "{link}"']
    tables += [
        f'[sim.gateway-17.{name}]\nunique_name = "gateway-17"\ncallback_url = "{url}/{name}"'
        for name in PLATFORMS
    ]
    return "\n".join(tables) + "\n"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with customer() as served:
        file = tmp_path / "world.toml"
        file.write_text(world(served.url, tmp_path / "modem"))
        with Simulation(tmp_path, "--world", str(file)) as simulation:
            yield Place(tmp_path, simulation, served)


MakeAgent = Callable[[str], Agent]


@pytest.fixture
def make_agent(place: Place) -> Iterator[MakeAgent]:
    agents: list[Agent] = []

    def make(platform: str) -> Agent:
        effects = place.folder / "effects"
        settings: dict[str, Any] = {
            "platforms": {"enabled": [platform]},
            "security": {"require_signature": "never"},
            "command": {
                "note": {
                    "exec": ["/bin/sh", "-c", f"echo $MODEM_AGENT_COMMAND_ID >>{effects}"],
                }
            },
        }
        if platform in SENDERS:
            settings["platforms"][platform] = {
                "senders": [SENDERS[platform]],
                "reply_to": SENDERS[platform],
            }
        agent = Agent(place.folder, settings=settings)
        agents.append(agent)
        return agent.__enter__()

    yield make
    for agent in agents:
        agent.__exit__(None, None, None)


def effects(place: Place) -> list[str]:
    path = place.folder / "effects"
    return path.read_text().split() if path.exists() else []


def answer_of(place: Place, platform: str, id_: str) -> dict[str, Any]:
    def probe() -> dict[str, Any] | None:
        found = place.messages(platform, "from_sim")
        # A repeat that comes while it runs is told so (WT) first.
        return next((one for one in found if one["text"].startswith(f"{id_} OK")), None)

    return eventually(probe, f"answer to {id_}")
