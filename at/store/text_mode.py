"""Messages in text mode (TS 27.005 §3)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from at import commands, fields
from at.command import Command, UrcSpec
from at.errors import DecodeError
from at.sms import Alphabet, Deliver, Submit, UserData
from at.sms.text_mode import text
from at.store.mode import STATUS, RawMessage
from at.store.stored import HEADLESS
from at.urcs import message_delivered, report_delivered

if TYPE_CHECKING:
    from at.sms import Pdu

MAX_BODY: Final = 160
_UDHI: Final = 0x40  # TS 23.040 §9.2.3.23

_HEX: Final = re.compile(r"[0-9A-Fa-f]+")  # an odd one has lost a digit, and the codec says so
# A body of unknown length: one line that is no final result code and no news of a message.
_LINE: Final = re.compile(r"(?!OK$|ERROR$|\+CM[ES] ERROR:|\+CMTI:|\+CDSI:).+")
# As hex, or as some modems show it all the same; never news of another kind, or a result.
_BODY: Final = re.compile(r"[0-9A-Fa-f]+|(?!OK$|ERROR$|RING$|RDY$|[+^*%]).+")
# Some modems leave it empty; some show an empty slot by zeros.
_STATUS: Final = '(?:"?(?:[A-Z]+ [A-Z]+)?"?|0)'
_SWALLOWED: Final = re.compile(r'\+CMGL: ?(\d{1,5}),"?(?:REC|STO) (?:UN)?(?:READ|SENT)"?,')
_PLACE: Final = re.compile(r'\+CMG[RL]: ?(?:\d+,)?"?[A-Z ]*"?,?')


def _listed(lines: tuple[str, ...]) -> list[RawMessage]:
    found = []
    for header, body in zip(lines[::2], lines[1::2], strict=False):
        values = fields.split(header)
        index = fields.number(values[0])
        if index is not None and len(values) > 1 and not _empty(values[2:], body):
            found.append(RawMessage(index, STATUS.get(values[1], values[1]), header, body))
        # A length that is too large takes in the entries behind it.
        found += [
            RawMessage(int(swallowed[1]), "", swallowed[0], "")
            for swallowed in _SWALLOWED.finditer(body)
        ]
    return found


def _read(lines: tuple[str, ...]) -> RawMessage | None:
    for header, body in zip(lines[::2], lines[1::2], strict=False):
        values = fields.split(header)
        if _empty(values[1:], body):
            return None
        status = values[0] if values else ""
        return RawMessage(None, STATUS.get(status, status), header, body)
    return None


def _empty(values: list[str], body: str) -> bool:
    """Whether this is how some modems show a slot without a message."""
    return not body and not any(value.strip("0") for value in values)


class TextMode:
    """See Mode. charset: the TE character set in force (TS 27.007 §5.5)."""

    whole = False  # a listing shows neither coding nor header

    def __init__(self, charset: str) -> None:
        self.charset = charset
        self._hex = charset in {"UCS2", "HEX"}
        self._follow = _HEX if self._hex else _LINE

    @property
    def urcs(self) -> tuple[UrcSpec[object], ...]:
        """Messages and reports handed over in text mode; before the codes of PDU mode."""
        return (
            UrcSpec(
                # However little it tells: what is not taken is never acknowledged, and blocks.
                re.compile(r"\+CMT:.*", re.DOTALL),
                message_delivered,
                _BODY if self._hex else _LINE,
                self._length,
                self._ends,
                bodiless=True,
            ),
            UrcSpec(re.compile(r"\+CDS: ?\d+,\d+,.*,.*"), report_delivered),
        )

    def listing(self, *, bounded: bool = True) -> Command[list[RawMessage]]:
        """§3.4.2. Not bounded: the next header or the final result ends the body."""
        told = bounded and not self._hex
        return Command(
            '+CMGL="ALL"',
            _listed,
            commands.LIST_TIMEOUT_S,
            info=re.compile(rf"\+CMGL: ?\d+,{_STATUS},.*", re.DOTALL),
            follow=self._follow,
            length=self._listed_length if told else None,
            ends=self._listed_ends if told else None,
            several=not self._hex,
        )

    def reading(self, index: int, *, bounded: bool = True) -> Command[RawMessage | None]:
        """§3.4.3. Not bounded: the next header or the final result ends the body."""
        return Command(
            f"+CMGR={index}",
            _read,
            commands.READ_TIMEOUT_S,
            info=re.compile(rf"\+CMGR: ?{_STATUS},.*", re.DOTALL),
            follow=self._follow,
            length=self._length if bounded else None,
            ends=self._ends if bounded else None,
            several=not self._hex,
        )

    def content(self, raw: RawMessage) -> str:
        """The lines without the status, which reading changes, and without the index."""
        return f"{_PLACE.sub('', raw.header, count=1)}\n{raw.text}"

    def decode(self, raw: RawMessage) -> Pdu:
        """Header and body to the value that PDU mode would give.

        Raises DecodeError: "udh" also where a header was there and what is shown has none.
        """
        header = text.parse_header(raw.header)
        pdu = text.read_text(header, raw.text, self.charset)
        if not isinstance(pdu.tpdu, Deliver | Submit):
            return pdu
        user_data = pdu.tpdu.user_data
        if (header.first_octet or 0) & _UDHI and not user_data.udh:
            raise DecodeError("udh", 0, detail="there was a header, but it is not shown")
        if header.length and not raw.text:
            raise DecodeError("text", 0, need=header.length, have=0)
        flags = pdu.flags
        if header.length is not None and header.length not in _lengths(user_data):
            flags = (*flags, "length")
        if raw.header.startswith("+CMT") and header.first_octet is None:
            flags = (*flags, HEADLESS)
        return replace(pdu, flags=flags)

    def sending(self, submit: Submit) -> tuple[Command[None], Command[int]]:
        """§3.5.1, with the parameters of §3.3.2 first."""
        message = text.write_text(submit, self.charset)
        return (
            commands.text_parameters(message.parameters),
            commands.submit(f'"{message.destination}",{message.type_of_address}', message.body),
        )

    def _length(self, header: str) -> int | None:
        try:
            return text.body_length(text.parse_header(header), self.charset)
        except DecodeError:
            return None

    def _ends(self, header: str, body: str) -> bool:
        try:
            return text.body_ends(text.parse_header(header), body, self.charset)
        except DecodeError:
            return False

    # A listing does not say whether a body is characters or hex: either may be bounded by it.

    def _listed_length(self, header: str) -> int | None:
        length = _told(header)
        return None if length is None else (length + 1) // 2

    def _listed_ends(self, header: str, body: str) -> bool:
        length = _told(header)
        if length is None:
            return True
        escapes = sum(body.count(character) for character in "^{}\\[~]|\x80")
        if length in {len(body), len(body) + escapes}:
            return True
        octets = len(body) // 2
        packed = (7 * length + 7) // 8  # of a body with a header, septets counted
        return _HEX.fullmatch(body) is not None and octets in {length, 2 * length, packed}


def _lengths(user_data: UserData) -> set[int]:
    """What modules may call the length of this: characters, septets, octets; header included."""
    octets = len(user_data.octets)
    header = sum(2 + len(element.data) for element in user_data.udh) + 1 if user_data.udh else 0
    if user_data.alphabet is Alphabet.GSM7:
        septets = octets + (8 * header + 6) // 7
        return {octets, len(user_data.text or ""), septets, (7 * septets + 7) // 8}
    found = {octets, octets + header}
    if user_data.alphabet is Alphabet.UCS2:
        found |= {octets // 2, octets // 2 + header, len(user_data.text or "")}
    return found


def _told(header: str) -> int | None:
    try:
        length = text.parse_header(header).length
    except DecodeError:
        return None
    return length if length is not None and length <= MAX_BODY else None
