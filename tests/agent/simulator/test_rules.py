"""The rules of each platform at their edges, what a device sends, and what goes wrong between."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import select
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from at import sms
from tests.agent.simulator.conftest import PLATFORMS, Place, portal_request, world
from tests.support.platforms import Answer, Simulation, call, customer, eventually

NUMBERS = {
    "programmable-wireless": "2936",
    "super-sim": "000",
    "connectivitypro": "567300905",
    "m2m-portal": "882390",
    "emnify": "12345",
}


@contextlib.contextmanager
def a_world(folder: Path, extra: str = "", **keys: str) -> Iterator[Place]:
    """A simulation of conftest's world; extra: further tables; keys: further lines of a table."""
    with customer() as served:
        text = world(served.url, folder / "modem")
        for name, lines in keys.items():
            head = f"[sim.gateway-17.{name.replace('_', '-')}]\n"
            text = text.replace(head, head + lines.replace("CUSTOMER", served.url) + "\n")
        (folder / "world.toml").write_text(text + extra)
        with Simulation(folder, "--world", str(folder / "world.toml")) as simulation:
            yield Place(folder, simulation, served)


def device_sends(terminal: Path | str, number: str, text: str) -> None:
    """Send a text from the modem over its terminal, in PDU mode, in as many parts as it takes."""
    fd = os.open(terminal, os.O_RDWR | os.O_NOCTTY)
    try:
        _say(fd, b"AT+CMGF=0\r", b"OK")
        for part in sms.segment(text, reference=7):
            pdu = sms.encode(sms.Submit(sms.Address.parse(number), part)).hex().upper()
            octets = len(pdu) // 2 - 1 - int(pdu[:2], 16)
            _say(fd, f"AT+CMGS={octets}\r".encode(), b"> ")
            _say(fd, pdu.encode() + b"\x1a", b"OK")
    finally:
        os.close(fd)


def _say(fd: int, said: bytes, until: bytes) -> None:
    os.write(fd, said)
    heard, deadline = b"", time.monotonic() + 20
    while until not in heard.replace(said, b""):
        assert time.monotonic() < deadline, heard
        if select.select([fd], [], [], 0.2)[0]:
            heard += os.read(fd, 4096)


T = TypeVar("T")


def counted(probe: Callable[[], list[T]], count: int) -> list[T]:
    """Return what `probe` finds once it is so many."""
    eventually(lambda: len(probe()) == count, f"{count} of them")
    return probe()


def create(place: Place, resource: str, **fields: str) -> Answer:
    name = "programmable-wireless" if resource == "Commands" else "super-sim"
    form = {"Sim": "gateway-17", **fields}
    headers = place.bearer(name)
    return call("POST", f"{place.url(name)}/v1/{resource}", form=form, headers=headers)


# ---- Programmable Wireless and Super SIM ------------------------------------------------------


@pytest.mark.parametrize("include", ["start", "end"])
def test_the_sid_leaves_125_characters(place: Place, include: str) -> None:
    fits = create(place, "Commands", Command="x" * 125, IncludeSid=include)
    assert fits.status == 201
    (delivery,) = place.simulation.state()["deliveries"]
    sid, text = fits.json["sid"], "x" * 125
    assert delivery["text"] == (f"{sid} {text}" if include == "start" else f"{text} {sid}")
    refused = create(place, "Commands", Command="x" * 126, IncludeSid=include)
    assert (refused.status, refused.json["code"]) == (400, 33111)


@pytest.mark.parametrize(("overlong", "parts", "length"), [("cut", 1, 160), ("split", 2, 161)])
def test_what_becomes_of_126_characters_with_a_sid_is_a_setting(
    tmp_path: Path, overlong: str, parts: int, length: int
) -> None:
    extra = f'[platform.programmable-wireless]\noverlong = "{overlong}"\n'
    with a_world(tmp_path, extra) as place:
        assert create(place, "Commands", Command="x" * 126, IncludeSid="start").status == 201
        (delivery,) = place.simulation.state()["deliveries"]
        assert (delivery["parts"], len(delivery["text"])) == (parts, length)


@pytest.mark.parametrize(
    ("name", "resource", "text", "key"),
    [
        ("programmable-wireless", "Commands", "Command", "commands"),
        ("super-sim", "SmsCommands", "Payload", "sms_commands"),
    ],
)
def test_kore_lists_are_filtered_and_paged(
    place: Place, name: str, resource: str, text: str, key: str
) -> None:
    for number in range(3):
        create(place, resource, **{text: f"ping id=n{number}"})
    device_sends(place.folder / "modem", NUMBERS[name], "hello")
    url, headers = f"{place.url(name)}/v1/{resource}", place.bearer(name)

    def listed(query: str) -> Answer:
        return call("GET", f"{url}?{query}", headers=headers)

    def count(query: str) -> int:
        return len(listed(query).json[key])

    eventually(lambda: count("Status=delivered") == 3, "deliveries")
    assert [count(f"Direction={one}") for one in ("to_sim", "from_sim")] == [3, 1]
    assert count("Status=received") == 1
    assert count("Sim=gateway-17") == 4
    assert listed("Sim=nobody").status == 404
    first = listed("PageSize=3").json
    assert first["meta"]["page_size"] == 3
    assert first["meta"]["previous_page_url"] is None
    second = call("GET", first["meta"]["next_page_url"], headers=headers).json
    assert len(second[key]) == 1
    assert second["meta"]["next_page_url"] is None
    assert listed("").json["meta"]["page_size"] == 50
    for wrong in ("PageSize=0", "PageSize=1001", "PageSize=x", "Page=-1", "Nothing=1"):
        assert listed(wrong).status == 400, wrong
    assert listed("Status=nothing").status == 400


@pytest.mark.parametrize("status", [408, 423, 500, 503])
def test_kore_calls_once_more_on_these_answers(place: Place, status: int) -> None:
    place.customer.statuses[:] = [status] * 20
    sid = place.send("super-sim", "ping").json["sid"]

    def told() -> bool:
        found = place.customer.named(CommandSid=sid)
        return sorted(one["form"]["Status"] for one in found) == sorted(
            ["queued", "sent", "delivered"] * 2
        )

    eventually(told, "two calls of each")


def test_kore_does_not_call_again_on_another_refusal(place: Place) -> None:
    place.customer.statuses[:] = [400, 404, 410]
    sid = place.send("super-sim", "ping").json["sid"]
    eventually(lambda: len(place.customer.named(CommandSid=sid)) == 3, "three calls")
    place.simulation.control("advance", seconds=3600)
    assert len(place.customer.named(CommandSid=sid)) == 3


# ---- the portal -------------------------------------------------------------------------------


def portal(place: Place, text: str, **more: str) -> str:
    body = portal_request(place.account("m2m-portal"), place.known("m2m-portal")["iccid"], text)
    children = "".join(f"<{name}>{value}</{name}>" for name, value in more.items())
    body = body.replace(b"</send_sms>", f"{children}</send_sms>".encode())
    kind = {"Content-Type": "application/xml"}
    return call("POST", f"{place.url('m2m-portal')}/", body=body, headers=kind).body


def test_the_portal_carries_120_octets_to_kpn_c_sims_only(tmp_path: Path) -> None:
    data = [base64.b64encode(bytes(range(size))).decode() for size in (120, 121)]
    with a_world(tmp_path, m2m_portal='sim_type = "KPN-C"') as place:
        assert "success" in portal(place, data[0], data_coding="binary")
        assert "INVALID CONTENT" in portal(place, data[1], data_coding="binary")
        assert "base64" in portal(place, "no base64!", data_coding="binary")
    with a_world(tmp_path) as place:
        assert "not permitted" in portal(place, data[0], data_coding="binary")


@pytest.mark.parametrize(("kind", "sender"), [("Manx Telecom", "+447624000000"), ("", "882390")])
def test_the_portal_takes_an_origin_on_manx_sims_only(
    tmp_path: Path, kind: str, sender: str
) -> None:
    with a_world(tmp_path, m2m_portal=f'sim_type = "{kind}"') as place:
        assert "success" in portal(place, "ping", origin="+447624000000")
        assert place.simulation.state()["deliveries"][0]["from"] == sender


def test_the_portal_tries_the_backup_url_after_the_first(tmp_path: Path) -> None:
    with a_world(tmp_path, m2m_portal='backup_url = "CUSTOMER/backup"') as place:
        place.customer.statuses[:] = [500, 500, 500]
        portal(place, "ping")
        eventually(lambda: len(place.customer.calls) == 2, "first round")
        place.simulation.control("advance", seconds=5)
        eventually(lambda: len(place.customer.calls) == 4, "second round")
        assert [one["path"] for one in place.customer.calls] == ["/m2m-portal", "/backup"] * 2


# ---- from the device --------------------------------------------------------------------------


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_long_answer_reaches_each_platform_part_by_part(place: Place, platform: str) -> None:
    text = "a" * 153 + "b" * 20
    device_sends(place.folder / "modem", NUMBERS[platform], text)
    found = counted(lambda: place.messages(platform, "from_sim"), 2)
    assert sorted(one["text"] for one in found) == ["a" * 153, "b" * 20]
    eventually(lambda: len(place.customer.calls) == 2, "two calls")
    if platform == "emnify":
        told = [json.loads(one["body"])["multi_part_info"] for one in place.customer.calls]
        assert sorted(one["partno"] for one in told) == [1, 2]
        assert {(one["identifier"], one["total"]) for one in told} == {(7, 2)}


@pytest.mark.parametrize("number", ["12345678", "+447700900123"])
def test_a_longer_number_is_an_ordinary_sms_that_no_api_but_super_sims_sees(
    place: Place, number: str
) -> None:
    device_sends(place.folder / "modem", number, "hello")
    (sent,) = counted(lambda: list(place.simulation.state()["originated"]), 1)
    assert sent["routed_to"] in (None, "super-sim")
    for platform in ("programmable-wireless", "connectivitypro", "m2m-portal", "emnify"):
        assert not place.messages(platform, "from_sim")


def test_emnify_takes_six_sms_a_minute_from_a_device(place: Place) -> None:
    for number in range(7):
        device_sends(place.folder / "modem", "12345", f"n{number}")
    eventually(lambda: len(place.simulation.state()["originated"]) == 7, "seven SMS")
    eventually(lambda: len(place.messages("emnify", "from_sim")) == 6, "six of them")
    place.simulation.control("advance", seconds=61)
    device_sends(place.folder / "modem", "12345", "later")
    eventually(lambda: len(place.messages("emnify", "from_sim")) == 7, "one more")


# ---- faults, several modems -------------------------------------------------------------------


def stored(place: Place) -> list[sms.Deliver]:
    told = place.simulation.control("modem", op="stored")["stored"]
    slots = sorted(
        (int(index), slot["pdu"]) for memory in told.values() for index, slot in memory.items()
    )
    found = [sms.decode(pdu).tpdu for _, pdu in slots]
    return [one for one in found if isinstance(one, sms.Deliver)]


def test_parts_and_messages_come_in_another_order_on_demand(place: Place) -> None:
    place.simulation.control("faults", reorder=1)
    place.send("connectivitypro", "x" * 200)
    found = counted(lambda: stored(place), 2)
    assert [one.user_data.concat.sequence for one in found if one.user_data.concat] == [2, 1]


def test_a_message_overtakes_those_that_wait(place: Place) -> None:
    place.simulation.control("modem", op="radio", registration=0)
    place.send("super-sim", "first")
    eventually(lambda: place.simulation.state()["sims"]["gateway-17"]["waiting"] == 1, "first")
    place.simulation.control("faults", reorder=1)
    place.send("super-sim", "second")
    place.simulation.control("modem", op="radio", registration=1)
    found = counted(lambda: stored(place), 2)
    assert [one.user_data.text for one in found] == ["second", "first"]


def test_a_message_is_lost_and_another_comes_from_a_forged_sender_too(place: Place) -> None:
    place.simulation.control("faults", lose=1)
    place.send("super-sim", "lost")
    eventually(lambda: place.simulation.state()["deliveries"][0]["state"] == "lost", "loss")
    place.simulation.control("faults", forge_sender=1)
    place.send("super-sim", "kept")
    found = counted(lambda: stored(place), 2)
    assert {str(one.originator) for one in found} == {"000", "+447700900999"}
    assert {one.user_data.text for one in found} == {"kept"}


def test_several_sims_each_in_a_modem_of_its_own(tmp_path: Path) -> None:
    extra = f'[sim.pump]\nmodem = "{tmp_path / "second"}"\n[sim.pump.super-sim]\n'
    with a_world(tmp_path, extra) as place:
        assert create(place, "SmsCommands", Sim="pump", Payload="to the pump").status == 201
        state = eventually(
            lambda: (
                place.simulation.state()["sims"]["pump"]["stored"] == 1 and place.simulation.state()
            ),
            "the pump's SMS",
        )
        assert state["sims"]["gateway-17"]["stored"] == 0
        device_sends(tmp_path / "second", "000", "from the pump")
        (one,) = eventually(lambda: place.messages("super-sim", "from_sim"), "its answer")
        assert (one["sim"], one["text"]) == ("pump", "from the pump")
        # The emnify account does not know it.
        device_sends(tmp_path / "second", "12345", "elsewhere")
        eventually(lambda: len(place.simulation.state()["originated"]) == 2, "the SMS")
        assert not place.messages("emnify", "from_sim")
