"""What an agent's answer by SMS says: `<id> OK …`, `<id> ER reason …`, `<id> WT …`."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

__all__ = ["Answer", "read"]

# Reasons of refusals that stand in no state of their own (docs/payloads.md).
_STATES: Final[Mapping[str, str]] = {
    "timeout": "timed-out",
    "interrupted": "interrupted",
    "expired": "expired",
    "cancelled": "cancelled",
    "error": "failed",
}
_PAIR: Final = re.compile(r'([^\s="]+)=(?:"((?:[^"]|"")*)("|\Z)|([^\s"]*))(?=\s|\Z)')


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer taken apart.

    state: "succeeded", "failed", "timed-out", "interrupted", "expired", "cancelled", "rejected"
    (refused before it ran), or of a command that is still under way "running" or "scheduled".
    detail: of an error, or when a scheduled one is due. cut: the SMS was too long for all of it.
    duplicate: the outcome was stored, and nothing ran.
    """

    text: str
    state: str
    reason: str = ""
    detail: str = ""
    result: Mapping[str, str] = field(default_factory=dict)
    duplicate: bool = False
    cut: bool = False

    @property
    def is_final(self) -> bool:
        """Whether no other answer follows."""
        return self.state not in ("running", "scheduled")

    def to_json(self) -> dict[str, Any]:
        """Give the object that `operator send --json` prints."""
        return {
            "state": self.state,
            "reason": self.reason or None,
            "detail": self.detail or None,
            "result": dict(self.result),
            "duplicate": self.duplicate,
            "cut": self.cut,
            "text": self.text,
        }


def read(text: str, ids: Collection[str]) -> Answer | None:
    """Read the answer to the command with one of these ids; None for anything else."""
    words = text.strip().split(" ", 2)
    if len(words) < 2 or words[0] not in ids:
        return None
    kind, rest = words[1], words[2] if len(words) > 2 else ""
    duplicate = rest == "dup" or rest.endswith(" dup")
    if duplicate:
        rest = rest.removesuffix("dup").rstrip()
    cut = rest.endswith("+")
    if cut:
        rest = rest[:-1]
    shown = _printable(text.strip())
    if kind == "OK":
        return Answer(shown, "succeeded", result=_pairs(rest), duplicate=duplicate, cut=cut)
    first, _, detail = _printable(rest).partition(" ")
    if kind == "ER" and first:
        state = "failed" if first.startswith("exit-") else _STATES.get(first, "rejected")
        return Answer(shown, state, first, detail, duplicate=duplicate, cut=cut)
    if kind == "WT" and first in ("running", "scheduled"):
        return Answer(shown, first, detail=detail, duplicate=duplicate, cut=cut)
    return None


def _pairs(text: str) -> dict[str, str]:
    found = {}
    for match in _PAIR.finditer(text):
        value = match[4] if match[2] is None else match[2].replace('""', '"')
        found[_printable(match[1])] = _printable(value)
    return found


def _printable(text: str) -> str:
    """A message comes from outside: nothing in it may steer a terminal."""
    return "".join(one if one.isprintable() else "?" for one in text)
