"""The [mqtt] section: a URL and its files to an MqttConfig."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from agent.config.endpoints import endpoint
from agent.config.model import MqttConfig, Protocol
from agent.config.problems import Complaints, shown
from agent.config.topic_names import DEFAULT_PREFIX, prefix_problem, root_problem

if TYPE_CHECKING:
    from agent.config.files import Files
    from agent.config.sections import MqttSection

PORTS = {"mqtt": 1883, "mqtts": 8883}
PROTOCOLS = ("auto", "5", "3.1.1")
KEEPALIVE_MAX_S = 65535  # two octets in CONNECT; 0 would turn it off and hide a dead link
URL = "mqtt://host[:port] or mqtts://host[:port]"


def broker(
    section: MqttSection, device_id: str, files: Files, complaints: Complaints
) -> MqttConfig | None:
    """Check the section; None where something in it is wrong (and complained of)."""
    found = _endpoint(section.url, complaints)
    if section.password_file is not None and section.username is None:
        complaints.error("mqtt.username", "a user name beside password_file", "nothing")
    if section.key is not None and section.cert is None:
        complaints.error("mqtt.cert", "a certificate beside key", "nothing")
    if found is not None and not found[2]:
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
        if problem := prefix_problem(prefix, root):
            wanted = "the beginning of topic names that no gateway uses"
            complaints.error("mqtt.response_prefix", wanted, f"{shown(prefix)}, which {problem}")
    protocol = section.protocol if section.protocol is not None else "auto"
    complaints.one_of("mqtt.protocol", protocol, PROTOCOLS)
    keepalive_s = 60 if section.keepalive_s is None else section.keepalive_s
    complaints.within("mqtt.keepalive_s", keepalive_s, 5, KEEPALIVE_MAX_S)
    if found is None:
        return None
    host, port, tls = found
    return MqttConfig(
        host=host,
        port=port,
        tls=tls,
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


def _endpoint(url: str | None, complaints: Complaints) -> tuple[str, int, bool] | None:
    """Give host, port and whether TLS is spoken."""
    if url is not None and "@" in url:
        # Not quoted: it may hold a password.
        expected = f"{URL}; user and password go to username and password_file"
        complaints.error("mqtt.url", expected, "a user in the URL")
        return None
    parts = endpoint(url) if url is not None else None
    if parts is None or parts[0] not in PORTS:
        complaints.error("mqtt.url", f"{URL}, the port from 1 to 65535", shown(url))
        return None
    scheme, host, port = parts
    return host, port or PORTS[scheme], scheme == "mqtts"


def _topic(key: str, name: str, complaints: Complaints) -> None:
    if problem := root_problem(name):
        complaints.error(key, "the beginning of a topic name", f"{shown(name)}, which {problem}")
