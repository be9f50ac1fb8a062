"""The SMS platforms, one row each: who sends, who is answered, what fits into a message."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from types import MappingProxyType
from typing import Protocol

from at.errors import EncodeError
from at.sms import Address, is_meant_as_number, read_number

OPEN = "open"
CLOSED = "closed"

_NUMBER = re.compile(r"\+?[0-9*#abc]+")


class Sender(Protocol):
    """What is asked of an originating address (at.sms.Address has it)."""

    @property
    def digits(self) -> str:
        """The digits without a "+", or the text of an alphanumeric address."""
        ...

    @property
    def kind(self) -> str:
        """The type of number; "alphanumeric" is a text."""
        ...


@dataclass(frozen=True, slots=True)
class Platform:
    """One way for messages to reach the SIM.

    senders: addresses it sends from, empty where only the configuration knows them. reply_to: the
    address that answers go to; None: the sender of the message, which is one of `senders`.
    trust: "closed" (nobody else reaches the SIM from these senders) or "open". charset: "gsm7",
    or "gsm7-basic" without the extension table. max_segments: of a reply. long_messages: whether
    its messages may have several parts. binary: whether its messages may be 8-bit. sid_septets:
    what a command SID in the body costs, its space included; 0: it puts none there.
    reply_digits: the longest number an answer can go to, None: any.
    """

    name: str
    senders: tuple[str, ...] = ()
    reply_to: str | None = None
    trust: str = OPEN
    charset: str = "gsm7"
    max_segments: int = 1
    long_messages: bool = False
    binary: bool = False
    sid_septets: int = 0
    reply_digits: int | None = None


SID_SEPTETS = 35  # DC or HC, 32 digits and a space

ROWS: Mapping[str, Platform] = MappingProxyType(
    {
        row.name: row
        for row in (
            Platform(
                "programmable-wireless",
                senders=("2936",),
                reply_to="2936",
                trust=CLOSED,
                binary=True,
                sid_septets=SID_SEPTETS,
            ),
            Platform(
                "super-sim",
                senders=("000",),  # three digits, never a number: sent as "unknown"
                reply_to="000",
                trust=CLOSED,
            ),
            Platform(
                "connectivitypro",
                senders=(
                    "53340999",  # KATTCC
                    "720096",  # KORE Canada GSM 2
                    "567300908",  # ESIM BLUE
                    "567300909",  # ESIM GREEN
                    "567300910",  # ESIM RED
                    "567300905",  # OmniSIM
                    "567300025",  # T-USA
                    "567300026",  # T-USA H
                    "567300027",  # T-USA W
                    "20020499",  # USA GSM (Gold)
                ),
                charset="gsm7-basic",
                long_messages=True,
            ),
            Platform("m2m-portal", binary=True),  # 8-bit on KPN-C SIMs only
            Platform("emnify", long_messages=True, binary=True, reply_digits=7),
            # An ordinary SIM, and people's own phones.
            Platform("phone", long_messages=True, max_segments=3),
        )
    }
)


def spell(sender: Sender) -> str:
    """Write an address so that match() reads the text as the address it was.

    Numbers as they are shown, a "+" before international ones; an alphanumeric sender that could
    be taken for a number stands in double quotes.
    """
    if sender.kind == "alphanumeric":
        return f'"{sender.digits}"' if _is_like_number(sender.digits) else sender.digits
    return "+" + sender.digits if sender.kind == "international" else sender.digits


def _is_like_number(name: str) -> bool:
    try:
        return bool(_NUMBER.fullmatch(name) or read_number(name))
    except EncodeError:
        return False


def read_sender(text: str) -> str:
    """Write a sender as spell() does, from what a person wrote: a number, or a name.

    A name that could be taken for a number stands in double quotes. Raises EncodeError("address")
    for what was meant as a number and is none.
    """
    if len(text) > 1 and text[0] == text[-1] == '"':
        return spell(Address(text[1:-1], "alphanumeric"))
    try:
        return read_number(text)
    except EncodeError:
        if is_meant_as_number(text):
            raise
        return spell(Address(text, "alphanumeric"))


def is_number(sender: str) -> bool:
    """Whether a sender as spell() writes it is a number."""
    return _NUMBER.fullmatch(sender) is not None


def identity(sender: str) -> str:
    """Give what two spellings of one sender have in common: a number without its leading "+"."""
    return sender.removeprefix("+") if _NUMBER.fullmatch(sender) else sender


def match(sender: Sender | str, platforms: Iterable[Platform]) -> Platform | None:
    """Find the platform a message came by, None for a stranger.

    Numbers match by their digits, the type of number ignored; alphanumeric senders match whole,
    by case, and never a number. A text is read as spell() writes it.
    """
    wanted = identity(sender if isinstance(sender, str) else spell(sender))
    for platform in platforms:
        if any(identity(own) == wanted for own in platform.senders):
            return platform
    return None


def address_for(platform: Platform, sender: Sender | str) -> str | None:
    """Give the address a reply to a message of `sender` goes to, None where there can be none.

    Without a fixed address it is the row's own spelling of the sender, not the message's: a short
    code shown with a "+" would leave as an international number. A name cannot be answered, and
    neither can a number longer than the platform takes.
    """
    if platform.reply_to is not None:
        return platform.reply_to
    wanted = identity(sender if isinstance(sender, str) else spell(sender))
    for own in platform.senders:
        if identity(own) == wanted and _NUMBER.fullmatch(own):
            longest = platform.reply_digits
            return own if longest is None or len(wanted) <= longest else None
    return None


def clashes(platforms: Sequence[Platform]) -> tuple[tuple[str, str, str], ...]:
    """Name every sender that two platforms claim: (sender, first row, second row)."""
    return tuple(
        (sender, first.name, second.name)
        for first, second in combinations(platforms, 2)
        for sender in first.senders
        if identity(sender) in {identity(other) for other in second.senders}
    )


def with_effective_trust(
    platforms: Sequence[Platform], explicit: Collection[str] = ()
) -> tuple[Platform, ...]:
    """Let one open platform open all: a SIM with a public number can be sent a forged `000`.

    explicit: names of the rows whose trust the configuration sets; those keep theirs.
    """
    if all(platform.trust == CLOSED for platform in platforms):
        return tuple(platforms)
    return tuple(
        platform if platform.name in explicit else replace(platform, trust=OPEN)
        for platform in platforms
    )
