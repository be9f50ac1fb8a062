"""A request over MQTT, the agent killed at every commit, publication and acknowledgement."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.forked import ForkServer
from tests.e2e.road import Road
from tests.e2e.workers import failures, run_all
from tests.support.broker import Mosquitto, mosquitto_path
from tests.support.mqtt_client import Observer, Seen

pytestmark = pytest.mark.skipif(mosquitto_path() is None, reason="mosquitto is not installed")

ID = "m1"
BODY = json.dumps({"cmd": "mark", "args": {"note": "mqtt"}, "id": ID})
ROUTE = {"route": "mqtt"}


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path_factory.mktemp("broker")) as running:
        yield running


def results(observer: Observer, device: str, id_: str = ID) -> list[Seen]:
    topic = f"modem-agent/{device}/command/result"
    return [seen for seen in observer.on(topic) if seen.json["id"] == id_]


def trial(
    server: ForkServer, folder: Path, kill_at: int, *, observer: Observer, port: int
) -> tuple[str, list[str]]:
    """Queue the request at the broker, kill at one point, start again; then ask once more."""
    device = f"gw-{folder.parent.name}-{kill_at}"
    request = f"modem-agent/{device}/command/request"
    with Road(server, folder, device={"id": device}, report=ROUTE) as road:
        road.agent.broker = port
        # The broker keeps what is published for a client that it knows: the session comes first.
        road.start()
        observer.wait(f"modem-agent/{device}/status", timeout_s=10)
        assert road.agent.stop() == 0
        observer.publish(request, BODY)
        road.start(kill_at=kill_at)
        alive = road.wait_or_death(lambda: results(observer, device), "result")
        if alive:
            road.wait_or_death(lambda: bool(road.agent.query(_REPORTED)), "booked report")
        points = road.points()
        road.restart()
        road.wait(lambda: results(observer, device), "result after all")
        told = len(results(observer, device))
        observer.publish(request, BODY)
        road.wait(lambda: len(results(observer, device)) > told, "answer to the repeat")
        observer.publish(request, '{"cmd":"ping","id":"last"}')
        road.wait(lambda: results(observer, device, "last"), "sentinel")
        state = road.check(ID)
        told_states = {seen.json["state"] for seen in results(observer, device)}
        assert told_states - {"accepted", "running"} == {state}, told_states
    return state, points


_REPORTED = "SELECT 1 FROM reports WHERE state = 'reported'"


@pytest.mark.timeout(240)
def test_killed_at_every_commit_publication_and_puback_a_request_runs_once_and_is_told(
    broker: Mosquitto, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Observer(broker.port) as observer:

        def one(server: ForkServer, folder: Path, kill_at: int) -> tuple[str, list[str]]:
            return trial(server, folder, kill_at, observer=observer, port=broker.port)

        (undisturbed,) = run_all([0], one, tmp_path / "undisturbed", workers=1)
        assert undisturbed.result is not None, failures([undisturbed])
        assert undisturbed.result[0] == "succeeded"
        points = undisturbed.result[1]
        trials = list(run_all(range(1, len(points) + 1), one, tmp_path / "killed"))
    assert not failures(trials), failures(trials)
    states = Counter(trial.result[0] for trial in trials if trial.result is not None)
    with capsys.disabled():
        print(f"\n  request over MQTT: killed at {len(points)} points, ended {dict(states)}")
        if os.environ.get("CRASH_POINTS"):
            print("\n".join(f"    {n:3d} {point}" for n, point in enumerate(points, 1)))
    assert states["succeeded"]
    assert states["interrupted"]


def test_killed_between_execution_and_puback_a_request_that_comes_again_is_not_run_again(
    broker: Mosquitto, tmp_path: Path
) -> None:
    device = "gw-held"
    topic = f"modem-agent/{device}/command"
    with (
        ForkServer() as server,
        Road(server, tmp_path, device={"id": device}, report=ROUTE) as road,
        Observer(broker.port) as observer,
    ):
        road.agent.broker = broker.port
        road.start(mqtt_hold=True)  # the PUBACK never leaves
        observer.wait(f"modem-agent/{device}/status", timeout_s=10)
        observer.publish(f"{topic}/request", BODY)
        road.wait(lambda: results(observer, device), "result")
        assert road.effects() == [ID]
        road.agent.kill()
        road.restart()  # the broker delivers again what was never acknowledged
        road.wait(
            lambda: any(seen.json["duplicate"] for seen in results(observer, device)),
            "answer to the repeat",
        )
        told = [seen.json for seen in results(observer, device)]
        assert {one["state"] for one in told} == {"succeeded"}
        assert not told[0]["duplicate"]
        assert all(one["result"] == told[0]["result"] for one in told)
        assert road.check(ID) == "succeeded"
        assert road.effects() == [ID]
