"""A real broker that is stopped, killed, frozen or forgetful around a result."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import MakeRoad
from tests.e2e.road import Road, parts_of
from tests.support.broker import Mosquitto, mosquitto_path
from tests.support.mqtt_client import Observer

pytestmark = pytest.mark.skipif(mosquitto_path() is None, reason="mosquitto is not installed")

TOPIC = "modem-agent/gw"
RESULT = f"{TOPIC}/command/result"
REPORTED = "SELECT 1 FROM reports WHERE channel = 'mqtt' AND kind = 'result' AND state = 'reported'"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker") as running:
        yield running


@pytest.fixture
def road(make_road: MakeRoad, broker: Mosquitto) -> Road:
    made = make_road(report={"route": "mqtt"})
    made.agent.broker = broker.port
    made.start()
    made.agent.wait_log("mqtt connected")
    made.agent.wait_log("modem ready")
    return made


@contextlib.contextmanager
def watching(broker: Mosquitto, road: Road) -> Iterator[Observer]:
    """Subscribe before the agent comes back: results are not retained."""
    road.agent.send_signal(signal.SIGSTOP)
    try:
        observer = Observer(broker.port)
        observer.__enter__()
    finally:
        road.agent.send_signal(signal.SIGCONT)
    try:
        yield observer
    finally:
        observer.__exit__(None, None, None)


def run_unseen(road: Road) -> None:
    road.deliver(parts_of("mark id=a note=x")[0])
    assert road.agent.wait_command("a")["state"] == "succeeded"


def assert_told(road: Road, observer: Observer) -> None:
    seen = observer.wait(RESULT, timeout_s=15)
    assert [one.json["id"] for one in seen] == ["a"] * len(seen)
    assert {one.json["state"] for one in seen} == {"succeeded"}
    assert road.effects() == ["a"]
    road.agent.wait_rows(REPORTED)


def test_a_result_waits_for_a_broker_that_was_stopped(road: Road, broker: Mosquitto) -> None:
    broker.stop()
    run_unseen(road)
    assert not road.agent.query(REPORTED)
    road.agent.send_signal(signal.SIGSTOP)
    broker.start()
    with watching(broker, road) as observer:
        assert_told(road, observer)


def test_a_result_waits_for_a_broker_that_was_killed(road: Road, broker: Mosquitto) -> None:
    broker.kill()
    run_unseen(road)
    road.agent.send_signal(signal.SIGSTOP)
    broker.start()
    with watching(broker, road) as observer:
        assert_told(road, observer)


def test_a_result_that_a_frozen_broker_does_not_acknowledge_is_told_again(
    road: Road, broker: Mosquitto
) -> None:
    with Observer(broker.port) as observer:
        broker.pause()
        run_unseen(road)
        assert not road.agent.query(REPORTED)
        broker.resume()
        assert_told(road, observer)


def test_a_broker_that_forgot_everything_is_told_birth_info_and_result_again(
    road: Road, broker: Mosquitto
) -> None:
    broker.kill()
    run_unseen(road)
    road.agent.send_signal(signal.SIGSTOP)
    broker.start(forget=True)
    with watching(broker, road) as observer:
        assert_told(road, observer)
        assert observer.wait(f"{TOPIC}/status")[-1].payload == b"online"
        assert observer.wait(f"{TOPIC}/info")[-1].json["device"] == "gw"
        # Its subscriptions are known again too.
        observer.publish(f"{TOPIC}/command/request", '{"cmd":"ping","id":"again"}')
        observer.wait(RESULT, 2)


def test_a_result_outlives_the_agent_where_there_was_no_broker(
    road: Road, broker: Mosquitto
) -> None:
    broker.stop()
    run_unseen(road)
    road.agent.kill()
    broker.start()
    with Observer(broker.port) as observer:
        road.restart()
        assert_told(road, observer)


def test_an_agent_started_without_a_broker_works_and_tells_when_there_is_one(
    make_road: MakeRoad, broker: Mosquitto
) -> None:
    broker.stop()
    road = make_road(report={"route": "mqtt"})
    road.agent.broker = broker.port
    road.start()
    run_unseen(road)
    road.agent.send_signal(signal.SIGSTOP)
    broker.start()
    with watching(broker, road) as observer:
        assert_told(road, observer)


def test_a_request_published_while_the_agent_is_away_runs_when_it_is_back(
    road: Road, broker: Mosquitto
) -> None:
    assert road.agent.stop() == 0
    with Observer(broker.port) as observer:
        body = '{"cmd":"mark","args":{"note":"x"},"id":"a"}'
        observer.publish(f"{TOPIC}/command/request", body)
        road.restart()
        assert_told(road, observer)
