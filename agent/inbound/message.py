"""A whole message as a channel hands it to the intake."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

__all__ = ["Arrival", "fingerprint"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a channel knows of one message.

    channel: "sms", "mqtt" or "console". sender: the originating address as shown ("+44…", "000",
    "KORE"), "" on the other channels. sent_at: the message's own time stamp. text or data: the
    body; data alone is an 8-bit body, or what could not be decoded, as it was read. id: given by
    the channel (Correlation Data, made up by the console). fingerprint: the id of last resort.
    full: a single SMS filled to its last septet. expires_in_s: what is left
    of the channel's own expiry (MQTT 5), from the receipt.
    verdict, reason and detail: set where the message cannot be a command, whatever it says.
    response: MQTT 5 Response Topic ("topic") and Correlation Data ("correlation", base64).
    """

    channel: str
    received_at: datetime
    sender: str = ""
    sent_at: datetime | None = None
    text: str | None = None
    data: bytes | None = None
    id: str | None = None
    fingerprint: str | None = None
    full: bool = False
    expires_in_s: float | None = None
    verdict: str = ""
    reason: str = ""
    detail: str = ""
    response: Mapping[str, str] = field(default_factory=dict)


def fingerprint(sender: str, parts: Iterable[tuple[str, str]]) -> str | None:
    """Return the id of an SMS that brings none: 12 hex digits of SHA-256.

    parts: (service-centre time stamp as ISO 8601 with its zone, decoded body) in order. The
    digest covers the sender's digits without a leading "+", then each stamp and body, a line feed
    between all of them: the same from PDU and text mode. None where a time stamp is missing:
    without one, two equal messages cannot be told from one message twice.
    """
    pieces = [sender.removeprefix("+")]
    for stamp, body in parts:
        if not stamp:
            return None
        pieces += (stamp, body)
    return hashlib.sha256("\n".join(pieces).encode("utf-8", "surrogatepass")).hexdigest()[:12]
