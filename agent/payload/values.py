"""The values every payload is read into: a request, a refusal, and what one reading found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

DETAIL_LIMIT = 60  # characters of a refusal's detail; it has to fit a reply SMS


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a command does not run: one of the short, stable reasons, with a detail for a person.

    detail: one printable line; where a key is to blame, the key is its first word.
    """

    reason: str
    detail: str = ""


class Refused(Exception):  # noqa: N818 - a refusal is an answer, not a defect
    """Carries a Refusal to the place that answers."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.refusal = Refusal(reason, printable(detail, DETAIL_LIMIT))
        super().__init__(f"{reason} {detail}".rstrip())


@dataclass(frozen=True, slots=True)
class Request:
    """What a payload asks for, the same whichever form it came in.

    cmd: lower-case name; "set" where the payload was properties. args: lower-case names to
    canonical strings, in the order written. id, when, exp, reply, k, c, m: the reserved keys as
    written, None where absent. properties: there was no `cmd`. form: "json" or "line"; it does
    not take part in comparisons.
    """

    cmd: str
    args: Mapping[str, str] = field(default_factory=dict)
    id: str | None = None
    when: str | None = None
    exp: str | None = None
    reply: str | None = None
    k: str | None = None
    c: str | None = None
    m: str | None = None
    properties: bool = False
    form: str = field(default="line", compare=False)

    @property
    def route(self) -> str | None:
        """The route word of `reply` in lower case, None where the payload names none."""
        return None if self.reply is None else self.reply.lower()

    @property
    def signed(self) -> bool:
        """Whether the payload claims a signature (any of k, c, m), valid or not."""
        return not (self.k is None and self.c is None and self.m is None)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one body turned out to be.

    sid: the embedded command SID, upper-cased. id: the payload's own id, also of a refused body
    where it is legible. Exactly one of request and refusal is set, or neither: not-a-command.
    signed: what a signature in the body is over; beside a refusal only where that can be told.
    It does not take part in comparisons.
    """

    sid: str | None = None
    id: str | None = None
    request: Request | None = None
    refusal: Refusal | None = None
    signed: Request | None = field(default=None, compare=False)

    @property
    def is_command(self) -> bool:
        """False for free text: no error, no reply."""
        return self.request is not None or self.refusal is not None


def printable(text: str, limit: int) -> str:
    """Make one printable line of at most `limit` characters; `+` at the end tells of a cut."""
    line = "".join(c if c.isprintable() else "?" for c in text[: limit + 1])
    return line if len(text) <= limit else line[: limit - 1] + "+"
