"""A message in the modem, and what becomes of it when it is deleted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from at.errors import DecodeError
    from at.sms import Pdu


HEADLESS: Final = "headless"  # flag: handed over with no word on coding and user data header
# Fields of the error of a message whose header, or the line that tells of it, text mode hides.
UNSHOWN: Final = frozenset({"udh", "header"})


class Deleted(StrEnum):
    """What became of a deletion."""

    DONE = "done"
    EMPTY = "empty"  # there was nothing any more
    CHANGED = "changed"  # another message is there now: left alone


@dataclass(frozen=True, slots=True)
class Stored:
    """A message in the modem.

    status: "rec-unread", "rec-read", "sto-unsent", "sto-sent", "" where it is not shown. raw: the
    hex PDU; in text mode the header line without index and status, and the body after a line feed.
    pdu: None where error tells why. flags: tolerances used in decoding, as in Pdu; "unwitnessed":
    no length was told beside the PDU. proven: read without any tolerance, or twice alike; what is
    not proven must not be acted on. generation: the modem's when it was read.
    direct: handed over unasked and stored nowhere (storage "", index 0): deleting acknowledges it.
    """

    storage: str
    index: int
    status: str
    raw: str
    pdu: Pdu | None
    error: DecodeError | None
    flags: tuple[str, ...]
    proven: bool
    generation: int
    direct: bool = False
