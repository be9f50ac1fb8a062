"""What the MQTT channel and those who use it exchange; importable without the MQTT library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple


class MqttError(Exception):
    """Base of everything the MQTT channel raises at its users on purpose."""


class NotConnectedError(MqttError):
    """There is no connection, or it went before the broker's acknowledgement came.

    Whether the broker has the publication is unknown; publishing it again is the remedy.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"not connected to the MQTT broker: {reason}")
        self.reason = reason


class PublishRefusedError(MqttError):
    """The broker acknowledged a publication with a reason code of 0x80 or above (MQTT 5 §3.4.2.1).

    permanent: the same publication will be refused again until somebody changes the broker's
    configuration or the publication; otherwise later can help.
    """

    def __init__(self, topic: str, code: int, name: str, *, permanent: bool) -> None:
        super().__init__(f"{topic}: refused by the MQTT broker, 0x{code:02X} {name}")
        self.topic = topic
        self.code = code
        self.name = name
        self.permanent = permanent


class RequestNotTakenError(MqttError):
    """Raised by the request handler: this message could not be kept now; offer it again later.

    The message stays unacknowledged, so that the broker keeps it as well.
    """


@dataclass(frozen=True, slots=True)
class Publication:
    """One message out. suffix: below the root; body: a JSON object's fields, or octets as is."""

    suffix: str
    body: Mapping[str, object] | bytes
    retain: bool = False


class Cut(NamedTuple):
    """What is left of a body too large: its length, its SHA-256 in hexadecimal, how it began."""

    octets: int
    sha256: str
    head: bytes


@dataclass(frozen=True, slots=True)
class Inbound:
    """One message in, acknowledged to the broker when its handler returns.

    suffix: below the root ("command/request", "sms/send"); retained: the broker's retain flag;
    redelivered: the broker says it sent this before (DUP). cut: the body was too large to be
    read; the payload is empty then.
    correlation, response_topic, expiry_s: the MQTT 5 properties, None where absent or on 3.1.1;
    expiry_s: whole seconds of life left at the time of the call, never below 0.
    """

    suffix: str
    payload: bytes
    retained: bool = False
    correlation: bytes | None = None
    response_topic: str | None = None
    expiry_s: int | None = None
    redelivered: bool = False
    cut: Cut | None = None


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """How the connection stands. protocol: "5" or "3.1.1" while connected; reason: why it is not.

    unheard: suffixes whose subscription the broker refused (nothing will arrive there).
    refused: topics whose publications it refuses; they wait, and are tried again seldom.
    """

    connected: bool
    protocol: str | None
    reason: str
    unheard: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Timing:
    """The channel's deadlines, in seconds."""

    dial_s: float = 30.0  # name look-up, TCP and TLS together; a 2G link needs ten
    connack_s: float = 20.0  # CONNECT to CONNACK, where the broker's protocol is known
    probe_s: float = 5.0  # the same for a first MQTT 5 try: amqtt 0.12 never answers it
    ack_s: float = 30.0  # a publication or subscription to its acknowledgement
    misc_s: float = 20.0  # keep-alive check: a third of the usual one, as few wake-ups as go
    farewell_s: float = 2.0  # `offline` and DISCONNECT at the end; systemd is waiting
    retry_low_s: float = 1.0
    retry_high_s: float = 60.0
    stable_s: float = 30.0  # a connection that lasted this long resets the back-off
    retake_low_s: float = 1.0  # a message that could not be kept is offered again after this
    retake_high_s: float = 60.0
