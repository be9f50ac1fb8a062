"""The command SID that a platform puts at the start or the end of a body (IncludeSid)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SID = re.compile(r"[DdHh][Cc][0-9A-Fa-f]{32}")
# Cut by the 160-character limit; below 16 digits it is told from ordinary words no longer.
_CUT = re.compile(r"[DdHh][Cc][0-9A-Fa-f]{16,31}")


@dataclass(frozen=True, slots=True)
class Parted:
    """A body without its SID.

    sid: upper-cased, None where there is none (or two that differ). text: the rest, without
    white space at its ends. broken: the SID was cut, or the two ends disagree.
    """

    sid: str | None
    text: str
    broken: bool = False


def part(body: str) -> Parted:
    """Take one SID off the start or the end (equal ones off both), parted by white space."""
    text = body.strip()
    first = last = None
    words = text.split(None, 1)
    if words and _SID.fullmatch(words[0]):
        first = words[0].upper()
        text = words[1] if len(words) == 2 else ""
    words = text.rsplit(None, 1)
    if words and _CUT.fullmatch(words[-1]):
        return Parted(first, words[0] if len(words) == 2 else "", broken=True)
    if words and _SID.fullmatch(words[-1]):
        last = words[-1].upper()
        text = words[0] if len(words) == 2 else ""
    if first and last and first != last:
        return Parted(None, text, broken=True)
    return Parted(first or last, text)
