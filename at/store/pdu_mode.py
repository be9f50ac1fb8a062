"""Messages in PDU mode (TS 27.005 §4)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from at import commands, fields, sms
from at.command import Command
from at.store.mode import STATUS, RawMessage

if TYPE_CHECKING:
    from at.sms import Pdu, Submit

PDU_LINE: Final = re.compile("[0-9A-Fa-f]{2,}")


def _listed(lines: tuple[str, ...]) -> list[RawMessage]:
    found = []
    for header, pdu in zip(lines[::2], lines[1::2], strict=False):
        index, *values = fields.split(header)
        number = fields.number(index)
        if number is not None and values and not _empty(values, pdu):
            found.append(RawMessage(number, _status(values), header, pdu))
    return found


def _read(lines: tuple[str, ...]) -> RawMessage | None:
    for header, pdu in zip(lines[::2], lines[1::2], strict=False):
        values = fields.split(header)
        return None if _empty(values, pdu) else RawMessage(None, _status(values), header, pdu)
    return None


def _empty(values: list[str], pdu: str) -> bool:
    """Whether this is how some modems show a slot without a message: no octets, and none told."""
    return not pdu.strip("0") and fields.number(values[-1]) == 0


def _status(values: list[str]) -> str:
    """<stat> of "<stat>,[<alpha>],<length>"; "" where the length stands alone."""
    return STATUS.get(values[0], values[0]) if len(values) > 1 else ""


LIST: Final = Command(  # §4.1
    "+CMGL=4",
    _listed,
    commands.LIST_TIMEOUT_S,
    info=re.compile(r"\+CMGL: ?\d+,.*"),
    follow=PDU_LINE,
)


class PduMode:
    """See Mode. Two readings agree where their hex digits do."""

    whole = True

    def listing(self, *, bounded: bool = True) -> Command[list[RawMessage]]:
        """§4.1; a PDU is one line, so there is nothing to bound."""
        del bounded
        return LIST

    def reading(self, index: int, *, bounded: bool = True) -> Command[RawMessage | None]:
        """§4.2; the PDU is one line, so there is nothing to bound."""
        del bounded
        # Some modems show a status report with its length alone, as +CDS does.
        own = re.compile(r"\+CMGR: ?(?:\d+|\d*,.*)")
        return Command(f"+CMGR={index}", _read, commands.READ_TIMEOUT_S, info=own, follow=PDU_LINE)

    def content(self, raw: RawMessage) -> str:
        """The hex digits, in capitals."""
        return raw.text.upper()

    def decode(self, raw: RawMessage) -> Pdu:
        """Decode, with the length beside the PDU for a witness; without one it is flagged."""
        length = fields.number(fields.split(raw.header)[-1])
        pdu = sms.decode(raw.text, length=length)
        return pdu if length is not None else replace(pdu, flags=(*pdu.flags, "unwitnessed"))

    def sending(self, submit: Submit) -> tuple[None, Command[int]]:
        """§4.3: the number is that of the TPDU's octets, without the service centre's address."""
        pdu = sms.encode(submit)
        return None, commands.submit(str(sms.tpdu_length(pdu)), pdu.hex().upper().encode("ascii"))
