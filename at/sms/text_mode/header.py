"""The header lines of text mode: +CMGR, +CMGL, +CMT, +CDS (TS 27.005 §3.4, §4.1, §4.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from at.errors import DecodeError

Kind = Literal["deliver", "submit", "status-report", "command", "broadcast"]

_LINE = re.compile(r"\+(CMGR|CMGL|CMT|CDS): ?(.*)", re.DOTALL)
_FIELD = re.compile(r'\s*+(?:"([^"]*)"|([^",]*+))\s*+(,|\Z)')
_BARE_TIME = re.compile(r"(?<=,)(\d\d/\d\d/\d\d,\d\d:\d\d:\d\d(?:[+-]\d\d)?)(?=,|\Z)")
_TIME = re.compile(r"\d{2,4}/\d\d?/\d\d?,\d\d?:\d\d?:\d\d?.*")
_NUMBER = re.compile(r"[0-9]{1,10}")


@dataclass(frozen=True, slots=True)
class Header:
    """What a header line says; None for all that it leaves out.

    kind: told by the shape of the line. index: +CMGL's. status: "REC UNREAD" and the like, as
    shown. address, name, smsc: as shown, in the TE character set. timestamp, discharged: as shown,
    "yy/MM/dd,hh:mm:ss±zz". type_of_address, smsc_type: the octet (129, 145, 208 ...). first_octet:
    <fo>; length: <length>, in characters of the body. validity: <vp> as shown.
    """

    kind: Kind
    index: int | None = None
    status: str | None = None
    address: str | None = None
    name: str | None = None
    timestamp: str | None = None
    type_of_address: int | None = None
    first_octet: int | None = None
    pid: int | None = None
    dcs: int | None = None
    smsc: str | None = None
    smsc_type: int | None = None
    length: int | None = None
    validity: str | None = None
    reference: int | None = None
    discharged: str | None = None
    report_status: int | None = None
    command_type: int | None = None
    message_number: int | None = None


@dataclass(frozen=True, slots=True)
class _Field:
    text: str
    quoted: bool

    @property
    def number(self) -> int | None:
        text = self.text.strip()
        return int(text) if _NUMBER.fullmatch(text) else None


_ABSENT = _Field("", quoted=False)


class _Fields:
    """Fields in order; those beyond the end are absent."""

    def __init__(self, fields: list[_Field]) -> None:
        self._fields = fields

    def __len__(self) -> int:
        return len(self._fields)

    def at(self, place: int) -> _Field:
        return self._fields[place] if place < len(self._fields) else _ABSENT

    def text(self, place: int) -> str | None:
        field = self.at(place)
        return field.text if field.text or field.quoted else None

    def number(self, place: int) -> int | None:
        return self.at(place).number

    def octet(self, place: int) -> int | None:
        number = self.at(place).number
        return number if number is not None and number <= 0xFF else None

    def is_time(self, place: int) -> bool:
        return _TIME.fullmatch(self.at(place).text) is not None

    def times(self, place: int) -> list[int]:
        """The places of all time stamps from `place` on."""
        return [i for i in range(place, len(self)) if self.is_time(i)]


def _split(text: str) -> _Fields:
    """Comma-separated fields; commas inside quotes, and inside a bare time stamp, do not count."""
    text = _BARE_TIME.sub(r'"\1"', text)
    fields: list[_Field] = []
    place = 0
    while True:
        match = _FIELD.match(text, place)
        if match is None:
            raise DecodeError("header", place, detail="quotes that do not pair")
        quoted = match[1] is not None
        fields.append(_Field(match[1] if quoted else match[2].strip(), quoted))
        place = match.end()
        if not match[3]:
            return _Fields(fields)


def parse_header(line: str) -> Header:
    """Read one header line, "+CMGR: ..." up to its line end.

    line: one character a byte (Latin-1). All shapes of TS 27.005 with and without the parameters
    that +CSDH=1 adds, with missing fields and unquoted time stamps. Raises DecodeError("header");
    octet is then the place after the ": ".
    """
    match = _LINE.fullmatch(line.strip("\r\n"))
    if match is None:
        raise DecodeError("header", 0, detail="no text mode header")
    fields = _split(match[2])
    if match[1] == "CMT":
        return _deliver(fields, 0)
    if match[1] == "CDS":
        return _report(fields, 0)
    if match[1] == "CMGR":
        return _stored(fields, 0, None, listed=False)
    index = fields.number(0)
    if index is None:
        raise DecodeError("header", 0, detail="no index")
    return _stored(fields, 1, index, listed=True)


def _stored(fields: _Fields, place: int, index: int | None, *, listed: bool) -> Header:
    """<stat>, which may be empty, and what follows, told apart by its shape.

    <fo> and <sn> are bare numbers.
    """
    status = fields.text(place)
    place += 1
    if status is None and len(fields) <= place:
        raise DecodeError("header", 0, detail="no status, and nothing behind it")
    times = fields.times(place)
    bare = not fields.at(place).quoted and fields.number(place) is not None
    if bare and len(times) > 1:
        return _report(fields, place, index, status)
    if bare and not times and not fields.at(place + 1).quoted:
        if len(fields) - place == (4 if listed else 5):
            dcs = None if listed else fields.octet(place + 2)
            return Header("broadcast", index, status, dcs=dcs)
        return _command(fields, place, index, status)
    if status and status.startswith("STO") and not (times and times[0] <= place + 2):
        return _submit(fields, place, index, status, listed=listed)
    return _deliver(fields, place, index, status, listed=listed)


def _deliver(
    fields: _Fields,
    place: int,
    index: int | None = None,
    status: str | None = None,
    *,
    listed: bool = False,
) -> Header:
    """<oa>,[<alpha>],<scts>[,...]; some modules leave out the name with its comma."""
    named = not fields.is_time(place + 1)
    name = fields.text(place + 1) if named else None
    stamp = place + 2 if named else place + 1
    header = Header(
        "deliver", index, status, fields.text(place), name or None, fields.text(stamp) or None
    )
    return _tail(header, fields, stamp + 1, listed=listed)


def _submit(
    fields: _Fields, place: int, index: int | None, status: str | None, *, listed: bool
) -> Header:
    """<da>,[<alpha>][,...]; +CMGL, and some modules' +CMGR, leave room for a time stamp."""
    header = Header("submit", index, status, fields.text(place), fields.text(place + 1) or None)
    empty = not fields.at(place + 2).text
    return _tail(header, fields, place + 3 if empty else place + 2, listed=listed)


def _tail(header: Header, fields: _Fields, place: int, *, listed: bool) -> Header:
    """What +CSDH=1 adds: <tooa>,<length> in a list, else all of it; <vp> for an SMS-SUBMIT."""
    if listed:
        return replace(header, type_of_address=fields.octet(place), length=fields.number(place + 1))
    submitted = header.kind == "submit"
    centre = place + 5 if submitted else place + 4
    return replace(
        header,
        type_of_address=fields.octet(place),
        first_octet=fields.octet(place + 1),
        pid=fields.octet(place + 2),
        dcs=fields.octet(place + 3),
        validity=fields.text(place + 4) or None if submitted else None,
        smsc=fields.text(centre) or None,
        smsc_type=fields.octet(centre + 1),
        length=fields.number(centre + 2),
    )


def _report(
    fields: _Fields, place: int, index: int | None = None, status: str | None = None
) -> Header:
    """<fo>,<mr>,[<ra>],[<tora>],<scts>,<dt>,<st>; some modules leave out the recipient."""
    times = fields.times(place)
    stamp = times[0] if times else place + 4
    recipient = stamp - place == 4
    return Header(
        "status-report",
        index,
        status,
        fields.text(place + 2) or None if recipient else None,
        timestamp=fields.text(stamp) or None,
        type_of_address=fields.octet(place + 3) if recipient else None,
        first_octet=fields.octet(place),
        reference=fields.octet(place + 1),
        discharged=fields.text(stamp + 1) or None,
        report_status=fields.octet(stamp + 2),
    )


def _command(fields: _Fields, place: int, index: int | None, status: str | None) -> Header:
    """<fo>,<ct>[,<pid>,[<mn>],[<da>],[<toda>],<length>]."""
    return Header(
        "command",
        index,
        status,
        fields.text(place + 4) or None,
        type_of_address=fields.octet(place + 5),
        first_octet=fields.octet(place),
        pid=fields.octet(place + 2),
        length=fields.number(place + 6),
        command_type=fields.octet(place + 1),
        message_number=fields.octet(place + 3),
    )
