"""A PDU as a modem shows it: the service centre's address, then the TPDU (TS 27.005 §3.1)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from at.errors import DecodeError, EncodeError
from at.sms.address import Address, encode_address, read_address
from at.sms.build import builder
from at.sms.command import decode_command, encode_command
from at.sms.deliver import decode_deliver, encode_deliver
from at.sms.report import (
    decode_deliver_report,
    decode_submit_report,
    encode_deliver_report,
    encode_submit_report,
)
from at.sms.status_report import decode_status_report, encode_status_report
from at.sms.submit import decode_submit, encode_submit
from at.sms.tpdu import Command, Deliver, DeliverReport, StatusReport, Submit, SubmitReport, Tpdu

Direction = Literal["auto", "mt", "mo"]
_MAX_SMSC = 11  # octets: type of address and 20 semi-octets
_NOT_HEX = re.compile(r"[^0-9A-Fa-f]")


@dataclass(frozen=True, slots=True)
class Pdu:
    """A decoded PDU.

    smsc: None where none is given; flags: the tolerances used, each once:

    "smsc-missing"   no octet for the service centre's address
    "smsc"           that address's length or type is wrong
    "length"         the length beside the PDU disagrees with it
    "mti"            reserved message type, read as SMS-DELIVER (§9.2.3.1)
    "address-type"   type of address without its top bit
    "filler"         digits or characters counted that are filling, or the reverse
    "timestamp"      digits or zone that are none: Timestamp.time is None
    "udl"            TP-UDL disagrees with the octets, or says more than 140
    "ucs2"           an odd octet, or half a surrogate pair
    "concat"         concatenation invalid (ignored) or repeated (the last one counts)
    "pi"             TP-PI with reserved bits
    "trailing"       octets behind the end
    """

    smsc: Address | None
    tpdu: Tpdu
    flags: tuple[str, ...] = ()


_build: Callable[..., Pdu] = builder(Pdu)


def decode(
    pdu: str | bytes,
    *,
    direction: Direction = "auto",
    rp: Literal["ack", "error"] | None = None,
    smsc: bool = True,
    length: int | None = None,
) -> Pdu:
    """Read one PDU.

    pdu: hex digits in any case, white space around them ignored, or octets. direction: "mt" to the
    mobile, "mo" from it; "auto" reads deliver, submit or status-report. rp: what a DELIVER- or
    SUBMIT-REPORT came in, None: told by its octets. smsc: False where the centre's address is
    left out. length: the number beside the PDU in +CMGR, +CMGL, +CMT or +CDS (octets without the
    centre's address); a TP-UDL that promises more than such a proven whole holds is then only
    flagged. Raises DecodeError, nothing else.
    """
    data = _octets(pdu) if isinstance(pdu, str) else bytes(pdu)
    if not smsc:
        flags: list[str] = []
        if length is not None and length != len(data):
            flags.append("length")
        return Pdu(None, _tpdu(data, 0, direction, rp, flags, length), _unique(flags))
    try:
        return _with_centre(data, direction, rp, length)
    except DecodeError:
        found = _without_centre(data, direction, rp, length)
        if found is None:
            raise
        return found


def _with_centre(data: bytes, direction: Direction, rp: str | None, length: int | None) -> Pdu:
    flags: list[str] = []
    if not data:
        raise DecodeError("smsc", 0, need=1, have=0)
    size = data[0]
    start = size + 1
    centre = None
    if size:
        if size > _MAX_SMSC:
            raise DecodeError("smsc", 0, detail=f"{size} octets, at most {_MAX_SMSC}")
        if len(data) < start:
            raise DecodeError("smsc", 1, need=size, have=len(data) - 1)
        centre, sound = _centre(data[1:start])
        if not sound:
            flags.append("smsc")
    if length is not None and length != len(data) - start:
        flags.append("length")
    tpdu = _tpdu(data, start, direction, rp, flags, length)
    return _build(centre, tpdu, _unique(flags) if flags else ())


def _without_centre(
    data: bytes, direction: Direction, rp: str | None, length: int | None
) -> Pdu | None:
    """The reading for modules that leave out the centre's octet; None where it does not fit.

    Tried only when the usual reading fails, and believed only when it needs no other tolerance
    and either the length says so or the first octets cannot be a centre's address.
    """
    told = length is not None and length == len(data)
    if not told and (len(data) < 2 or (data[0] <= _MAX_SMSC and data[1] & 0x80) or not data[0]):
        return None
    flags: list[str] = []
    try:
        tpdu = _tpdu(data, 0, direction, rp, flags, length)
    except DecodeError:
        return None
    return None if flags else Pdu(None, tpdu, ("smsc-missing",))


@lru_cache(maxsize=64)
def _centre(octets: bytes) -> tuple[Address, bool]:
    """The centre's address, TS 24.011 §8.2.5.1, and whether it is sound; a modem meets few of them.

    Its length counts octets, filler included. A broken one must not lose the message, which does
    not depend on it: it is shown in hex.
    """
    semioctets = 2 * (len(octets) - 1)
    if semioctets and octets[-1] >> 4 == 0xF:
        semioctets -= 1
    flags: list[str] = []
    try:
        centre, _ = read_address(octets, 0, semioctets, "smsc", flags)
    except DecodeError:
        return Address(octets[1:].hex(), "reserved", 0), False
    return centre, not flags


def _tpdu(
    data: bytes,
    octet: int,
    direction: Direction,
    rp: str | None,
    flags: list[str],
    length: int | None,
) -> Tpdu:
    if octet >= len(data):
        raise DecodeError("mti", octet, need=1, have=0)
    entire = length is not None and length == len(data) - octet
    kind = data[octet] & 3
    tpdu: Tpdu
    if kind == 0 and direction != "mo":
        tpdu, end = decode_deliver(data, octet, flags, entire=entire)
    elif kind == 1 and direction != "mt":
        tpdu, end = decode_submit(data, octet, flags, entire=entire)
    elif kind == 2 and direction != "mo":
        tpdu, end = decode_status_report(data, octet, flags, entire=entire)
    elif kind == 0:
        tpdu, end = decode_deliver_report(data, octet, flags, rp=rp, entire=entire)
    elif kind == 1:
        tpdu, end = decode_submit_report(data, octet, flags, rp=rp, entire=entire)
    elif kind == 2:
        tpdu, end = decode_command(data, octet, flags)
    elif direction == "mo":
        raise DecodeError("mti", octet, detail="reserved message type")
    else:
        flags.append("mti")
        tpdu, end = decode_deliver(data, octet, flags, entire=entire)
    if end < len(data):
        flags.append("trailing")
    return tpdu


def _unique(flags: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(flags))


def _octets(text: str) -> bytes:
    text = text.strip()
    try:
        data = bytes.fromhex(text)
    except ValueError:
        data = b""
    if 2 * len(data) != len(text):  # also: bytes.fromhex lets spaces pass
        strange = _NOT_HEX.search(text)
        if strange is not None:
            raise DecodeError("hex", strange.start() // 2, detail=f"{strange[0]!r} is no hex digit")
        raise DecodeError("hex", len(text) // 2, need=2, have=1, detail="half an octet")
    return data


_ENCODERS: dict[type, Callable[[Any], bytes]] = {
    Deliver: encode_deliver,
    Submit: encode_submit,
    StatusReport: encode_status_report,
    Command: encode_command,
    DeliverReport: encode_deliver_report,
    SubmitReport: encode_submit_report,
}


def encode(tpdu: Tpdu, *, smsc: Address | None = None) -> bytes:
    """The PDU's octets, the service centre's in front; one zero octet without. Raises EncodeError.

    Nothing that the standard forbids comes out: every field is checked.
    """
    body = _ENCODERS[type(tpdu)](tpdu)
    if smsc is None:
        return b"\0" + body
    count, address = encode_address(smsc, "smsc")
    if not count or smsc.kind == "alphanumeric":
        raise EncodeError("smsc", f"{smsc.digits!r} is no number")
    return bytes((len(address),)) + address + body


def tpdu_length(pdu: bytes) -> int:
    """The number for AT+CMGS= and AT+CMGW=: octets without the service centre's address."""
    return len(pdu) - 1 - pdu[0]
