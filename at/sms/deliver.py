"""SMS-DELIVER on the air (TS 23.040 §9.2.2.1)."""

from __future__ import annotations

from at.errors import DecodeError
from at.sms.address import decode_address, encode_address
from at.sms.build import builder
from at.sms.dcs import CODINGS
from at.sms.octets import require_octet
from at.sms.scts import SIZE, build_timestamp, read_time
from at.sms.tpdu import Deliver
from at.sms.userdata import decode_user_data, encode_user_data

_build = builder(Deliver)


def decode_deliver(data: bytes, octet: int, flags: list[str], entire: bool) -> tuple[Deliver, int]:
    """The SMS-DELIVER whose first octet is at `octet` -> value, next offset. Raises DecodeError."""
    first = data[octet]
    originator, octet = decode_address(data, octet + 1, "oa", flags)
    if octet + 2 > len(data):
        raise DecodeError("pid", octet, need=2, have=len(data) - octet)
    pid, dcs = data[octet], CODINGS[data[octet + 1]]
    octet += 2
    raw = data[octet : octet + SIZE]
    if len(raw) < SIZE:
        raise DecodeError("scts", octet, need=SIZE, have=len(raw))
    time = read_time(raw)  # as decode_timestamp does, but most messages come along here
    if time is None:
        flags.append("timestamp")
    user_data, octet = decode_user_data(data, octet + SIZE, dcs, first & 0x40 != 0, flags, entire)
    return _build(
        originator,
        build_timestamp(raw, time),
        user_data,
        pid,
        dcs,
        first & 4 == 0,
        first & 8 != 0,
        first & 0x80 != 0,
        first & 0x20 != 0,
    ), octet


def encode_deliver(deliver: Deliver) -> bytes:
    """The TPDU. Raises EncodeError."""
    count, address = encode_address(deliver.originator, "oa")
    first = (
        (0 if deliver.more else 4)
        | (8 if deliver.loop else 0)
        | (0x20 if deliver.status_report else 0)
        | (0x40 if deliver.user_data.udh else 0)
        | (0x80 if deliver.reply_path else 0)
    )
    return b"".join(
        (
            bytes((first, count)),
            address,
            bytes((require_octet("pid", deliver.pid), deliver.dcs.octet)),
            deliver.timestamp.raw,
            encode_user_data(deliver.user_data, deliver.dcs),
        )
    )
