"""From a request that is journalled to its PDU on the line."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

from tests.benchmarks.stage import Bench, Notes, median, stage, until
from tests.benchmarks.table import Row
from tests.benchmarks.wire import Moved, octets, wire
from tests.support.mqtt_client import Observer

TO = "+447700900321"
SIXTEEN = "sixteen letters."
PAUSE_S = 0.1


def rows(bench: Bench) -> Iterator[Row]:
    """Requests over MQTT, one after the other, free line."""
    count = bench.pick(40, 10)
    settings = {"command": {"sms": {"enabled": True}}}
    with stage(bench, "sending", mqtt=True, settings=settings) as on:
        assert on.broker is not None
        since = time.monotonic()
        with Observer(on.broker.port) as client:
            client.wait("modem-agent/gw/status")
            for number in range(count):
                told = len(on.modem.sent)
                body = json.dumps({"id": f"send{number}", "to": TO, "text": SIXTEEN})
                client.publish("modem-agent/gw/sms/send", body)
                until(lambda told=told: len(on.modem.sent) > told, 10.0, "a sent SMS")  # type: ignore[misc]  # mypy cannot infer a lambda with a default
                on.quiet(PAUSE_S)
                time.sleep(PAUSE_S)
        moved = wire(on.modem, since)
        notes = on.notes()
    bare, whole, commits, line = [], [], [], []
    for command, prompt, pdu in _sends(moved):
        request = _request(notes, command)
        syncing = notes.syncing_s(request, pdu)
        whole.append(pdu - request)
        commits.append(notes.syncs(request, pdu) - 1)
        bare.append(pdu - request - syncing)
        line.append(pdu - prompt)
    yield Row(
        "request journalled to its PDU on the line, without further syncs",
        median(bare) * 1e3,
        "ms",
        1.5,
        note=f"median of {len(bare)}, best {min(bare) * 1e3:.2f}; with syncs"
        f" {median(whole) * 1e3:.1f} ms ({median(commits):g} before the PDU: `sending` is on disk"
        " before anything leaves)",
    )
    yield Row(
        "bytes on the line per sent message (16 characters)",
        octets(moved) / len(bare),
        "bytes",
        note="command, prompt, PDU, answer; both ways together",
    )


def _sends(moved: list[Moved]) -> Iterator[tuple[float, float, float]]:
    """When the command, its prompt and the PDU passed, of each message."""
    command = prompt = None
    for one in moved:
        if one.way == ">" and b"AT+CMGS=" in one.data:
            command, prompt = one.at, None
        elif one.way == "<" and command is not None and b"> " in one.data:
            prompt = one.at
        elif one.way == ">" and command is not None and prompt is not None:
            yield command, prompt, one.at
            command = prompt = None


def _request(notes: Notes, command: float) -> float:
    """When the request was on disk: the last commit but one before the command; see `rows`."""
    before = [end for _, end in notes.commits if end <= command]
    return before[-2]
