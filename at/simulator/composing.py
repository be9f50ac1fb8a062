"""A SUBMIT made from what was typed in text mode (TS 27.005 §3.1 <data>, §3.5.1)."""

from __future__ import annotations

from at.simulator import tpdu
from at.simulator.charset import taken, taken_septets
from at.simulator.device import Device
from at.simulator.values import cms
from at.sms import Alphabet, Dcs
from at.sms.packing import pack

VALIDITY_FORMAT = 0x18  # TP-VPF
RELATIVE = 0x10


def address_of(device: Device, typed: str, kind: int | None) -> bytes:
    """Return TP-DA of a typed number; raises +CMS ERROR: 305."""
    try:
        return tpdu.number_octets(taken(typed, device.settings.charset), kind)
    except ValueError:
        raise cms(305) from None


def submit_of(device: Device, address: bytes, body: bytes) -> str:
    """Return the PDU of a typed body, as +CSMP and +CSCS have it; raises +CMS ERROR: 305."""
    first, validity, pid, dcs = device.settings.csmp
    first = first & ~0x03 | 0x01
    if first & VALIDITY_FORMAT != RELATIVE:
        first &= ~VALIDITY_FORMAT
    period = bytes((validity,)) if first & RELATIVE else b""
    header = bool(first & tpdu.USER_DATA_HEADER)
    try:
        length, data = _user_data(body.decode("latin-1"), device.settings.charset, dcs, header)
    except ValueError:
        raise cms(305) from None
    if len(data) > 140:
        raise cms(305)
    octets = bytes((0, first, 0)) + address + bytes((pid, dcs)) + period + bytes((length,)) + data
    return octets.hex().upper()


def _user_data(body: str, charset: str, dcs: int, header: bool) -> tuple[int, bytes]:
    """TP-UDL and TP-UD."""
    alphabet = Dcs(dcs).alphabet
    if header or alphabet is not Alphabet.GSM7:
        octets = bytes.fromhex(body)
        return len(octets) * 8 // 7 if alphabet is Alphabet.GSM7 else len(octets), octets
    septets = taken_septets(body, charset)
    return len(septets), pack(septets)
