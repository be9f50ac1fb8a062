"""TP-ST, what became of a message (TS 23.040 §9.2.3.15)."""

from __future__ import annotations

from typing import Literal

Outcome = Literal["delivered", "trying", "failed"]

_TEXTS = {
    0x00: "received by the recipient",
    0x01: "forwarded to the recipient, receipt not confirmed",
    0x02: "replaced by the centre",
    0x20: "congestion",
    0x21: "recipient busy",
    0x22: "no response from the recipient",
    0x23: "service rejected",
    0x24: "quality of service not available",
    0x25: "error at the recipient",
    0x40: "remote procedure error",
    0x41: "incompatible destination",
    0x42: "connection rejected by the recipient",
    0x43: "not obtainable",
    0x44: "quality of service not available",
    0x45: "no interworking",
    0x46: "validity period expired",
    0x47: "deleted by the sender",
    0x48: "deleted by the centre",
    0x49: "no such message",
    0x60: "congestion",
    0x61: "recipient busy",
    0x62: "no response from the recipient",
    0x63: "service rejected",
    0x64: "quality of service not available",
    0x65: "error at the recipient",
}
_GROUPS = (
    "transaction completed",
    "temporary error, the centre still tries",
    "permanent error, the centre does not try any more",
    "temporary error, the centre does not try any more",
)


def describe_status(status: int) -> str:
    """The status in words, its group first; reserved and centre-specific values by group."""
    if status & 0x80:
        return "reserved"
    group = _GROUPS[status >> 5 & 3]
    return f"{group}: {_TEXTS[status]}" if status in _TEXTS else group


def outcome(status: int) -> Outcome:
    """What the sender should make of it; reserved values count as failed (§9.2.3.15)."""
    if status < 0x20:
        return "delivered"
    return "trying" if status < 0x40 else "failed"
