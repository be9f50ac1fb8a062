"""What MessageStore needs of a message mode, PDU or text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from at.command import Command
    from at.sms import Pdu, Submit

# TS 27.005 §3.1 <stat>, in both modes' spellings.
STATUS = {
    "0": "rec-unread",
    "1": "rec-read",
    "2": "sto-unsent",
    "3": "sto-sent",
    "REC UNREAD": "rec-unread",
    "REC READ": "rec-read",
    "STO UNSENT": "sto-unsent",
    "STO SENT": "sto-sent",
}


@dataclass(frozen=True, slots=True)
class RawMessage:
    """A message as the modem handed it over.

    index: None where the command named it. status: as in STATUS, "" where none is shown.
    header: the information line; text: what came after it, "" where nothing did.
    """

    index: int | None
    status: str
    header: str
    text: str


class Mode(Protocol):
    """How messages are asked for, read and sent."""

    @property
    def whole(self) -> bool:
        """Whether a listing shows the messages, not only where they are."""

    def listing(self, *, bounded: bool = True) -> Command[list[RawMessage]]:
        """All messages of the selected memory. bounded: believe the lengths that are told."""

    def reading(self, index: int, *, bounded: bool = True) -> Command[RawMessage | None]:
        """One message; None: the slot is empty. bounded: believe the length that is told."""

    def content(self, raw: RawMessage) -> str:
        """What two readings of one message have in common."""

    def decode(self, raw: RawMessage) -> Pdu:
        """The message. Raises DecodeError."""

    def sending(self, submit: Submit) -> tuple[Command[None] | None, Command[int]]:
        """A setting the modem needs first (it stays), and the command. Raises EncodeError."""
