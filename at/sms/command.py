"""SMS-COMMAND on the air (TS 23.040 §9.2.2.4)."""

from __future__ import annotations

from at.errors import DecodeError, EncodeError
from at.sms.address import decode_address, encode_address
from at.sms.octets import require_octet
from at.sms.tpdu import Command
from at.sms.udh import Element, decode_header, encode_header

_MAX_DATA = 157


def decode_command(data: bytes, octet: int, flags: list[str]) -> tuple[Command, int]:
    """The SMS-COMMAND whose first octet is at `octet` -> value, next offset. Raises DecodeError."""
    first = data[octet]
    if octet + 5 > len(data):
        raise DecodeError("mr", octet + 1, need=4, have=len(data) - octet - 1)
    reference, pid, command_type, message_number = data[octet + 1 : octet + 5]
    destination, octet = decode_address(data, octet + 5, "da", flags)
    if octet >= len(data):
        raise DecodeError("cdl", octet, need=1, have=0)
    start, size = octet + 1, data[octet]
    end = start + size
    if end > len(data):
        raise DecodeError("cd", start, need=size, have=len(data) - start)
    if size > _MAX_DATA:
        flags.append("cdl")
    udh: tuple[Element, ...] = ()
    if first & 0x40:
        if not size or data[start] >= size:
            raise DecodeError("udh.length", start, need=1 + data[start] if size else 1, have=size)
        body = start + 1 + data[start]
        udh = decode_header(data, start + 1, body, flags)
        start = body
    command = Command(
        reference,
        command_type,
        message_number,
        destination,
        pid,
        data[start:end],
        udh,
        first & 0x20 != 0,
    )
    return command, end


def encode_command(command: Command) -> bytes:
    """The TPDU. Raises EncodeError."""
    count, address = encode_address(command.destination, "da")
    content = encode_header(command.udh, _MAX_DATA) + command.data
    if len(content) > _MAX_DATA:
        raise EncodeError("cd", f"{len(content)} octets, at most {_MAX_DATA}")
    first = 2 | (0x20 if command.status_report_request else 0) | (0x40 if command.udh else 0)
    head = (
        first,
        require_octet("mr", command.reference),
        require_octet("pid", command.pid),
        require_octet("ct", command.command_type),
        require_octet("mn", command.message_number),
        count,
    )
    return b"".join((bytes(head), address, bytes((len(content),)), content))
