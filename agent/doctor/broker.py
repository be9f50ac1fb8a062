"""Broker: its name, its TCP port, its TLS, and whether it lets this gateway in."""

from __future__ import annotations

import os
import socket
from typing import Final

from agent.channels.mqtt.retry import ConnectError, Failure, Version
from agent.channels.mqtt.tls import client_context, explained
from agent.config.model import MqttConfig
from agent.doctor.check import Check
from agent.doctor.context import Patient
from agent.doctor.finding import Result, error, good, note, skipped
from agent.doctor.mqtt_login import log_in
from at.port.off_loop import off_loop

__all__ = ["CHECKS"]

NAME: Final = "broker: name"
TCP: Final = "broker: TCP"
REACH_S: Final = 5.0
LOG_IN_S: Final = 5.0
NETWORK_REMEDY: Final = "check mqtt.url, the data link (ip route) and a firewall on the way"


def _broker(patient: Patient) -> MqttConfig | None:
    return patient.config.mqtt if patient.config is not None else None


def _unreadable(broker: MqttConfig) -> Result | None:
    """Say which file of the log-in only the service has: what it proves cannot be tried here."""
    for name in ("ca", "cert", "key", "password_file"):
        path = getattr(broker, name)
        if path is not None and not os.access(path, os.R_OK):
            return skipped(f"mqtt.{name} cannot be read here: {path}")
    return None


def _name(patient: Patient) -> Result:
    if patient.config is None:
        return skipped("no configuration names one")
    broker = patient.config.mqtt
    if broker is None:
        return note("none configured: outcomes are told by SMS", stops=True)
    try:
        found = socket.getaddrinfo(broker.host, broker.port, type=socket.SOCK_STREAM)
    except socket.gaierror as problem:
        told = f"{broker.host} cannot be resolved: {problem.strerror}"
        return error(told, "check mqtt.url and /etc/resolv.conf; is the data link up?")
    addresses = sorted({str(row[4][0]) for row in found})
    return good(f"{broker.host}: {', '.join(addresses)}")


def _tcp(patient: Patient) -> Result:
    broker = _broker(patient)
    assert broker is not None  # noqa: S101 - "name" was a success
    where = f"{broker.host}:{broker.port}"
    try:
        socket.create_connection((broker.host, broker.port), REACH_S).close()
    except TimeoutError:
        return error(f"{where}: no answer in {REACH_S:g} s", NETWORK_REMEDY)
    except OSError as problem:
        told = f"{where}: {(problem.strerror or str(problem)).lower()}"
        return error(told, f"does the broker run? {NETWORK_REMEDY}")
    return good(where)


def _tls(patient: Patient) -> Result:
    broker = _broker(patient)
    assert broker is not None  # noqa: S101 - "name" was a success
    if not broker.tls:
        return note("none: everything, the password too, can be read on the way", "mqtts:// in url")
    if unreadable := _unreadable(broker):
        return unreadable
    where = f"{broker.host}:{broker.port}"
    remedy = "check mqtt.ca, mqtt.cert and mqtt.key, and this machine's clock"
    try:
        context = client_context(broker.ca, broker.cert, broker.key)
        with (
            socket.create_connection((broker.host, broker.port), REACH_S) as plain,
            context.wrap_socket(plain, server_hostname=broker.host) as safe,
        ):
            cipher = safe.cipher()
            return good(f"{safe.version()}, {cipher[0] if cipher else 'no cipher'}")
    except ConnectError as problem:
        return error(problem.reason, remedy)
    except OSError as problem:
        told = explained(where, problem)
        return error(told.reason if told is not None else f"{where}: {problem}", remedy)


async def _log_in(patient: Patient) -> Result:
    broker = _broker(patient)
    assert broker is not None  # noqa: S101 - "name" was a success
    assert patient.config is not None  # noqa: S101 - "name" was a success
    if unreadable := _unreadable(broker):
        return unreadable
    client_id = f"modem-agent-{patient.config.device.id}-doctor"
    fixed = broker.protocol != "auto"
    versions = [Version(broker.protocol)] if fixed else [Version.V5, Version.V311]
    for version in versions:
        try:
            await _apart(broker, client_id, version)
        except ConnectError as problem:
            another = problem.failure in {Failure.VERSION, Failure.SILENT}
            if another and version is not versions[-1]:
                continue
            return _refused(patient, problem, client_id)
        return good(f"let in as {client_id}, MQTT {version}")
    raise AssertionError("the last version returns")


async def _apart(broker: MqttConfig, client_id: str, version: Version) -> None:
    """In a thread: the library blocks; what it cannot finish in time ends with the program."""
    refusal: list[ConnectError] = []

    def work() -> None:
        try:
            log_in(broker, client_id, version, LOG_IN_S)
        except ConnectError as problem:
            refusal.append(problem)

    try:
        await off_loop(work, 2 * LOG_IN_S, late=lambda _: None)
    except TimeoutError:
        reason = f"{broker.host}:{broker.port}: no answer in {2 * LOG_IN_S:g} s"
        raise ConnectError(Failure.UNREACHABLE, reason) from None
    if refusal:
        raise refusal[0]


def _refused(patient: Patient, problem: ConnectError, client_id: str) -> Result:
    mqtt = patient.status["mqtt"] if patient.status is not None else None
    if mqtt is not None and mqtt["connected"]:
        told = f"the running agent is let in; {client_id} is not: {problem.reason}"
        return note(told)
    return error(problem.reason, "check mqtt.username, mqtt.password_file and the broker's log")


def _agent(patient: Patient) -> Result:
    mqtt = patient.status["mqtt"] if patient.status is not None else None
    if mqtt is None:
        return skipped("no agent that runs with a broker")
    if not mqtt["connected"]:
        reason = mqtt["reason"] or "no reason given"
        return error(f"the running agent is not connected: {reason}", "see the rows above")
    if refused := mqtt.get("refused"):
        told = f"the running agent is connected, but the broker refuses {', '.join(refused)}"
        return error(
            told, "check the access rules of the broker: docs/mqtt.md lists what is needed"
        )
    return good(f"the running agent is connected, MQTT {mqtt['protocol']}")


CHECKS: Final = (
    Check("broker", "name", _name),
    Check("broker", "TCP", _tcp, needs=(NAME,), limit_s=2 * REACH_S),
    Check("broker", "TLS", _tls, needs=(TCP,), limit_s=3 * REACH_S),
    Check("broker", "log-in", _log_in, needs=(TCP, "broker: TLS"), limit_s=25.0),
    Check("broker", "agent", _agent, needs=(NAME,)),
)
