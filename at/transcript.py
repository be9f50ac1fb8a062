r"""Writes down what was said on the line, without what is private, so that it can be replayed.

One line of the file is one line of the port: `> ` to the modem (its carriage return left out),
`>| ` a message body (its Ctrl-Z left out), `< ` from the modem (its CR LF left out), `<\ ` octets
from the modem as they are, in Python's escapes. `# ` is a remark.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final, Literal

from at import sms
from at.errors import CodecError
from at.sms import Alphabet, Deliver, StatusReport, Submit, UserData

MAX_LINES: Final = 5000
CARD_DIGITS: Final = 17  # of an ICCID, at the least

_NUMBER = re.compile(r"\d{7,}")
_UCS2_DIGITS = re.compile(r"(?:003\d){7,}")
_PDU = re.compile(r"[0-9A-Fa-f]{28,}")
_SECRET = re.compile(r"((?:\+CPIN|\+CLCK|\+CPWD|\^CPIN)=).*")
_TEXT_BODY_FOLLOWS = re.compile(r'\+(?:CMG[RL]|CMT): .*"[^"]*",.*"')


class Transcript:
    """What a Modem's tap hears, as the lines of a transcript file.

    Numbers keep their length and lose their digits; PINs are left out; messages keep their coding
    and length and lose their sender and text.
    """

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._incoming = bytearray()
        self._body_next = False

    def tap(self, outgoing: bool, data: bytes) -> None:
        """Take octets as they pass; give this to Modem.tap."""
        if outgoing:
            self._flush()
            self._sent(data)
            return
        self._incoming += data
        while (end := self._incoming.find(b"\r\n")) >= 0:
            self._heard(self._incoming[:end].decode("latin-1"))
            del self._incoming[: end + 2]

    def render(self, title: str) -> str:
        """The whole file. title: one line of what is shown."""
        self._flush()
        return "\n".join([f"# {title}", *self._lines, ""])

    def _sent(self, data: bytes) -> None:
        text = data.decode("latin-1")
        if text.endswith("\x1a"):
            self._add(f">| {_body(text[:-1])}")
        elif text == "\x1b":
            self._add("# ESC")
        else:
            hidden = _SECRET.sub(r'\1"****"', text.rstrip("\r"))
            self._add(f"> {_private(hidden)}")

    def _heard(self, line: str) -> None:
        if self._body_next and line:
            line = _body(line)
            self._body_next = False
        else:
            self._body_next = _TEXT_BODY_FOLLOWS.match(line) is not None
            line = _private(line)
        printable = line.isascii() and line.isprintable()
        self._add(f"< {line}".rstrip() if printable else f"<\\ {_escaped(line)}\\r\\n")

    def _flush(self) -> None:
        if self._incoming:
            text = self._incoming.decode("latin-1")
            self._add(f"<\\ {_escaped(_private(text))}")
            self._incoming.clear()

    def _add(self, line: str) -> None:
        if len(self._lines) < MAX_LINES:
            self._lines.append(line)


def _escaped(text: str) -> str:
    return text.encode("unicode_escape").decode("ascii")


def _private(line: str) -> str:
    line = _PDU.sub(lambda match: _pdu(match[0]), line)
    line = _UCS2_DIGITS.sub(lambda match: "0030" * (len(match[0]) // 4), line)
    return _NUMBER.sub(lambda match: _nobodys(match[0]), line)


def _nobodys(digits: str) -> str:
    """As many digits that say nothing; the number of a card can still be one (ITU-T E.118).

    89 in front, or 98 where its semi-octets are not swapped; never the same digit all along.
    """
    if len(digits) >= CARD_DIGITS and digits.startswith(("89", "98")):
        return digits[:2] + "01".rjust(len(digits) - 2, "0")
    return "0" * len(digits)


def _body(text: str) -> str:
    if _PDU.fullmatch(text):
        return _pdu(text)
    return re.sub(r"[^\r\n]", "x", text)


def _pdu(digits: str) -> str:
    """The same PDU with other digits and another text; unreadable: its length is kept."""
    directions: tuple[Literal["mt", "mo"], ...] = ("mt", "mo")
    for direction in directions:
        try:
            tpdu = sms.decode(digits, direction=direction).tpdu
            changed = sms.encode(_anonymous(tpdu)).hex().upper()
        except CodecError:
            continue
        if len(changed) <= len(digits):
            return changed
    return "0" * len(digits)


def _anonymous(tpdu: sms.Tpdu) -> sms.Tpdu:
    if isinstance(tpdu, Deliver):
        return replace(
            tpdu, originator=_nobody(tpdu.originator), user_data=_nothing(tpdu.user_data)
        )
    if isinstance(tpdu, Submit):
        return replace(
            tpdu, destination=_nobody(tpdu.destination), user_data=_nothing(tpdu.user_data)
        )
    if isinstance(tpdu, StatusReport):
        return replace(tpdu, recipient=_nobody(tpdu.recipient))
    raise sms.EncodeError("tpdu", "nothing in it is known to be harmless")


def _nobody(address: sms.Address) -> sms.Address:
    return replace(address, digits=re.sub("[0-9A-Za-z]", "0", address.digits))


def _nothing(user_data: UserData) -> UserData:
    unit = b"\0x" if user_data.alphabet is Alphabet.UCS2 else b"x"
    count = len(user_data.octets)
    return replace(user_data, octets=(unit * count)[:count])
