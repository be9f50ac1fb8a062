"""The [mqtt] section: a URL and its files to an MqttConfig."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from urllib.parse import SplitResult, urlsplit

from agent.channels.mqtt_topics import DEFAULT_PREFIX, root_problem
from agent.config import MqttConfig, Protocol
from agent.configuration.complaints import Complaints, shown

if TYPE_CHECKING:
    from agent.configuration.files import Files
    from agent.configuration.sections import MqttSection

PORTS = {"mqtt": 1883, "mqtts": 8883}
PROTOCOLS = ("auto", "5", "3.1.1")
KEEPALIVE_MAX_S = 65535  # two octets in CONNECT; 0 would turn it off and hide a dead link
URL = "mqtt://host[:port] or mqtts://host[:port]"


@dataclass(frozen=True, slots=True)
class _Endpoint:
    host: str
    port: int
    tls: bool


def broker(
    section: MqttSection, device_id: str, files: Files, complaints: Complaints
) -> MqttConfig | None:
    """Check the section; None where something in it is wrong (and complained of)."""
    endpoint = _endpoint(section.url, complaints)
    if section.password_file is not None and section.username is None:
        complaints.error("mqtt.username", "a user name beside password_file", "nothing")
    if section.key is not None and section.cert is None:
        complaints.error("mqtt.cert", "a certificate beside key", "nothing")
    if endpoint is not None and not endpoint.tls:
        for name in ("ca", "cert", "key"):
            if getattr(section, name) is not None:
                complaints.error(
                    f"mqtt.{name}", "no certificate without TLS (mqtts://)", "mqtt:// in mqtt.url"
                )
    password = files.secret("mqtt.password_file", section.password_file, "a password file")
    key = files.secret("mqtt.key", section.key, "a private key (PEM)")
    ca = files.readable("mqtt.ca", section.ca, "a certificate file (PEM)")
    cert = files.readable("mqtt.cert", section.cert, "a certificate file (PEM)")
    root = f"{DEFAULT_PREFIX}/{device_id}" if section.root is None else section.root
    if section.root is not None:
        _topic("mqtt.root", section.root, complaints)
    prefix = section.response_prefix
    if prefix is not None:
        prefix = prefix.rstrip("/")
        _topic("mqtt.response_prefix", prefix, complaints)
    protocol = section.protocol if section.protocol is not None else "auto"
    complaints.one_of("mqtt.protocol", protocol, PROTOCOLS)
    keepalive_s = 60 if section.keepalive_s is None else section.keepalive_s
    complaints.within("mqtt.keepalive_s", keepalive_s, 5, KEEPALIVE_MAX_S)
    if endpoint is None:
        return None
    return MqttConfig(
        host=endpoint.host,
        port=endpoint.port,
        tls=endpoint.tls,
        root=root,
        username=section.username,
        password_file=password[0] if password else None,
        ca=ca,
        cert=cert,
        key=key[0] if key else None,
        response_prefix=prefix,
        protocol=cast("Protocol", protocol),
        keepalive_s=keepalive_s,
    )


def _endpoint(url: str | None, complaints: Complaints) -> _Endpoint | None:
    if url is None:
        complaints.error("mqtt.url", URL, "nothing")
        return None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        # Not quoted: it may hold a password.
        complaints.error("mqtt.url", URL, f"a URL that cannot be read ({error})")
        return None
    problem = _problem(parts, url)
    if problem is not None:
        complaints.error("mqtt.url", *problem)
        return None
    return _Endpoint(host or "", port or PORTS[parts.scheme], parts.scheme == "mqtts")


def _problem(parts: SplitResult, url: str) -> tuple[str, str] | None:
    if "@" in url:
        return f"{URL}; user and password go to username and password_file", "a user in the URL"
    if parts.scheme not in PORTS or "://" not in url:
        return URL, shown(url)
    if not parts.hostname or not re.fullmatch(r"[^\s\x00-\x1f\x7f/\\]+", parts.hostname):
        return f"{URL}, with a host", shown(url)
    if parts.port == 0:
        return "a port from 1 to 65535", shown(url)
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        return f"{URL}, nothing after the port", shown(url)
    return None


def _topic(key: str, name: str, complaints: Complaints) -> None:
    if problem := root_problem(name):
        complaints.error(key, "the beginning of a topic name", f"{shown(name)}, which {problem}")
