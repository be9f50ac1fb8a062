"""The unsolicited result codes as typed values, with the table that recognises them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from at import fields
from at.command import UrcSpec

HEX_LINE: Final = re.compile("[0-9A-Fa-f]{8,}")


@dataclass(frozen=True, slots=True)
class MessageStored:
    """+CMTI: a message was stored (TS 27.005 §3.4.1). A doorbell: go and look."""

    storage: str
    index: int


@dataclass(frozen=True, slots=True)
class MessageDelivered:
    """+CMT: a message came directly and is stored nowhere (TS 27.005 §3.4.1).

    header: the line itself; text: what came after it. MessageStore.delivered() reads both.
    """

    header: str
    text: str


@dataclass(frozen=True, slots=True)
class ReportStored:
    """+CDSI: a status report was stored (TS 27.005 §3.4.1)."""

    storage: str
    index: int


@dataclass(frozen=True, slots=True)
class ReportDelivered:
    """+CDS: a status report came directly (TS 27.005 §3.4.1). As MessageDelivered."""

    header: str
    text: str


@dataclass(frozen=True, slots=True)
class Registration:
    """+CREG, +CGREG, +CEREG, +C5GREG: registration changed (TS 27.007 §7.2, §10.1.20, §10.1.22).

    domain: "CS", "PS", "EPS" or "5GS"; status: 0-10 as in the standard.
    """

    domain: str
    status: int


@dataclass(frozen=True, slots=True)
class SimState:
    """+CPIN: the SIM's state, told unasked; "READY", "NOT READY", "SIM PIN" ..."""

    state: str


@dataclass(frozen=True, slots=True)
class Restarted:
    """The modem started anew: every setting that is not stored in it is lost."""

    line: str


@dataclass(frozen=True, slots=True)
class ServiceReady:
    """The modem's SMS service came up after its start."""

    line: str


@dataclass(frozen=True, slots=True)
class StorageFull:
    """No further message can be stored; the network keeps what comes."""

    line: str


@dataclass(frozen=True, slots=True)
class Garbled:
    """A line too damaged to read that looks like news of a message: go and look."""

    line: str


_DOMAINS: Final = {"+CREG": "CS", "+CGREG": "PS", "+CEREG": "EPS", "+C5GREG": "5GS"}
# Blanks around a value and leading zeros are allowed everywhere (V.250 §5.4.2.1).
_STORED: Final = r':\s*+"?([A-Z]{2})"?\s*+,\s*+(\d{1,5})\s*+(?:,.*)?'


def _message_stored(match: re.Match[str], _: str) -> MessageStored:
    return MessageStored(match[1], int(match[2]))


def _report_stored(match: re.Match[str], _: str) -> ReportStored:
    return ReportStored(match[1], int(match[2]))


def message_delivered(match: re.Match[str], text: str) -> MessageDelivered:
    """Both modes' +CMT."""
    return MessageDelivered(match.string, text)


def report_delivered(match: re.Match[str], text: str) -> ReportDelivered:
    """Both modes' +CDS."""
    return ReportDelivered(match.string, text)


def _registration(match: re.Match[str], _: str) -> Registration:
    return Registration(_DOMAINS[match[1]], int(match[2]))


def _sim_state(match: re.Match[str], _: str) -> SimState:
    return SimState(match[1].strip())


def _full(match: re.Match[str], _: str) -> StorageFull:
    # ^SMMEMFULL and +CIEV carry a flag or a storage; only "full" is news.
    values = fields.split(match.string)
    if values and values[-1] == "0":
        raise ValueError("full no more")
    return StorageFull(match.string)


# Last in every table: what noise or lost octets made of +CMTI, +CMT, +CDSI and +CDS.
GARBLED: Final = UrcSpec(
    re.compile(r'.*(?:CMTI?|CDSI?|MTI|CMI):? ?.*|.*"(?:SM|ME|MT)",\d+'),
    lambda match, _: Garbled(match.string),
)

URCS: Final[tuple[UrcSpec[Any], ...]] = (
    UrcSpec(re.compile(r"\+CMTI" + _STORED), _message_stored),
    UrcSpec(re.compile(r"\+CDSI" + _STORED), _report_stored),
    # [<alpha>],<length> or <length> alone: the alpha field may be missing with its comma.
    UrcSpec(
        re.compile(r'\+CMT:\s*+(?:"?[^",]*+"?\s*+,\s*+)?\d{1,4}\s*+'), message_delivered, HEX_LINE
    ),
    UrcSpec(re.compile(r"\+CDS:\s*+(?:\d*+\s*+,\s*+)?\d{1,4}\s*+"), report_delivered, HEX_LINE),
    # A read command's answer has <n> before <stat>; the news has <stat> alone or before an area:
    # a string, four hex digits and more without quotes, or nothing.
    UrcSpec(
        re.compile(
            r"(\+C(?:G|E|5G)?REG):\s*+(\d{1,3})\s*+"
            r'(?:,\s*+(?:".*|[0-9A-Fa-f]{4,}+\s*+(?:,.*)?|,.*)?)?'
        ),
        _registration,
    ),
    UrcSpec(re.compile(r"\+CPIN:\s*+(.+)"), _sim_state),
    UrcSpec(
        re.compile(r"RDY|APP RDY|[\^+]?SYSSTART|\^BOOT: ?.*|\*ATREADY: ?1"),
        lambda match, _: Restarted(match.string),
    ),
    UrcSpec(
        re.compile(r'(?i:SMS (?:READY|DONE)|\+QIND: ?"?SMS (?:DONE|READY)"?)|PB DONE'),
        lambda match, _: ServiceReady(match.string),
    ),
    UrcSpec(
        re.compile(
            r'\^SMMEMFULL.*|[+*]SMS ?FULL.*|\+CIEV: ?"SMSFULL",.*|(?i:\+QIND: ?"?sms ?full"?.*)'
        ),
        _full,
    ),
    GARBLED,
)
