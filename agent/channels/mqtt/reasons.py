"""What the reason codes of MQTT 5 (§2.4) mean to the agent; 3.1.1's few are mapped onto them."""

from __future__ import annotations

from agent.channels.mqtt.retry import ConnectError, Failure

FAILED = 0x80  # from here on a failure
VERSION_REFUSED = 0x84
PACKET_TOO_LARGE = 0x95
RETAIN_NOT_SUPPORTED = 0x9A

# A publication refused so will be refused again; the others may be a matter of time.
PERMANENT = frozenset({0x87, 0x90, PACKET_TOO_LARGE, 0x99, RETAIN_NOT_SUPPORTED, 0x9B})
# Refused for its topic, whatever its body.
OF_TOPIC = frozenset({0x87, 0x90, RETAIN_NOT_SUPPORTED, 0x9B})
# The broker ends a connection so for reasons of its own, not for what is published.
OF_BROKER = frozenset({0x00, 0x04, 0x89, 0x8B, 0x8D, 0x8E, 0x98, 0x9C, 0x9D, 0x9F, 0xA0})
# A connection refused so is worth trying again soon; the others need somebody to change something.
REFUSED_FOR_NOW = frozenset({0x80, 0x83, 0x88, 0x89, 0x97, 0x9C, 0x9D, 0x9F})

NAMES = {
    0x80: "unspecified error",
    0x83: "implementation specific error",
    0x87: "not authorized",
    0x90: "topic name invalid",
    0x91: "packet identifier in use",
    0x97: "quota exceeded",
    0x99: "payload format invalid",
}
REMEDIES = {
    0x85: "another client identifier is needed: change device.id",
    0x86: "see mqtt.username and mqtt.password_file",
    0x87: "the broker does not let this user, certificate or client identifier in",
    0x9B: "the agent needs a broker that acknowledges: allow QoS 1 (its Maximum QoS is 0)",
    0x8A: "the broker has banned this client",
    0x8E: "another client uses the same identifier: is a second agent running with this device.id?",
}


def with_remedy(text: str, code: int) -> str:
    """The text, and what to do about the code where that is known."""
    remedy = REMEDIES.get(code)
    return f"{text}: {remedy}" if remedy else text


def cut_short(detail: str, *, tls: bool) -> ConnectError:
    """What an end before CONNACK means: TLS 1.3 refuses a client only after its handshake."""
    if "SSL" in detail:
        reason = f"the broker ended TLS: {detail} (see mqtt.cert and mqtt.key)"
        return ConnectError(Failure.DENIED, reason)
    hint = " (does the broker ask for a client certificate? see mqtt.cert)" if tls else ""
    return ConnectError(Failure.SILENT, f"closed before CONNACK: {detail}{hint}")


def without_qos_1() -> ConnectError:
    """What a CONNACK with Maximum QoS 0 means: nothing could ever count as reported."""
    return ConnectError(Failure.DENIED, with_remedy("the broker takes QoS 0 only", 0x9B))


def refusal(code: int, name: str) -> ConnectError:
    """What a CONNACK with a failure code means for the next attempt."""
    reason = with_remedy(f"refused by the broker, 0x{code:02X} {name}", code)
    if code == VERSION_REFUSED:
        return ConnectError(Failure.VERSION, reason)
    if code == RETAIN_NOT_SUPPORTED:
        return ConnectError(Failure.RETAIN, reason)
    return ConnectError(Failure.BUSY if code in REFUSED_FOR_NOW else Failure.DENIED, reason)
