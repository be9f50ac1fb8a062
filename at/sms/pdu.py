"""A PDU as a modem shows it: the service centre's address, then the TPDU (TS 27.005 §3.1)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from at.errors import DecodeError, EncodeError
from at.sms.address import Address, decode_address, encode_address
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
    "vp"             an enhanced TP-VP of a reserved form
    "udl"            TP-UDL disagrees with the octets, or says more than 140
    "ucs2"           an odd octet, or half a surrogate pair
    "concat"         concatenation invalid (ignored), too long, or repeated (last valid counts)
    "pi"             TP-PI with reserved bits, or without what it announces (SIM record, filled up)
    "fcs"            TP-FCS below 0x80, which is reserved
    "cdl"            TP-CDL above 157
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
    if isinstance(pdu, str):
        try:
            data = bytes.fromhex(pdu)
        except ValueError:
            data = _octets(pdu)
        else:
            if 2 * len(data) != len(pdu):
                data = _octets(pdu)
    else:
        data = bytes(pdu)
    try:
        return _read(data, direction, rp, length, smsc)
    except DecodeError:
        found = _without_centre(data, direction, rp, length) if smsc else None
        if found is None:
            raise
        return found


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
    try:
        found = _read(data, direction, rp, length, smsc=False)
    except DecodeError:
        return None
    return None if found.flags else Pdu(None, found.tpdu, ("smsc-missing",))


_CENTRES: dict[bytes, tuple[Address, bool]] = {}  # a modem meets few of them
_MAX_CENTRES = 64


def _centre(octets: bytes) -> tuple[Address, bool]:
    """The centre's address, TS 24.011 §8.2.5.1, and whether it is sound.

    Its length counts octets, filler included. A broken one must not lose the message, which does
    not depend on it: it is shown in hex.
    """
    semioctets = 2 * (len(octets) - 1)
    if semioctets and octets[-1] >> 4 == 0xF:
        semioctets -= 1
    flags: list[str] = []
    try:
        centre, _ = decode_address(bytes((semioctets,)) + octets, 0, "smsc", flags)
        found = centre, not flags and centre.kind != "alphanumeric" and bool(centre.digits)
    except DecodeError:
        found = Address(octets[1:].hex(), "reserved", 0), False
    if len(_CENTRES) >= _MAX_CENTRES:
        _CENTRES.clear()
    _CENTRES[octets] = found
    return found


def _read(  # noqa: C901, PLR0912  # one branch a message type: the hot path, so no table of functions
    data: bytes, direction: Direction, rp: str | None, length: int | None, smsc: bool
) -> Pdu:
    flags: list[str] = []
    centre = None
    start = 0
    total = len(data)
    if smsc:
        if not data:
            raise DecodeError("smsc", 0, need=1, have=0)
        start = data[0] + 1
        if start > 1:
            if start > _MAX_SMSC + 1:
                raise DecodeError("smsc", 0, detail=f"{data[0]} octets, at most {_MAX_SMSC}")
            if total < start:
                raise DecodeError("smsc", 1, need=start - 1, have=total - 1)
            centre, sound = _CENTRES.get(data[1:start]) or _centre(data[1:start])
            if not sound:
                flags.append("smsc")
    if start >= total:
        raise DecodeError("mti", start, need=1, have=0)
    entire = False
    if length is not None:
        entire = length == total - start
        if not entire:
            flags.append("length")
    kind = data[start] & 3
    tpdu: Tpdu
    if kind == 0 and direction != "mo":
        tpdu, end = decode_deliver(data, start, flags, entire)
    elif kind == 1 and direction != "mt":
        tpdu, end = decode_submit(data, start, flags, entire)
    elif kind == 2 and direction != "mo":
        tpdu, end = decode_status_report(data, start, flags, entire)
    elif kind == 0:
        tpdu, end = decode_deliver_report(data, start, flags, entire, rp)
    elif kind == 1:
        tpdu, end = decode_submit_report(data, start, flags, entire, rp)
    elif kind == 2:
        tpdu, end = decode_command(data, start, flags)
    elif direction == "mo":
        raise DecodeError("mti", start, detail="reserved message type")
    else:
        flags.append("mti")
        tpdu, end = decode_deliver(data, start, flags, entire)
    if end < total:
        flags.append("trailing")
    return _build(centre, tpdu, _unique(flags) if flags else ())


def _unique(flags: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(flags))


def _octets(text: str) -> bytes:
    """Hex with something around or in it: white space around is read, all else an error."""
    text = text.strip()
    strange = _NOT_HEX.search(text)
    if strange is not None:  # bytes.fromhex lets spaces pass
        raise DecodeError("hex", strange.start() // 2, detail=f"{strange[0]!r} is no hex digit")
    if len(text) % 2:
        raise DecodeError("hex", len(text) // 2, need=2, have=1, detail="half an octet")
    return bytes.fromhex(text)


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
