"""Who can do what from the broker, the machine itself or its disk: rows of docs/security.md."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.threats import CLOSED, KEY, Box, signed
from tests.support.agent import simulated
from tests.support.broker import Mosquitto, mosquitto_path
from tests.support.mqtt_client import Observer


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    with simulated(tmp_path) as modem:
        box = Box(tmp_path, modem)
        yield box
        box.agent.kill()


# ---- a hostile broker -------------------------------------------------------------------------


@pytest.mark.skipif(mosquitto_path() is None, reason="needs mosquitto: apt-get install mosquitto")
def test_a_hostile_broker_runs_nothing_where_signatures_are_always_required(
    box: Box, tmp_path: Path
) -> None:
    always = {
        "require_signature": "always",
        "keys": {"0": {"file": str(box.key_path)}},
    }
    request, c = "modem-agent/gw/command/request", int(time.time())
    with Mosquitto(tmp_path / "broker") as broker, Observer(broker.port) as observer:
        mqtt = {"url": f"mqtt://127.0.0.1:{broker.port}", "response_prefix": "replies"}
        good = signed(KEY, c, "mark", id_="good")
        observer.publish(request, signed(KEY, c + 1, "mark", id_="kept"), retain=True)
        box.start(mqtt=mqtt, security=always, command={"sms": {"enabled": True}})
        agent = box.agent
        sql = "SELECT reason, detail FROM commands WHERE id = ?"
        found = "SELECT reason, detail FROM messages WHERE channel = 'mqtt' AND detail LIKE ?"
        kept = agent.wait_rows(found, "%retained%")[0]
        assert kept["reason"] == "denied"
        observer.publish(request, "mark id=h1")
        assert agent.wait_rows(sql, "h1")[0] == {"reason": "signature", "detail": "missing"}
        send = '{"id":"h0","to":"+447700900123","text":"pay me"}'
        observer.publish("modem-agent/gw/sms/send", send)
        assert "signatures" in agent.wait_rows(found, "sms/send:%")[0]["detail"]
        for payload in (
            "{" * 5000,
            b"\xff\xfe\x00rubbish",
            b"mark id=h2 " + b"x" * 40_000,
            '{"cmd":["mark"],"id":"h3"}',
            '{"cmd":"mark","args":{"note":{"a":1}},"id":"h4"}',
        ):
            observer.publish(request, payload)
        # A reply topic of the broker's choosing is not served, its own prefix apart.
        observer.publish(request, "ping id=h5", response_topic="other/place", correlation=b"z")
        observer.publish(request, good)
        agent.wait_command("good")
        observer.publish(request, good)  # the broker says everything twice
        agent.wait_rows("SELECT 1 FROM messages WHERE verdict = 'duplicate'")
        box.quiet()
        assert box.effects == ["good"]
        assert observer.on("other/place") == []
        assert {to for to, _ in box.replies} == {CLOSED}
        assert agent.running


# ---- a stolen SD card -------------------------------------------------------------------------


def test_what_the_agent_writes_holds_no_secret(box: Box, tmp_path: Path) -> None:
    pin = tmp_path / "pin"
    pin.write_text("4071\n")
    pin.chmod(0o600)
    box.modem.control("sim", state="SIM PIN", pin="4071", locked=True)
    box.start(modem={"port": box.modem.path, "poll_s": 1, "pin_file": str(pin)})
    assert box.deliver(CLOSED, signed(KEY, int(time.time()), "mark", id_="s1"))[0] == "accepted"
    box.agent.wait_command("s1")
    box.quiet()
    box.agent.stop()
    written = [box.agent.log_path, *box.agent.journal_path.parent.iterdir()]
    assert len(written) >= 2
    for path in written:
        octets = path.read_bytes()
        assert KEY not in octets, path
        assert b'CPIN="4071"' not in octets, path
        assert b"CPIN=4071" not in octets, path
    assert all("4071" not in text for _, text in box.replies)


# ---- a local user without rights --------------------------------------------------------------

_TRY = """
import json, socket, sys
told = {}
for path in sys.argv[2:]:
    try:
        open(path, "rb").read(1)
        told[path] = "read"
    except OSError as error:
        told[path] = error.strerror
link = socket.socket(socket.AF_UNIX)
try:
    link.connect(sys.argv[1])
    try:
        link.sendall(b'{"op":"send","text":"mark id=u1"}\\n')
    except BrokenPipeError:
        pass  # refused before it was asked; the answer is there all the same
    told["socket"] = json.loads(link.makefile().readline() or "{}")
except OSError as error:
    told["socket"] = error.strerror
print(json.dumps(told))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be somebody else for a moment")
def test_a_local_user_without_rights_gets_nothing_from_socket_or_files() -> None:
    folder = Path(tempfile.mkdtemp(prefix="agent-"))  # pytest's own folders let nobody in at all
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin") or sys.executable
    try:
        with simulated(folder) as modem, contextlib.ExitStack() as stack:
            box = Box(folder, modem)
            stack.callback(box.agent.kill)
            box.start(enabled=("super-sim",))
            # The folders are open by somebody's mistake; the files' own modes are what is left.
            for path in (folder, folder / "run", folder / "state"):
                path.chmod(0o755)
            agent = box.agent
            files = [str(path) for path in (agent.journal_path, box.key_path)]

            def attempt() -> dict[str, Any]:
                done = subprocess.run(
                    [python, "-c", _TRY, str(agent.control_path), *files],
                    user=65534,
                    group=65534,
                    extra_groups=[],
                    cwd="/",
                    capture_output=True,
                    text=True,
                    check=True,
                )
                told: dict[str, Any] = json.loads(done.stdout)
                return told

            told = attempt()
            assert {told.pop("socket"), *told.values()} == {"Permission denied"}
            assert stat.S_IMODE(agent.control_path.stat().st_mode) == 0o600
            # Even a socket that everybody may open asks the kernel who is at the other end.
            agent.control_path.chmod(0o666)
            assert attempt()["socket"]["error"]["code"] == "denied"
            assert agent.query("SELECT 1 FROM messages") == []
    finally:
        shutil.rmtree(folder)


def test_no_secret_stands_on_a_command_line(box: Box) -> None:
    box.start()
    argv = Path(f"/proc/{box.agent.pid}/cmdline").read_bytes()
    environment = Path(f"/proc/{box.agent.pid}/environ").read_bytes()
    assert KEY not in argv + environment


def test_a_closed_socket_client_or_a_flood_of_them_does_not_stop_the_others(box: Box) -> None:
    box.start(enabled=("super-sim",))
    crowd = []
    try:
        for _ in range(40):
            link = socket.socket(socket.AF_UNIX)
            link.connect(str(box.agent.control_path))
            link.sendall(b'{"op":"events"}\n{"op":')
            crowd.append(link)
        assert box.deliver(CLOSED, "mark id=still")[0] == "accepted"
        box.agent.wait_command("still")
    finally:
        for link in crowd:
            link.close()
    assert box.agent.running
