"""SMS-SUBMIT on the air (TS 23.040 §9.2.2.2)."""

from __future__ import annotations

from at.errors import DecodeError, EncodeError
from at.sms.address import decode_address, encode_address
from at.sms.build import builder
from at.sms.dcs import CODINGS
from at.sms.octets import require_octet
from at.sms.tpdu import Submit
from at.sms.userdata import decode_user_data, encode_user_data
from at.sms.validity import decode_validity, encode_validity

_build = builder(Submit)


def decode_submit(data: bytes, octet: int, flags: list[str], entire: bool) -> tuple[Submit, int]:
    """The SMS-SUBMIT whose first octet is at `octet` -> value, next offset. Raises DecodeError."""
    first = data[octet]
    if octet + 2 > len(data):
        raise DecodeError("mr", octet + 1, need=1, have=0)
    reference = data[octet + 1]
    destination, octet = decode_address(data, octet + 2, "da", flags)
    if octet + 2 > len(data):
        raise DecodeError("pid", octet, need=2, have=len(data) - octet)
    pid, dcs = data[octet], CODINGS[data[octet + 1]]
    validity, octet = decode_validity(data, octet + 2, first >> 3 & 3, flags)
    user_data, octet = decode_user_data(data, octet, dcs, first & 0x40 != 0, flags, entire)
    return _build(
        destination,
        user_data,
        reference,
        pid,
        dcs,
        validity,
        first & 0x20 != 0,
        first & 4 != 0,
        first & 0x80 != 0,
    ), octet


def encode_submit(submit: Submit) -> bytes:
    """The TPDU. Raises EncodeError."""
    count, address = encode_address(submit.destination, "da")
    form, validity = encode_validity(submit.validity)
    if submit.dcs.reserved:
        raise EncodeError("dcs", f"0x{submit.dcs.octet:02X} is reserved")
    first = (
        1
        | (4 if submit.reject_duplicates else 0)
        | form << 3
        | (0x20 if submit.status_report_request else 0)
        | (0x40 if submit.user_data.udh else 0)
        | (0x80 if submit.reply_path else 0)
    )
    head = bytes((first, require_octet("mr", submit.reference), count))
    coding = bytes((require_octet("pid", submit.pid), submit.dcs.octet))
    return head + address + coding + validity + encode_user_data(submit.user_data, submit.dcs)
