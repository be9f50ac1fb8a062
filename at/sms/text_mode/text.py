"""Text mode messages as the same values that PDU mode gives (TS 27.005 §3, §4).

Strings and bodies are as on the line, one character a byte (Latin-1), in a TE character set of
at.sms.alphabets.charsets.
"""

from __future__ import annotations

from dataclasses import dataclass

from at.errors import DecodeError
from at.sms.alphabets.charsets import hex_octets, write
from at.sms.pdu import Pdu, encode
from at.sms.scts import SIZE
from at.sms.text_mode.body import body_ends, body_length, read_body, write_body
from at.sms.text_mode.fields import read_address, read_timestamp, show_timestamp
from at.sms.text_mode.header import Header, parse_header
from at.sms.tpdu import Command, Deliver, StatusReport, Submit
from at.sms.validity import Enhanced, Relative, Validity

__all__ = [
    "Header",
    "TextSubmit",
    "body_ends",
    "body_length",
    "parse_header",
    "read_text",
    "write_text",
]


def read_text(header: Header, body: str, charset: str) -> Pdu:
    """The message that a header and the body behind it show.

    body: everything between the header's line end and the line end in front of the final result
    code. Flags beside those of PDU mode: "dcs" (the coding is not shown and was taken for text),
    "hex" (octets shown as characters); "timestamp" also where none is shown: its octets are then
    zeros. Raises DecodeError: "header" for a broadcast, "udh" when a user data header was there
    but is not shown, "text" for a body that is not of the character set.
    """
    flags: list[str] = []
    smsc = read_address(header.smsc, header.smsc_type, charset) if header.smsc else None
    if header.kind == "deliver":
        first = header.first_octet or 0
        dcs, user_data = read_body(header, body, charset, flags)
        deliver = Deliver(
            read_address(header.address, header.type_of_address, charset),
            read_timestamp(header.timestamp, flags),
            user_data,
            header.pid or 0,
            dcs,
            header.first_octet is not None and first & 4 == 0,
            first & 8 != 0,
            first & 0x80 != 0,
            first & 0x20 != 0,
        )
        return Pdu(smsc, deliver, tuple(flags))
    if header.kind == "submit":
        return Pdu(smsc, _submit(header, body, charset, flags), tuple(flags))
    if header.kind == "status-report":
        return Pdu(smsc, _report(header, charset, flags), tuple(flags))
    if header.kind == "command":
        return Pdu(smsc, _command(header, body, charset), tuple(flags))
    raise DecodeError("header", 0, detail="a cell broadcast message")


def _submit(header: Header, body: str, charset: str, flags: list[str]) -> Submit:
    first = header.first_octet or 0
    dcs, user_data = read_body(header, body, charset, flags)
    return Submit(
        read_address(header.address, header.type_of_address, charset),
        user_data,
        pid=header.pid or 0,
        dcs=dcs,
        validity=_validity(header.validity, first >> 3 & 3),
        status_report_request=first & 0x20 != 0,
        reject_duplicates=first & 4 != 0,
        reply_path=first & 0x80 != 0,
    )


def _report(header: Header, charset: str, flags: list[str]) -> StatusReport:
    if header.reference is None or header.report_status is None:
        raise DecodeError("header", 0, detail="no reference or no status")
    first = header.first_octet or 0
    return StatusReport(
        header.reference,
        read_address(header.address, header.type_of_address, charset),
        read_timestamp(header.timestamp, flags),
        read_timestamp(header.discharged, flags),
        header.report_status,
        header.first_octet is not None and first & 4 == 0,
        first & 8 != 0,
        first & 0x20 != 0,
    )


def _command(header: Header, body: str, charset: str) -> Command:
    data = hex_octets(body)
    if data is None:
        raise DecodeError("text", 0, detail="command data not in hex")
    return Command(
        0,
        header.command_type or 0,
        header.message_number or 0,
        read_address(header.address, header.type_of_address, charset),
        header.pid or 0,
        data,
        status_report_request=bool(header.first_octet and header.first_octet & 0x20),
    )


def _validity(shown: str | None, form: int) -> Validity | None:
    if not shown or not form:
        return None
    if shown.isdecimal() and int(shown) <= 0xFF:
        return Relative(int(shown))
    octets = hex_octets(shown)
    if octets is not None and len(octets) == SIZE:
        return Enhanced(octets)
    return read_timestamp(shown, [])


@dataclass(frozen=True, slots=True)
class TextSubmit:
    """What text mode needs to send one message.

    parameters: those of AT+CSMP=; destination and type_of_address: those of AT+CMGS=, the first
    still without its quotes; body: what follows the prompt, Ctrl-Z not included.
    """

    parameters: str
    destination: str
    type_of_address: int
    body: bytes


def write_text(submit: Submit, charset: str) -> TextSubmit:
    """An SMS-SUBMIT for text mode.

    Raises EncodeError for a value that PDU mode could not send either, and for a body that would
    end the prompt (Ctrl-Z, ESC) or cannot be said in the character set.
    """
    first = encode(submit)[1]
    validity = submit.validity
    if validity is None:
        period = ""
    elif isinstance(validity, Relative):
        period = str(validity.octet)
    elif isinstance(validity, Enhanced):
        period = f'"{validity.raw.hex().upper()}"'
    else:
        period = f'"{show_timestamp(validity)}"'
    destination = submit.destination
    return TextSubmit(
        f"{first},{period},{submit.pid},{submit.dcs.octet}",
        write(str(destination), charset),
        destination.type_of_address,
        write_body(submit.user_data, submit.dcs, charset),
    )
