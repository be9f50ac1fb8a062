"""TP-PID, the protocol identifier (TS 23.040 §9.2.3.9)."""

from __future__ import annotations

TYPE_0 = 0x40
"""Acknowledge, then discard: a short message type 0."""

_TELEMATIC = {
    0x00: "implicit",
    0x01: "telex",
    0x02: "group 3 telefax",
    0x03: "group 4 telefax",
    0x04: "voice telephone",
    0x05: "ERMES",
    0x06: "national paging system",
    0x07: "videotex",
    0x08: "teletex, carrier unspecified",
    0x09: "teletex, PSPDN",
    0x0A: "teletex, CSPDN",
    0x0B: "teletex, PSTN",
    0x0C: "teletex, ISDN",
    0x0D: "UCI",
    0x10: "message handling facility",
    0x11: "public X.400 system",
    0x12: "Internet electronic mail",
    0x1F: "GSM/UMTS mobile station",
}
_MESSAGES = {
    0x00: "short message",
    0x40: "short message type 0",
    0x48: "device triggering",
    0x5E: "enhanced message service (obsolete)",
    0x5F: "return call message",
    0x7C: "ANSI-136 R-DATA",
    0x7D: "ME data download",
    0x7E: "ME de-personalisation",
    0x7F: "(U)SIM data download",
}


def replace_type(pid: int) -> int | None:
    """1-7 for "replace short message type n", else None."""
    return pid - 0x40 if 0x41 <= pid <= 0x47 else None


def describe_pid(pid: int) -> str:
    """The identifier in words."""
    replaced = replace_type(pid)
    if replaced is not None:
        return f"replace short message type {replaced}"
    if pid in _MESSAGES:
        return _MESSAGES[pid]
    if pid >= 0xC0:
        return "for the centre's own use"
    if pid >= 0x40:
        return "reserved"
    if pid < 0x20:
        return f"SM-AL protocol {pid}"
    device = pid & 0x1F
    own = "specific to the centre" if 0x18 <= device <= 0x1E else "reserved"
    return f"telematic interworking, {_TELEMATIC.get(device, own)}"
