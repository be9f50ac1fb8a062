"""doctor and the broker: reached, locked out, silent, and left as it was."""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from agent.doctor import broker as checks
from tests.agent.channels.certificates import Authority
from tests.agent.doctoring import Report, examine
from tests.support.broker import Mosquitto, free_port

if TYPE_CHECKING:
    import pytest

OURS = "modem-agent-gw-doctor"


def with_broker(folder: Path, port: int, **mqtt: object) -> Report:
    """There is no modem: the broker is looked at all the same."""
    return examine(folder, broker=port, settings={"mqtt": mqtt})


def secret(folder: Path, text: str) -> str:
    path = folder / "password"
    path.write_text(f"{text}\n")
    path.chmod(0o600)
    return str(path)


def test_broker_that_lets_in_is_good_and_left_as_it_was(tmp_path: Path) -> None:
    with Mosquitto(tmp_path / "broker", users={"gw": "right"}) as broker:
        word = secret(tmp_path, "right")
        report = with_broker(tmp_path, broker.port, username="gw", password_file=word)
        assert report["broker: TCP"]["verdict"] == "ok"
        assert report["broker: log-in"]["seen"] == f"let in as {OURS}, MQTT 5"
        assert report["broker: TLS"]["verdict"] == "note"
        broker.stop()  # its log is complete then
        log = broker.log()
    assert f"as {OURS} (p5, c1, k60, u'gw')" in log
    assert f"Received DISCONNECT from {OURS}" in log
    assert "No will message specified" in log
    for word in ("PUBLISH", "SUBSCRIBE"):
        assert word not in log


def test_wrong_password_is_told(tmp_path: Path) -> None:
    with Mosquitto(tmp_path / "broker", users={"gw": "right"}) as broker:
        word = secret(tmp_path, "hunter-two")
        report = with_broker(tmp_path, broker.port, username="gw", password_file=word)
    assert "broker: log-in" in report.errors
    assert "ot authorized" in report["broker: log-in"]["seen"]
    assert "mqtt.password_file" in report["broker: log-in"]["remedy"]
    assert "hunter-two" not in str(report.rows)


def test_broker_that_is_down_is_told(tmp_path: Path) -> None:
    report = with_broker(tmp_path, free_port())
    assert "broker: TCP" in report.errors
    assert "connection refused" in report["broker: TCP"]["seen"]
    assert report["broker: log-in"]["seen"] == "because of: broker: TCP"


def test_broker_that_does_not_answer_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "LOG_IN_S", 0.4)
    with Mosquitto(tmp_path / "broker") as broker:
        broker.pause()
        report = with_broker(tmp_path, broker.port)
        broker.resume()
    assert "no CONNACK to MQTT 3.1.1" in report["broker: log-in"]["seen"]


def test_broker_of_maximum_qos_0_is_told(tmp_path: Path) -> None:
    def serve(server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = server.accept()
                with connection:
                    if connection.recv(1000):
                        connection.sendall(bytes.fromhex("2005 0000 02 24 00"))
                        connection.recv(1000)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,), daemon=True)
        thread.start()
        report = with_broker(tmp_path, server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)
        thread.join(20)
    assert "broker: log-in" in report.errors
    assert "QoS 0 only" in report["broker: log-in"]["seen"]


def test_name_that_is_none_is_told(tmp_path: Path) -> None:
    report = examine(tmp_path, settings={"mqtt": {"url": "mqtt://broker.invalid"}})
    assert "cannot be resolved" in report["broker: name"]["seen"]


def test_certificate_is_checked(tmp_path: Path) -> None:
    authority = Authority.make(tmp_path / "ca")
    other = Authority.make(tmp_path / "other", "Other CA")
    with Mosquitto(tmp_path / "broker", tls=authority.issue("broker")) as broker:
        url = f"mqtts://127.0.0.1:{broker.port}"
        good = with_broker(tmp_path, broker.port, url=url, ca=str(authority.certificate))
        bad = with_broker(tmp_path, broker.port, url=url, ca=str(other.certificate))
    assert good["broker: TLS"]["seen"].startswith("TLSv1.")
    assert good["broker: log-in"]["verdict"] == "ok"
    assert "certificate was not accepted" in bad["broker: TLS"]["seen"]
    assert bad["broker: log-in"]["verdict"] == "skipped"
