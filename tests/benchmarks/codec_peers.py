"""The other codecs that are installed, each brought to one shape; `pip install -e .[bench]`."""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
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
    """decode: a hex PDU -> everything in it, typed. encode: number, text -> hex PDUs; None: cannot.

    time: whether its times are comparable.
    """

    name: str
    decode: Callable[[str], Found]
    encode: Callable[[str, str], list[str]] | None
    time: bool = True


def _ours() -> Codec:
    def read(pdu: str) -> Found:
        tpdu = decode(pdu).tpdu
        if isinstance(tpdu, Deliver):
            return str(tpdu.originator), tpdu.user_data.text, tpdu.timestamp.time
        if isinstance(tpdu, Submit):
            return str(tpdu.destination), tpdu.user_data.text, None
        assert isinstance(tpdu, StatusReport)
        return str(tpdu.recipient), None, tpdu.timestamp.time

    def write(number: str, text: str) -> list[str]:
        to = Address.parse(number)
        return [encode(Submit(to, part)).hex().upper() for part in segment(text)]

    return Codec("at.sms", read, write)


def _gammu() -> Codec:
    gammu: Any = importlib.import_module("gammu")

    def read(pdu: str) -> Found:
        found = gammu.DecodePDU(bytes.fromhex(pdu), True)
        time = found["SMSCDateTime"] if found["Type"] == "Status_Report" else found["DateTime"]
        return found["Number"], found["Text"], time

    def write(number: str, text: str) -> list[str]:
        wide = not text.isascii()
        info = {
            "Class": -1,
            "Unicode": wide,
            "Entries": [{"ID": "ConcatenatedTextLong", "Buffer": text}],
        }
        parts = gammu.EncodeSMS(info)
        for part in parts:
            part["Number"] = number
            part["SMSC"] = {"Number": ""}
        return [gammu.EncodePDU(part, "Submit").hex() for part in parts]

    return Codec("gammu (C, through python-gammu)", read, write, time=False)


def _smspdudecoder() -> Codec:
    fields: Any = importlib.import_module("smspdudecoder.fields")
    elements: Any = importlib.import_module("io")

    def read(pdu: str) -> Found:
        submit = int(pdu[16:18], 16) & 3 == 1
        kind = fields.SMSSubmit if submit else fields.SMSDeliver
        found = kind.decode(elements.StringIO(pdu))
        side = found["destination" if submit else "sender"]
        number = side["number"]
        international = side["toa"]["ton"] == "international"
        text = found["user_data"]["data"]
        return ("+" + number if international else number), text, found.get("scts")

    return Codec("smspdudecoder", read, None)


def _messaging() -> Codec:
    sms: Any = importlib.import_module("messaging.sms")

    def read(pdu: str) -> Found:
        found = sms.SmsDeliver(pdu).data
        return found["number"], found["text"], found["date"]

    def write(number: str, text: str) -> list[str]:
        return [part.pdu for part in sms.SmsSubmit(number, text).to_pdu()]

    return Codec("python-messaging", read, write, time=False)


def _gsmmodem() -> Codec:
    pdus: Any = importlib.import_module("gsmmodem.pdu")

    def read(pdu: str) -> Found:
        found = pdus.decodeSmsPdu(pdu)
        return found["number"], found.get("text"), found.get("time")

    def write(number: str, text: str) -> list[str]:
        return [str(part) for part in pdus.encodeSmsSubmitPdu(number, text, reference=0)]

    return Codec("gsmmodem.pdu", read, write)


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
