"""SMS-DELIVER-REPORT and SMS-SUBMIT-REPORT on the air (TS 23.040 §9.2.2.1a, §9.2.2.2a)."""

from __future__ import annotations

from at.sms.parameters import (
    decode_cause,
    decode_parameters,
    encode_parameters,
    header_bit,
    indicator_of,
    require_cause,
    skip_indicator,
)
from at.sms.scts import SIZE, decode_timestamp
from at.sms.tpdu import DeliverReport, SubmitReport


def decode_deliver_report(
    data: bytes, octet: int, flags: list[str], entire: bool, rp: str | None
) -> tuple[DeliverReport, int]:
    """The report whose first octet is at `octet` -> value, next offset. Raises DecodeError."""
    header = data[octet] & 0x40 != 0
    failure, octet = decode_cause(data, octet + 1, rp, flags)
    indicator, octet = skip_indicator(data, octet)
    parameters, octet = decode_parameters(data, octet, indicator, header, flags, entire)
    return DeliverReport(failure, *parameters), octet


def encode_deliver_report(report: DeliverReport) -> bytes:
    """The TPDU. Raises EncodeError."""
    parameters = (report.pid, report.dcs, report.user_data)
    return b"".join(
        (
            bytes((header_bit(report.user_data),)),
            require_cause(report.failure),
            bytes((indicator_of(*parameters),)),
            encode_parameters(*parameters),
        )
    )


def decode_submit_report(
    data: bytes, octet: int, flags: list[str], entire: bool, rp: str | None
) -> tuple[SubmitReport, int]:
    """The report whose first octet is at `octet` -> value, next offset. Raises DecodeError."""
    header = data[octet] & 0x40 != 0
    failure, octet = decode_cause(data, octet + 1, rp, flags)
    indicator, octet = skip_indicator(data, octet)
    timestamp = decode_timestamp(data, octet, "scts", flags)
    parameters, octet = decode_parameters(data, octet + SIZE, indicator, header, flags, entire)
    return SubmitReport(timestamp, failure, *parameters), octet


def encode_submit_report(report: SubmitReport) -> bytes:
    """The TPDU. Raises EncodeError."""
    parameters = (report.pid, report.dcs, report.user_data)
    return b"".join(
        (
            bytes((1 | header_bit(report.user_data),)),
            require_cause(report.failure),
            bytes((indicator_of(*parameters),)),
            report.timestamp.raw,
            encode_parameters(*parameters),
        )
    )
