"""What the demonstration shows, step by step, and what must be seen for each step."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from at import sms

__all__ = ["Step", "new_scenario"]


@dataclass(frozen=True, slots=True)
class Step:
    """One message to the box.

    title: what a person is told; sender and text: what goes in; pdus: how, in this order.
    replies: how many SMS must leave because of it; results: how many command results must be
    published; verdict: what the journal must say of the message; state: of its command.
    """

    title: str
    sender: str
    text: str
    pdus: tuple[str, ...]
    replies: int
    results: int
    verdict: str
    state: str = ""


def _deliver(sender: str, body: str | bytes, *, reverse: bool = False) -> tuple[str, ...]:
    """Return the PDUs of a message as its service centre would deliver them."""
    parts = sms.segment(body, reference=0x2A)
    stamp = sms.Timestamp.of(datetime.now(UTC).replace(microsecond=0))
    originator = sms.Address.parse(sender)
    pdus = [sms.encode(sms.Deliver(originator, stamp, part)).hex().upper() for part in parts]
    return tuple(reversed(pdus) if reverse else pdus)


def new_scenario() -> tuple[Step, ...]:
    """Return the steps with new ids and today's time stamps."""
    sid = "DC" + uuid.uuid4().hex
    beacon = f"{sid} beacon state=on"
    first = _deliver("2936", beacon)
    properties = '{"enable":"True","reset":"False","when":"Immediate"}'
    notice = (
        'display id=notice-1 text="This gateway is being serviced. Do not switch it off, do not '
        "unplug the antenna, and do not press the button on its side until the green light is "
        'on again. Thank you"'
    )
    status = '{"cmd":"status"}'
    return (
        Step(
            "A text command with a command SID in front, from Programmable Wireless",
            "2936",
            beacon,
            first,
            1,
            1,
            "accepted",
            "succeeded",
        ),
        Step(
            "The same message again: not executed, the known outcome is told",
            "2936",
            beacon,
            first,
            1,
            1,
            "duplicate",
            "succeeded",
        ),
        Step(
            "The property payload of the platform's documents, from Super SIM",
            "000",
            properties,
            _deliver("000", properties),
            1,
            1,
            "accepted",
            "succeeded",
        ),
        Step(
            "A line command in two parts that arrive in the wrong order, from ConnectivityPRO",
            "567300905",
            notice,
            _deliver("567300905", notice, reverse=True),
            1,
            1,
            "accepted",
            "succeeded",
        ),
        Step(
            "An 8-bit command, from Programmable Wireless",
            "2936",
            status,
            _deliver("2936", status.encode()),
            1,
            1,
            "accepted",
            "succeeded",
        ),
        Step(
            "A message from a stranger: journalled, never run, never answered",
            "+447700900123",
            "beacon state=off",
            _deliver("+447700900123", "beacon state=off"),
            0,
            0,
            "stranger",
        ),
    )
