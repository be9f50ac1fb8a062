"""The few header octets of a TPDU that a modem itself must read or write (TS 23.040 §9.2.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

STATUS_REPORT_REQUEST = 0x20  # TP-SRR in SMS-SUBMIT
USER_DATA_HEADER = 0x40  # TP-UDHI
TYPE_ZERO = 0x40  # TP-PID of a short message type 0 (TS 23.040 §9.2.3.9)


def hex_octets(pdu: str) -> bytes | None:
    """Return the octets of a hex string; None: it is none."""
    try:
        return bytes.fromhex(pdu)
    except ValueError:
        return None


def tpdu_of(pdu: bytes) -> bytes:
    """Return what follows the service centre's address."""
    return pdu[1 + pdu[0] :] if pdu else b""


def tpdu_length(pdu: str) -> int:
    """Octets of the TPDU in a hex PDU with SMSC: the <length> of +CMGR."""
    octets = len(pdu) // 2
    try:
        smsc = int(pdu[:2], 16) + 1
    except ValueError:
        smsc = 1
    return max(octets - smsc, 0)


@dataclass(frozen=True, slots=True)
class Header:
    """The leading fields that DELIVER and SUBMIT share.

    first: first octet; reference: TP-MR of a SUBMIT, else 0; address: TP-OA / TP-DA as octets,
    length first; pid, dcs: TP-PID and TP-DCS.
    """

    first: int
    reference: int
    address: bytes
    pid: int
    dcs: int

    @property
    def message_class(self) -> int | None:
        """Class 0-3 of the data coding scheme, None without one (TS 23.038 §4)."""
        general = self.dcs & 0x80 == 0 and self.dcs & 0x10
        return self.dcs & 0x03 if general or self.dcs & 0xF0 == 0xF0 else None


def header(tpdu: bytes, *, submit: bool) -> Header | None:
    """Read the header of a DELIVER or SUBMIT; None: too short to be one."""
    at = 2 if submit else 1
    if len(tpdu) <= at:
        return None
    end = at + 2 + (tpdu[at] + 1) // 2
    if len(tpdu) < end + 2:
        return None
    reference = tpdu[1] if submit else 0
    return Header(tpdu[0], reference, tpdu[at:end], tpdu[end], tpdu[end + 1])


def with_destination(tpdu: bytes, address: bytes) -> bytes:
    """Return a SUBMIT with another TP-DA (octets, length first)."""
    end = 4 + (tpdu[2] + 1) // 2
    return tpdu[:2] + address + tpdu[end:]


def validity_offset(tpdu: bytes) -> int:
    """Where TP-VP of a SUBMIT begins."""
    return 6 + (tpdu[2] + 1) // 2


def number_octets(number: str, kind: int | None = None) -> bytes:
    """TP-DA of a dialled number: length in digits, type of address, swapped BCD (§9.1.2.5).

    kind: type-of-address octet; None: 145 where the number starts with "+", else 129.
    Raises ValueError on characters that are no dial digits.
    """
    digits = number.removeprefix("+")
    toa = kind if kind is not None else (145 if number.startswith("+") else 129)
    values = ["0123456789*#abc".index(digit) for digit in digits.lower()]
    if len(values) % 2:
        values.append(0xF)
    packed = bytes(low | high << 4 for low, high in zip(values[::2], values[1::2], strict=True))
    return bytes((len(digits), toa)) + packed


def number_text(address: bytes) -> str:
    """Return the dialled number of an address (octets, length first), with "+" if international."""
    digits = "".join(f"{octet & 0xF:x}{octet >> 4:x}" for octet in address[2:])[: address[0]]
    number = digits.translate(str.maketrans("abcde", "*#abc"))
    return "+" + number if address[1] & 0x70 == 0x10 else number


def time_octets(when: datetime) -> bytes:
    """TP-SCTS of an aware time: seven octets of swapped digits (§9.2.3.11)."""
    offset = when.utcoffset() or timedelta(0)
    quarters = int(offset.total_seconds()) // 900
    parts = [when.year % 100, when.month, when.day, when.hour, when.minute, when.second]
    octets = [part % 10 << 4 | part // 10 for part in [*parts, abs(quarters)]]
    if quarters < 0:
        octets[6] |= 0x08
    return bytes(octets)


def status_report(
    recipient: bytes, reference: int, sent: datetime, discharged: datetime, status: int
) -> str:
    """SMS-STATUS-REPORT as hex with an empty SMSC (§9.2.2.3).

    recipient: address octets of the SUBMIT; status: TP-ST.
    """
    octets = (
        b"\x00\x06"
        + bytes((reference,))
        + recipient
        + time_octets(sent)
        + time_octets(discharged)
        + bytes((status,))
    )
    return octets.hex().upper()
