"""What is tried with one fuzzing input; needs no fuzzer, so that the tests can replay a corpus.

An input is one octet that chooses how to read, then the PDU, its hex digits, or a text mode header
with its body. What can be read is also written again, explained, and read once more.
"""

from __future__ import annotations

from typing import Literal

from at.sms import DecodeError, EncodeError, Pdu, Submit, decode, encode, join
from at.sms.explain import explain
from at.sms.text_mode.text import body_ends, body_length, parse_header, read_text
from at.sms.userdata import UserData

_DIRECTIONS: tuple[Literal["auto", "mt", "mo"], ...] = ("auto", "mt", "mo", "auto")
_RP: tuple[Literal["ack", "error"] | None, ...] = (None, "ack", "error", None)
_CHARSETS = ("GSM", "IRA", "UCS2", "HEX", "8859-1", "UTF-8")


class EscapeError(AssertionError):
    """Something that the codec promises does not hold."""


def _use(pdu: Pdu) -> None:
    """Have everything that a value offers; write it and read it back."""
    user_data = getattr(pdu.tpdu, "user_data", None)
    if isinstance(user_data, UserData):
        text = user_data.text
        if text is not None:
            text.encode()
        concat, _ = user_data.concat, user_data.ports
        try:
            join([user_data])
        except DecodeError:
            if concat is None:
                raise EscapeError("a message of its own does not join") from None
    try:
        octets = encode(pdu.tpdu, smsc=pdu.smsc)
    except EncodeError:
        reserved = isinstance(pdu.tpdu, Submit) and pdu.tpdu.dcs.reserved
        if not pdu.flags and not reserved:
            raise EscapeError("read without tolerance, yet not to be written") from None
        return
    kind = type(pdu.tpdu).__name__
    mo = kind in {"Command", "DeliverReport"}
    again = decode(octets, direction="mo" if mo else "mt" if kind == "SubmitReport" else "auto")
    if again.tpdu != pdu.tpdu:
        raise EscapeError("written and read again it is another message")


def _pdu(choice: int, data: bytes) -> None:
    smsc = not choice & 16
    try:
        pdu = decode(
            data,
            direction=_DIRECTIONS[choice & 3],
            rp=_RP[choice >> 2 & 3],
            smsc=smsc,
            length=data[-1] if choice & 32 and data else None,
        )
    except DecodeError as error:
        if not error.field or not 0 <= error.octet <= len(data):
            raise EscapeError("an error that points outside the input") from None
        return
    if b"".join(field.octets for field in explain(data, pdu, smsc=smsc)) != data:
        raise EscapeError("octets that nothing explains")
    _use(pdu)


def _text(choice: int, data: bytes) -> None:
    line, _, body = data.decode("latin-1").partition("\n")
    charset = _CHARSETS[choice % len(_CHARSETS)]
    try:
        header = parse_header(line)
        body_length(header, charset)
        body_ends(header, body, charset)
        read_text(header, body, charset)
    except DecodeError:
        return


def one_input(data: bytes) -> None:
    """Run one input; whatever it raises is a finding."""
    if not data:
        return
    if data[0] & 0x80:
        _text(data[0] & 0x7F, data[1:])
    elif data[0] & 0x40:
        try:
            decode(data[1:].decode("latin-1"))
        except DecodeError:
            return
    else:
        _pdu(data[0], data[1:])
