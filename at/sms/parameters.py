"""TP-PI and the optional parameters that it announces (TS 23.040 §9.2.3.27)."""

from __future__ import annotations

from at.errors import DecodeError, EncodeError
from at.sms.dcs import CODINGS, Dcs
from at.sms.octets import require_octet
from at.sms.userdata import UserData, decode_user_data, encode_user_data

Parameters = tuple[int | None, Dcs | None, UserData | None]
"""TP-PID, TP-DCS, TP-UD; None for each that is absent."""

NOTHING: Parameters = (None, None, None)
"""No optional parameter at all."""

_PID, _DCS, _UDL, _EXTENSION = 1, 2, 4, 0x80
_DEFAULT = CODINGS[0]


def skip_indicator(data: bytes, octet: int) -> tuple[int, int]:
    """TP-PI at `octet`, its extension octets skipped -> indicator, next offset.

    Raises DecodeError("pi").
    """
    start = octet
    while octet < len(data):
        octet += 1
        if not data[octet - 1] & _EXTENSION:
            return data[start], octet
    raise DecodeError("pi", octet, need=1, have=0)


def decode_parameters(
    data: bytes, octet: int, indicator: int, header: bool, flags: list[str], entire: bool
) -> tuple[Parameters, int]:
    """What the indicator announces, at `octet` -> parameters, next offset.

    With reserved bits set (flag "pi") parameters that cannot be read count as absent, as they may
    be of another kind; else raises DecodeError.
    """
    if not indicator & ~_EXTENSION & 0x78:
        return _read(data, octet, indicator, header, flags, entire)
    flags.append("pi")
    kept = len(flags)
    try:
        return _read(data, octet, indicator, header, flags, entire)
    except DecodeError:
        del flags[kept:]
        return NOTHING, len(data)


def _read(
    data: bytes, octet: int, indicator: int, header: bool, flags: list[str], entire: bool
) -> tuple[Parameters, int]:
    pid, dcs, user_data = None, None, None
    if indicator & _PID:
        if octet >= len(data):
            raise DecodeError("pid", octet, need=1, have=0)
        pid = data[octet]
        octet += 1
    if indicator & _DCS:
        if octet >= len(data):
            raise DecodeError("dcs", octet, need=1, have=0)
        dcs = CODINGS[data[octet]]
        octet += 1
    if indicator & _UDL:
        user_data, octet = decode_user_data(data, octet, dcs or _DEFAULT, header, flags, entire)
    return (pid, dcs, user_data), octet


def encode_parameters(pid: int | None, dcs: Dcs | None, user_data: UserData | None) -> bytes:
    """The parameters without TP-PI. Raises EncodeError."""
    octets = b""
    if pid is not None:
        octets += bytes((require_octet("pid", pid),))
    if dcs is not None:
        octets += bytes((dcs.octet,))
    if user_data is not None:
        octets += encode_user_data(user_data, dcs or _DEFAULT)
    return octets


def indicator_of(pid: int | None, dcs: Dcs | None, user_data: UserData | None) -> int:
    """TP-PI for what is present."""
    return (
        (_PID if pid is not None else 0)
        | (_DCS if dcs is not None else 0)
        | (_UDL if user_data is not None else 0)
    )


def header_bit(user_data: UserData | None) -> int:
    """TP-UDHI at its place in the first octet."""
    return 0x40 if user_data is not None and user_data.udh else 0


def require_cause(failure: int | None) -> bytes:
    """TP-FCS, empty for None. Raises EncodeError("fcs") outside 0x80-0xFF (§9.2.3.22)."""
    if failure is None:
        return b""
    if not 0x80 <= failure <= 0xFF:
        raise EncodeError("fcs", f"{failure} is not 128 to 255")
    return bytes((failure,))


def decode_cause(
    data: bytes, octet: int, rp: str | None, flags: list[str]
) -> tuple[int | None, int]:
    """TP-FCS at `octet` if there is one -> cause, next offset. Raises DecodeError("fcs").

    rp: "error": there is; "ack": there is not; None: there is if the top bit says so, which a
    TP-PI without extension never has. Flag "fcs": a cause below 0x80.
    """
    if octet >= len(data):
        raise DecodeError("fcs" if rp == "error" else "pi", octet, need=1, have=0)
    if rp == "error" or (rp is None and data[octet] & 0x80):
        if data[octet] < 0x80:
            flags.append("fcs")
        return data[octet], octet + 1
    return None, octet
