"""The other codecs that are installed, each brought to one shape; `pip install -e .[bench]`."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from typing import Any

from at.sms import (
    Address,
    Deliver,
    StatusReport,
    Submit,
    decode,
    encode,
    segment,
)

Found = tuple[str, str | None, datetime | None]
"""Number, text, time; None for what is not there."""


@dataclass(frozen=True, slots=True)
class Codec:
    """One codec; what is timed is read and write alone.

    read: a hex PDU -> everything in it, in the codec's own types, text included. found: that in the
    common shape. write: number, text -> PDUs in hex; None: it cannot. time: whether its times are
    comparable.
    """

    name: str
    read: Callable[[str], Any]
    found: Callable[[Any], Found]
    write: Callable[[str, str], list[str]] | None
    time: bool = True


def _ours() -> Codec:
    def read(pdu: str) -> tuple[Any, str | None]:
        tpdu: Any = decode(pdu).tpdu
        user_data = tpdu.user_data
        return tpdu, None if user_data is None else user_data.text

    def found(result: tuple[Any, str | None]) -> Found:
        tpdu, text = result
        if isinstance(tpdu, Deliver):
            return str(tpdu.originator), text, tpdu.timestamp.time
        if isinstance(tpdu, Submit):
            return str(tpdu.destination), text, None
        assert isinstance(tpdu, StatusReport)
        return str(tpdu.recipient), text, tpdu.timestamp.time

    def write(number: str, text: str) -> list[str]:
        to = Address.parse(number)
        return [encode(Submit(to, part)).hex().upper() for part in segment(text)]

    return Codec("at.sms", read, found, write)


def _gammu() -> Codec:
    gammu: Any = importlib.import_module("gammu")
    take: Callable[[bytes, bool], Any] = gammu.DecodePDU

    def read(pdu: str) -> Any:
        return take(bytes.fromhex(pdu), True)

    def found(result: Any) -> Found:
        return result["Number"], result["Text"], result["DateTime"]

    def write(number: str, text: str) -> list[str]:
        info = {
            "Class": -1,
            "Unicode": not text.isascii(),
            "Entries": [{"ID": "ConcatenatedTextLong", "Buffer": text}],
        }
        parts = gammu.EncodeSMS(info)
        for part in parts:
            part["Number"] = number
            part["SMSC"] = {"Number": ""}
        return [gammu.EncodePDU(part, "Submit").hex() for part in parts]

    return Codec("gammu (C, through python-gammu)", read, found, write, time=False)


def _smspdudecoder() -> Codec:
    fields: Any = importlib.import_module("smspdudecoder.fields")

    def read(pdu: str) -> Any:
        submit = int(pdu[16:18], 16) & 3 == 1
        kind = fields.SMSSubmit if submit else fields.SMSDeliver
        return kind.decode(StringIO(pdu))

    def found(result: Any) -> Found:
        side = result["sender"] if "sender" in result else result["destination"]
        number = side["number"]
        international = side["toa"]["ton"] == "international"
        text = result["user_data"]["data"]
        return ("+" + number if international else number), text, result.get("scts")

    return Codec("smspdudecoder", read, found, None)


def _messaging() -> Codec:
    sms: Any = importlib.import_module("messaging.sms")

    def read(pdu: str) -> Any:
        return sms.SmsDeliver(pdu).data

    def found(result: Any) -> Found:
        return result["number"], result["text"], result["date"]

    def write(number: str, text: str) -> list[str]:
        return [part.pdu for part in sms.SmsSubmit(number, text).to_pdu()]

    return Codec("python-messaging", read, found, write, time=False)


def _gsmmodem() -> Codec:
    pdus: Any = importlib.import_module("gsmmodem.pdu")
    read: Callable[[str], Any] = pdus.decodeSmsPdu

    def found(result: Any) -> Found:
        return result["number"], result.get("text"), result.get("time")

    def write(number: str, text: str) -> list[str]:
        return [str(part) for part in pdus.encodeSmsSubmitPdu(number, text, reference=0)]

    return Codec("gsmmodem.pdu", read, found, write)


_MAKERS = {
    "at.sms": _ours,
    "python-gammu": _gammu,
    "smspdudecoder": _smspdudecoder,
    "python-messaging": _messaging,
    "python-gsmmodem-new": _gsmmodem,
}


def codecs() -> tuple[list[Codec], list[str]]:
    """Ours and every peer that is installed, then the names of those that are not."""
    found, missing = [], []
    for name, make in _MAKERS.items():
        try:
            found.append(make())
        except ImportError:
            missing.append(name)
    return found, missing
