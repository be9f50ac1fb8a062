"""The SMS codec: TS 23.040 and 23.038 as values; no input or output, no clock."""

from __future__ import annotations

from at.errors import DecodeError, EncodeError
from at.sms.address import Address
from at.sms.alphabets import gsm7
from at.sms.alphabets.transliterate import transliterate
from at.sms.cost import Cost, cost
from at.sms.dcs import Alphabet, Dcs
from at.sms.join import join
from at.sms.number import is_meant_as_number, read_number
from at.sms.pdu import Pdu, decode, encode, tpdu_length
from at.sms.scts import Timestamp
from at.sms.segment import segment
from at.sms.tpdu import Command, Deliver, DeliverReport, StatusReport, Submit, SubmitReport, Tpdu
from at.sms.udh import Concat, Element, Ports
from at.sms.userdata import UserData
from at.sms.validity import Enhanced, Relative, Validity

__all__ = [
    "Address",
    "Alphabet",
    "Command",
    "Concat",
    "Cost",
    "Dcs",
    "DecodeError",
    "Deliver",
    "DeliverReport",
    "Element",
    "EncodeError",
    "Enhanced",
    "Pdu",
    "Ports",
    "Relative",
    "StatusReport",
    "Submit",
    "SubmitReport",
    "Timestamp",
    "Tpdu",
    "UserData",
    "Validity",
    "cost",
    "decode",
    "encode",
    "gsm7",
    "is_meant_as_number",
    "join",
    "read_number",
    "segment",
    "tpdu_length",
    "transliterate",
]
