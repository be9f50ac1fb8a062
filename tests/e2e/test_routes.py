"""Where an outcome is told: route, policy, and what a message asks for itself."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.conftest import MakeRoad
from tests.e2e.road import Road, parts_of
from tests.support.broker import Mosquitto, mosquitto_path
from tests.support.mqtt_client import Observer

pytestmark = pytest.mark.skipif(mosquitto_path() is None, reason="mosquitto is not installed")


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture
def observer(broker: Mosquitto) -> Iterator[Observer]:
    with Observer(broker.port) as watching:
        yield watching


NUMBERS = itertools.count(1)  # a device of its own for each test: the broker is shared


class Told:
    """A road with a broker, and who was told what of a command."""

    def __init__(self, road: Road, observer: Observer, device: str) -> None:
        self.road = road
        self.observer = observer
        self.topic = f"modem-agent/{device}"

    def by_sms(self, id_: str) -> list[str]:
        return [reply for reply in self.road.replies() if reply.startswith(f"{id_} ")]

    def by_mqtt(self, id_: str) -> list[dict[str, Any]]:
        seen = self.observer.on(f"{self.topic}/command/result")
        return [one.json for one in seen if one.json["id"] == id_]

    def ask(self, text: str, channel: str) -> None:
        if channel == "sms":
            self.road.deliver(parts_of(text)[0])
        else:
            self.observer.publish(f"{self.topic}/command/request", text)

    def counts(self, id_: str) -> tuple[int, int]:
        """How often it was told by SMS and by MQTT, once there is nothing more to tell."""
        self.road.agent.wait_command(id_)
        last = f"last-{id_}"
        self.road.deliver(parts_of(f"ping id={last} reply=both")[0])
        self.road.wait(lambda: self.by_sms(last) and self.by_mqtt(last), "sentinel")
        return len(self.by_sms(id_)), len(self.by_mqtt(id_))


@pytest.fixture
def told(
    make_road: MakeRoad, broker: Mosquitto, observer: Observer, request: pytest.FixtureRequest
) -> Told:
    """Asked for with the report settings as its parameter."""
    device = f"gw-{next(NUMBERS)}"
    road = make_road(device={"id": device}, report=request.param)
    road.agent.broker = broker.port
    road.start()
    observer.wait(f"modem-agent/{device}/status", timeout_s=10)
    road.agent.wait_log("modem ready")
    return Told(road, observer, device)


# (route, told by SMS / by MQTT where it came by SMS, and where it came by MQTT)
ROUTES = [
    ("sms", (1, 0), (0, 1)),  # who asked over MQTT is answered there: there is no number
    ("mqtt", (0, 1), (0, 1)),
    ("both", (1, 1), (0, 1)),
    ("mqtt-then-sms", (0, 1), (0, 1)),
    ("origin", (1, 0), (0, 1)),
    ("none", (0, 0), (0, 0)),
]


@pytest.mark.parametrize(
    ("told", "from_sms", "from_mqtt"),
    [({"route": route}, by_sms, by_mqtt) for route, by_sms, by_mqtt in ROUTES],
    indirect=["told"],
    ids=[route for route, _, _ in ROUTES],
)
def test_the_route_says_where_an_outcome_is_told(
    told: Told, from_sms: tuple[int, int], from_mqtt: tuple[int, int]
) -> None:
    told.ask("mark id=a note=x", "sms")
    told.ask("mark id=b note=x", "mqtt")
    told.road.agent.wait_command("b")
    assert told.counts("a") == from_sms
    assert told.counts("b") == from_mqtt
    assert sorted(told.road.effects()) == ["a", "b"]


@pytest.mark.parametrize("told", [{"route": "none"}], indirect=True, ids=["route none"])
def test_the_message_may_ask_for_another_route(told: Told) -> None:
    expectations = {"sms": (1, 0), "mqtt": (0, 1), "both": (1, 1), "origin": (1, 0)}
    for route, expected in expectations.items():
        id_ = f"by-{route}"
        told.ask(f"ping id={id_} reply={route}", "sms")
        assert told.counts(id_) == expected, route


@pytest.mark.parametrize("told", [{"route": "both"}], indirect=True, ids=["route both"])
def test_the_message_may_ask_for_silence(told: Told) -> None:
    told.ask("mark id=a note=x reply=none", "sms")
    assert told.counts("a") == (0, 0)
    assert told.road.effects() == ["a"]


@pytest.mark.parametrize(
    ("told", "success", "failure"),
    [
        ({"route": "both", "policy": "all"}, 1, 1),
        ({"route": "both", "policy": "errors"}, 0, 1),
        ({"route": "both", "policy": "none"}, 0, 0),
    ],
    indirect=["told"],
    ids=["all", "errors", "none"],
)
def test_the_policy_says_which_outcomes_are_told_by_sms(
    told: Told, success: int, failure: int
) -> None:
    told.ask("mark id=good note=x", "sms")
    told.ask("mark id=bad", "sms")  # the argument is missing
    told.road.agent.wait_command("good")
    told.road.agent.wait_command("bad")
    # The sentinel succeeds: where only errors are told it is seen on MQTT alone.
    told.road.deliver(parts_of("ping id=last")[0])
    told.road.wait(lambda: told.by_mqtt("last"), "sentinel")
    told.road.wait(lambda: len(told.by_sms("bad")) == failure, "refusal by SMS")
    told.road.wait(lambda: len(told.by_sms("good")) == success, "success by SMS")
    assert len(told.by_mqtt("good")) == len(told.by_mqtt("bad")) == 1
    assert len(told.by_sms("bad")) == failure


@pytest.mark.parametrize(
    "told", [{"route": "mqtt-then-sms", "sms_after_s": 1}], indirect=True, ids=["1 s"]
)
def test_without_a_puback_in_time_the_sms_goes_out_and_mqtt_is_told_later_too(
    told: Told, broker: Mosquitto
) -> None:
    broker.pause()
    try:
        told.ask("mark id=a note=x", "sms")
        told.road.wait(lambda: told.by_sms("a"), "SMS after a second")
    finally:
        broker.resume()
    told.road.wait(lambda: told.by_mqtt("a"), "result over MQTT later")
    assert told.by_mqtt("a")[0]["state"] == "succeeded"
    assert len(told.by_sms("a")) == 1
    assert told.road.effects() == ["a"]


@pytest.mark.parametrize(
    "told", [{"route": "mqtt-then-sms", "sms_after_s": 1}], indirect=True, ids=["1 s"]
)
def test_only_a_command_that_came_by_sms_falls_back_to_sms(told: Told, broker: Mosquitto) -> None:
    told.ask("mark id=m note=x", "mqtt")
    told.road.agent.wait_command("m")
    told.road.wait(lambda: told.by_mqtt("m"), "result")
    assert not told.road.agent.query("SELECT 1 FROM reports WHERE channel = 'sms'")


@pytest.mark.parametrize("told", [{"route": "both"}], indirect=True, ids=["route both"])
def test_a_command_that_arrives_over_sms_and_mqtt_runs_once(told: Told) -> None:
    told.ask("mark id=a note=x", "sms")
    told.ask('{"cmd":"mark","args":{"note":"x"},"id":"a"}', "mqtt")
    told.road.agent.wait_rows("SELECT 1 FROM messages WHERE id = 'a'", count=2)
    told.counts("a")
    assert told.road.effects() == ["a"]
    verdicts = [row["verdict"] for row in told.road.agent.rows("messages") if row["id"] == "a"]
    assert sorted(verdicts) == ["accepted", "duplicate"]
