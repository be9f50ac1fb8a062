"""Whether a message to the device fits an SMS platform, and the SID that may come with it."""

from __future__ import annotations

from dataclasses import dataclass

from agent.payload.platforms import Platform
from agent.payload.request import MAX_OCTETS
from at.errors import EncodeError
from at.sms import segment
from at.sms.alphabets import gsm7

SINGLE_SEPTETS = 160


@dataclass(frozen=True, slots=True)
class Fit:
    """How a message gets through one platform.

    septets: of the message alone, None where the GSM-7 alphabet cannot carry it. room: what one
    message holds beside the platform's SID. segments: what it takes, 0 if it cannot be sent.
    why: empty where it fits.
    """

    platform: str
    septets: int | None
    room: int
    segments: int
    why: str = ""

    @property
    def fits(self) -> bool:
        """Whether the platform delivers it whole."""
        return not self.why


def septets(text: str) -> int | None:
    """Count septets, extension characters as two; None where the alphabet lacks a character."""
    try:
        return gsm7.septets(text)
    except EncodeError:
        return None


def fit(text: str, platform: Platform) -> Fit:
    """Try a message on a platform.

    A line command that fills its message to the last septet would be refused as cut, so that it
    has one septet less, unless it ends in ";".
    """
    room = SINGLE_SEPTETS - platform.sid_septets
    length = septets(text)
    why = _obstacle(text, platform, length, room)
    if length is None or why:
        return Fit(platform.name, length, room, 0, why)
    parts = 1 if length <= room else len(segment(text, alphabet="gsm7", reference=0))
    return Fit(platform.name, length, room, parts)


def _obstacle(text: str, platform: Platform, length: int | None, room: int) -> str:
    if length is None:
        return "has characters outside the GSM-7 alphabet"
    if platform.charset == "gsm7-basic" and not gsm7.is_basic(text):
        return "has extension characters, which are not carried there"
    if len(text.encode()) > MAX_OCTETS:
        return f"is longer than {MAX_OCTETS} bytes"
    if length == room and not text.startswith("{") and not text.endswith(";"):
        return "fills the SMS to its end without a ;"
    if length > room and not platform.long_messages:
        return f"is {length - room} septets too long"
    return ""
