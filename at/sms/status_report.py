"""SMS-STATUS-REPORT on the air (TS 23.040 §9.2.2.3)."""

from __future__ import annotations

from at.errors import DecodeError
from at.sms.address import decode_address, encode_address
from at.sms.build import builder
from at.sms.octets import require_octet
from at.sms.parameters import (
    NOTHING,
    Parameters,
    decode_parameters,
    encode_parameters,
    header_bit,
    indicator_of,
    skip_indicator,
)
from at.sms.scts import SIZE, decode_timestamp
from at.sms.tpdu import StatusReport

_build = builder(StatusReport)


def decode_status_report(
    data: bytes, octet: int, flags: list[str], entire: bool
) -> tuple[StatusReport, int]:
    """The report whose first octet is at `octet` -> value, next offset. Raises DecodeError."""
    first = data[octet]
    if octet + 2 > len(data):
        raise DecodeError("mr", octet + 1, need=1, have=0)
    reference = data[octet + 1]
    recipient, octet = decode_address(data, octet + 2, "ra", flags)
    timestamp = decode_timestamp(data, octet, "scts", flags)
    discharged = decode_timestamp(data, octet + SIZE, "dt", flags)
    octet += 2 * SIZE
    if octet >= len(data):
        raise DecodeError("st", octet, need=1, have=0)
    status = data[octet]
    octet += 1
    parameters: Parameters = NOTHING
    if octet < len(data):
        parameters, octet = _optional(data, octet, first & 0x40 != 0, flags, entire)
    return _build(
        reference,
        recipient,
        timestamp,
        discharged,
        status,
        first & 4 == 0,
        first & 8 != 0,
        first & 0x20 != 0,
        *parameters,
    ), octet


def _optional(
    data: bytes, octet: int, header: bool, flags: list[str], entire: bool
) -> tuple[Parameters, int]:
    """TP-PI at `octet` and what it announces -> parameters, next offset.

    A SIM hands over its whole record, filled up behind TP-ST (TS 31.102 §4.2.32), and filling reads
    as a TP-PI. What cannot be read counts as absent, flag "pi": every mandatory field is there.
    """
    kept = len(flags)
    try:
        indicator, octet = skip_indicator(data, octet)
        return decode_parameters(data, octet, indicator, header, flags, entire)
    except DecodeError:
        del flags[kept:]
        flags.append("pi")
        return NOTHING, len(data)


def encode_status_report(report: StatusReport) -> bytes:
    """The TPDU; TP-PI only where something optional follows. Raises EncodeError."""
    count, address = encode_address(report.recipient, "ra")
    parameters = (report.pid, report.dcs, report.user_data)
    indicator = indicator_of(*parameters)
    first = (
        2
        | (0 if report.more else 4)
        | (8 if report.loop else 0)
        | (0x20 if report.of_command else 0)
        | header_bit(report.user_data)
    )
    return b"".join(
        (
            bytes((first, require_octet("mr", report.reference), count)),
            address,
            report.timestamp.raw,
            report.discharged.raw,
            bytes((require_octet("st", report.status),)),
            bytes((indicator,)) if indicator else b"",
            encode_parameters(*parameters),
        )
    )
