"""What each platform says, field by field: answers, lists, callbacks, their headers and retries."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from agent.simulator.platforms.kore import signature
from tests.agent.simulator.conftest import PLATFORMS, Place, portal_request, world
from tests.support.platforms import Simulation, call, customer, eventually

KORE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def test_the_published_vector_of_the_signature() -> None:
    assert (
        signature("12345", "POST", "https://testendpoint.com", "field1=value1&field2=value2")
        == "f562d3959f68b5a30fc7a63f8bbf40987f633575f4231ffceb4f76dd154ea3ce"
    )


def test_super_sim_tells_each_change_by_a_signed_form(place: Place) -> None:
    headers = place.bearer("super-sim")
    secret = call("POST", f"{place.url('super-sim')}/v1/secrets", headers=headers).json
    assert secret["id"].startswith("whs_")
    created = place.send("super-sim", "ping id=a").json
    assert set(created) == {
        "sid",
        "account_sid",
        "sim_sid",
        "payload",
        "status",
        "direction",
        "date_created",
        "date_updated",
        "url",
    }
    assert re.fullmatch(r"HC[0-9a-f]{32}", created["sid"])
    assert KORE_TIME.fullmatch(created["date_created"])
    eventually(lambda: len(place.customer.named(CommandSid=created["sid"])) == 3, "three calls")
    mine = place.customer.named(CommandSid=created["sid"])
    # Each is a call of its own: which comes first is the network's.
    assert sorted(one["form"]["Status"] for one in mine) == ["delivered", "queued", "sent"]
    for one in mine:
        assert set(one["form"]) == {
            "AccountSid",
            "CommandSid",
            "SimSid",
            "SimUniqueName",
            "Payload",
            "PayloadType",
            "Direction",
            "Status",
        }
        assert one["headers"]["user-agent"] == "KoreProxy/1.1"
        plain = f"{secret['secret']}POST{place.customer.url}/ss{one['body']}"
        assert one["headers"]["kore-signature"] == hashlib.sha256(plain.encode()).hexdigest()


def test_a_callback_that_fails_is_made_once_more_under_the_same_token(place: Place) -> None:
    place.customer.statuses[:] = [503, 503]
    created = place.send("super-sim", "ping id=a").json

    def queued() -> list[dict[str, Any]] | None:
        found = place.customer.named(CommandSid=created["sid"], Status="queued")
        return found if len(found) == 2 else None

    first, second = eventually(queued, "second try")
    token = "kore-idempotency-token"
    assert first["headers"][token] == second["headers"][token]


def test_a_callback_by_get_is_a_query(place: Place) -> None:
    form = {
        "Sim": "gateway-17",
        "Payload": "ping",
        "CallbackUrl": f"{place.customer.url}/hook?a=1",
        "CallbackMethod": "GET",
    }
    url = f"{place.url('super-sim')}/v1/SmsCommands"
    assert call("POST", url, form=form, headers=place.bearer("super-sim")).status == 201
    eventually(lambda: place.customer.named(Status="delivered"), "delivered")
    assert all(one["method"] == "GET" for one in place.customer.calls)
    assert place.customer.calls[0]["path"].startswith("/hook?a=1&AccountSid=AC")


def test_programmable_wireless_calls_when_it_was_sent_and_delivered(place: Place) -> None:
    created = place.send("programmable-wireless", "ping id=a").json
    assert created["transport"] == "sms"
    assert created["delivery_receipt_requested"] is True
    eventually(lambda: len(place.customer.named(CommandSid=created["sid"])) == 2, "two calls")
    told = place.customer.named(CommandSid=created["sid"])
    assert sorted(one["form"]["Status"] for one in told) == ["delivered", "sent"]
    assert set(told[0]["form"]) == {
        "CommandSid",
        "SimSid",
        "SimUniqueName",
        "Command",
        "Status",
        "ApiVersion",
        "AccountSid",
        "CommandMode",
    }


def test_super_sim_stays_sent_after_24_hours_without_a_confirmation(place: Place) -> None:
    place.simulation.control("modem", op="radio", registration=0)
    created = place.send("super-sim", "ping id=a").json
    url = f"{place.url('super-sim')}/v1/SmsCommands/{created['sid']}"
    headers = place.bearer("super-sim")
    eventually(lambda: call("GET", url, headers=headers).json["status"] == "sent", "sent")
    place.simulation.control("advance", seconds=25 * 3600)
    eventually(lambda: place.simulation.state()["sims"]["gateway-17"]["waiting"] == 0, "expiry")
    # An hour's token is over by then.
    assert call("GET", url, headers=headers).status == 403
    assert call("GET", url, headers=place.bearer("super-sim")).json["status"] == "sent"


def test_connectivitypro_splits_and_tells_queued_and_success_by_json(place: Place) -> None:
    sent = place.send("connectivitypro", "x" * 400)
    assert set(sent.json) == {"code", "status", "message", "mid"}
    eventually(lambda: len(place.customer.calls) == 2, "two alerts")
    deliveries = place.simulation.state()["deliveries"]
    assert [one["parts"] for one in deliveries] == [3]
    bodies = [json.loads(one["body"]) for one in place.customer.calls]
    bodies.sort(key=lambda body: str(body["events"][0]["data"]["status"]))
    assert [body["events"][0]["data"]["status"] for body in bodies] == ["Queued", "Success"]
    assert bodies[0]["event-name"] == "connectivity.smsapi.mobileterminated"
    data = bodies[0]["events"][0]["data"]
    assert (data["from"], data["direction"], data["mid"]) == (
        "567300905",
        "to_sim",
        sent.json["mid"],
    )


def test_connectivitypro_has_no_extension_characters_and_wants_one_address(place: Place) -> None:
    assert place.send("connectivitypro", '{"cmd":"ping"}').status == 422
    account = place.account("connectivitypro")["account_id"]
    url = f"{place.url('connectivitypro')}/sms/v1/messages/send?account-id={account}"
    headers = {**place.bearer("connectivitypro"), "Content-Type": "application/json"}
    for body in ({"message": "x"}, {"message": "x", "msisdn": "1", "iccid": "2"}):
        assert call("POST", url, body=json.dumps(body).encode(), headers=headers).status == 400
    assert call("POST", url, body=b"{}", headers=place.bearer("super-sim")).status == 401


def test_connectivitypro_lists_and_fails_after_48_hours(place: Place) -> None:
    place.simulation.control("modem", op="radio", registration=0)
    mid = place.send("connectivitypro", "ping id=a").json["mid"]
    place.simulation.control("advance", seconds=49 * 3600)
    eventually(lambda: len(place.customer.calls) == 2, "two alerts")
    told = [json.loads(one["body"])["events"][0]["data"] for one in place.customer.calls]
    (failed,) = [one for one in told if one["status"] == "Failed"]
    assert (failed["status"], failed["error-code"], failed["error-message"]) == (
        "Failed",
        419,
        "UNDELIV",
    )
    account = place.account("connectivitypro")["account_id"]
    for path in ("/sms/v1/messages", "/sms/v1/sms/messages"):
        url = f"{place.url('connectivitypro')}{path}?account-id={account}&mid={mid}"
        listed = call("GET", url, headers=place.bearer("connectivitypro")).json
        assert listed["page-info-result"] == {
            "total-count": 1,
            "page-index": 1,
            "max-page-item": 10,
        }
        assert listed["messages"][0]["status"] == "Failed"


@pytest.mark.parametrize("joiner", ["_", "-", ""])
def test_the_portal_takes_every_spelling_of_its_names(place: Place, joiner: str) -> None:
    account, known = place.account("m2m-portal"), place.known("m2m-portal")
    request = portal_request(account, known["iccid"], "ping").decode().replace("_", joiner)
    answer = call(
        "POST",
        f"{place.url('m2m-portal')}/",
        body=request.encode(),
        headers={"Content-Type": "application/xml"},
    )
    assert "<api_outcome>success</api_outcome>" in answer.body


def test_the_portal_refuses_in_words_and_answers_queries(place: Place) -> None:
    account, known = place.account("m2m-portal"), place.known("m2m-portal")
    url, headers = f"{place.url('m2m-portal')}/", {"Content-Type": "application/xml"}

    def ask(body: bytes) -> str:
        return call("POST", url, body=body, headers=headers).body

    assert "INVALID CONTENT" in ask(portal_request(account, known["iccid"], "x" * 161))
    assert "INVALID CONTENT" in ask(portal_request(account, known["iccid"], "{" * 81))
    assert "unknown iccid" in ask(portal_request(account, "1" * 19, "x"))
    wrong = {**account, "password": "wrong"}
    assert "authentication failed" in ask(portal_request(wrong, known["iccid"], "x"))
    query = ET.Element("query_sms_mt_details", {"version": "1", "api_id": "9"})
    who = ET.SubElement(query, "authentication")
    ET.SubElement(who, "username").text = account["username"]
    ET.SubElement(who, "password").text = account["password"]
    ET.SubElement(query, "iccid").text = known["iccid"]
    ET.SubElement(query, "lastx").text = "20"
    empty = ET.fromstring(ask(ET.tostring(query)))
    assert [len(one) for one in empty.findall("sms")] == [0]
    for number in range(3):
        ask(portal_request(account, known["iccid"], f"ping id=p{number}"))

    def listed() -> list[ET.Element] | None:
        found = ET.fromstring(ask(ET.tostring(query))).findall("sms")
        return found if all(one.findtext("status") == "delivered" for one in found) else None

    found = eventually(listed, "deliveries")
    assert [one.findtext("message_text") for one in found] == [
        "ping id=p2",
        "ping id=p1",
        "ping id=p0",
    ]
    assert re.fullmatch(
        r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d", found[0].findtext("sent_timestamp") or ""
    )
    eventually(lambda: len(place.customer.calls) == 3, "three receipts")
    assert "<sms_uid>123abcde4567</sms_uid>" in place.customer.calls[0]["body"]


def test_a_push_of_the_portal_is_tried_until_it_is_taken(place: Place) -> None:
    place.customer.statuses[:] = [500] * 4
    account, known = place.account("m2m-portal"), place.known("m2m-portal")
    call(
        "POST",
        f"{place.url('m2m-portal')}/",
        body=portal_request(account, known["iccid"], "ping"),
        headers={"Content-Type": "application/xml"},
    )
    for count in range(1, 6):
        eventually(lambda count=count: len(place.customer.calls) >= count, f"push {count}")  # type: ignore[misc]
        place.simulation.control("advance", seconds=120)
    place.simulation.control("advance", seconds=3600)
    assert len(place.customer.calls) == 5


def test_emnify_answers_201_and_lists_a_bare_array(place: Place) -> None:
    sent = place.send("emnify", "ping id=a")
    assert (sent.status, sent.body) == (201, "")
    endpoint = place.known("emnify")["endpoint_id"]
    where = sent.headers["Location"]
    assert re.fullmatch(rf".*/endpoint/{endpoint}/sms/\d+", where)
    headers = place.bearer("emnify")

    def delivered() -> dict[str, Any] | None:
        told: dict[str, Any] = call("GET", where, headers=headers).json
        return told if told["status"] == {"id": 4, "status": "DELIVERED"} else None

    told = eventually(delivered, "delivery")
    assert re.fullmatch(r"[\dT:-]+\.\d{3}\+0000", told["submit_date"])
    url = f"{place.url('emnify')}/api/v1/endpoint"
    assert isinstance(call("GET", f"{url}/{endpoint}/sms", headers=headers).json, list)
    page = call("GET", f"{url}?page=1&per_page=1", headers=headers)
    assert page.headers["X-Total-Count"] == "1"
    assert 'rel="first"' in page.headers["Link"]
    receipt = eventually(lambda: place.customer.calls, "receipt")[0]
    assert receipt["method"] == "PATCH"
    assert json.loads(receipt["body"])["status"] == {"id": 4, "status": "DELIVERED"}


def test_emnify_cancels_what_is_buffered_and_nothing_else(place: Place) -> None:
    place.simulation.control("modem", op="radio", registration=0)
    where = place.send("emnify", "ping id=a").headers["Location"]
    headers = place.bearer("emnify")
    eventually(lambda: call("GET", where, headers=headers).json["status"]["id"] == 3, "buffered")
    assert call("DELETE", where, headers=headers).status == 200
    assert call("GET", where, headers=headers).json["status"] == {"id": 7, "status": "CANCELED"}
    assert call("DELETE", where, headers=headers).status == 409
    place.simulation.control("modem", op="radio", registration=1)
    assert place.simulation.state()["sims"]["gateway-17"]["waiting"] == 0


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"payload": "x" * 161}, 422),
        ({"payload": "x", "source_address": "NAME"}, 422),
        ({"payload": "x", "source_address": "NAME", "source_address_type": {"id": 208}}, 201),
        ({"payload": "x", "source_address": 12345}, 201),
        ({"payload": "x", "udh": "0003070201"}, 201),
        ({"payload": "x", "udh": "050003070201"}, 201),
        ({"payload": "x", "udh": "0503"}, 422),
        ({"payload": "x", "expiry_date": "2000-01-01T00:00:00Z"}, 422),
    ],
)
def test_emnify_validates_what_it_is_given(place: Place, body: dict[str, Any], status: int) -> None:
    url = f"{place.url('emnify')}/api/v1/endpoint/{place.known('emnify')['endpoint_id']}/sms"
    headers = {**place.bearer("emnify"), "Content-Type": "application/json"}
    answer = call("POST", url, body=json.dumps(body).encode(), headers=headers)
    assert answer.status == status, answer.body


def test_emnify_limits_authentications(place: Place) -> None:
    url = f"{place.url('emnify')}/api/v1/authenticate"
    statuses = {call("POST", url, body=b"{}").status for _ in range(101)}
    assert statuses == {401, 429}


def test_what_waits_survives_a_restart_of_the_simulator(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    with customer() as served:
        file = tmp_path / "world.toml"
        keys = "\n".join(
            f'[platform.{name}]\nclient_id = "a"\nclient_secret = "b"\n'
            for name in ("programmable-wireless", "super-sim")
        )
        file.write_text(keys + world(served.url, tmp_path / "modem"))
        options = ("--world", str(file), "--state", str(state))
        with Simulation(tmp_path, *options) as first:
            first.control("modem", op="radio", registration=0)
            place = Place(tmp_path, first, served)
            sid = place.send("super-sim", "ping id=a").json["sid"]
        with Simulation(tmp_path, *options) as second:
            place = Place(tmp_path, second, served)

            def delivered() -> bool:
                status: str = place.messages("super-sim", "to_sim")[0]["status"]
                return status == "delivered"

            eventually(delivered, "delivery after the restart")
            assert place.messages("super-sim", "to_sim")[0]["id"] == sid


def test_a_callback_of_emnify_bears_a_signed_token(tmp_path: Path) -> None:
    with customer() as served:
        file = tmp_path / "world.toml"
        file.write_text(
            '[platform.emnify]\napi_secret = "s3cret"\n' + world(served.url, tmp_path / "modem")
        )
        with Simulation(tmp_path, "--world", str(file)) as simulation:
            Place(tmp_path, simulation, served).send("emnify", "ping")
            told = eventually(lambda: served.calls, "receipt")[0]
    token = told["headers"]["authorization"].removeprefix("Bearer ")
    head, claims, given = token.split(".")
    wanted = hmac.new(b"s3cret", f"{head}.{claims}".encode(), hashlib.sha256).digest()
    assert base64.urlsafe_b64decode(given + "=" * (-len(given) % 4)) == wanted


def test_a_queue_of_60_is_what_the_operator_takes(place: Place) -> None:
    place.simulation.control("modem", op="radio", registration=0)
    outcomes = [place.send("m2m-portal", f"ping id=q{n}").body for n in range(61)]
    assert all("success" in one for one in outcomes[:60])
    assert "rejected by operator" in outcomes[60]


def test_every_platform_knows_only_its_own_callers(place: Place) -> None:
    for name in PLATFORMS[:3]:
        url = {
            "programmable-wireless": "/v1/Commands",
            "super-sim": "/v1/SmsCommands",
            "connectivitypro": "/sms/v1/messages?account-id=1",
        }[name]
        answer = call("GET", f"{place.url(name)}{url}", headers={"Authorization": "Bearer x"})
        assert answer.status in (401, 403)
