"""Messages for the simulated modem written as people write them."""

from __future__ import annotations

from datetime import datetime

from at.sms import Address, Deliver, Timestamp, encode, segment


def pdus_of(
    sender: str, text: str | bytes, when: datetime, *, reference: int = 0
) -> tuple[str, ...]:
    """Return the hex PDUs of a message from sender, one a part; bytes are sent as 8-bit data.

    when: the service centre's time stamp, aware. reference: of the concatenation, where it
    takes more than one part. Raises EncodeError.
    """
    stamp = Timestamp.of(when.replace(microsecond=0))
    parts = segment(text, reference=reference)
    return tuple(pdu_of(Deliver(Address.parse(sender), stamp, part)) for part in parts)


def pdu_of(message: Deliver | str) -> str:
    """Return the hex PDU, empty SMSC first, of a DELIVER; a string is one already."""
    return message if isinstance(message, str) else encode(message).hex().upper()
