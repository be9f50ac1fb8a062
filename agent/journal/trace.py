"""The checks that a message went through: kept with it, and told as they were made."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["DECIDED", "NOT_ASKED", "ORDER", "PASSED", "WAIVED", "Step", "decode", "encode", "told"]

# In the contract's order, each with its letter in the journal.
_LETTERS: Final = {
    "sender": "s",
    "payload": "p",
    "signature": "g",
    "duplicate": "d",
    "counter": "c",
    "journal": "j",
    "clock": "t",
    "permission": "a",
    # Before them all, where the message cannot be read or its channel may not bring it.
    "channel": "h",
}
_NAMES: Final = {letter: name for name, letter in _LETTERS.items()}
ORDER: Final = tuple(_LETTERS)[:-1]

PASSED: Final = "+"
NOT_ASKED: Final = "-"  # there was nothing to check
WAIVED: Final = "o"  # not met, and not needed here
DECIDED: Final = "!"  # the verdict is this check's

_STEP: Final = re.compile(r"([a-z])([-+o!])(?:\(([^()]*)\))?")

_TEXTS: Final = {
    ("sender", PASSED): "{sender} is {platform}",
    ("sender", NOT_ASKED): "every {channel} user who gets this far",
    ("payload", PASSED): "command {command}",
    ("signature", PASSED): "valid, key {detail}",
    ("signature", WAIVED): "missing, and not needed to read",
    ("signature", NOT_ASKED): "not asked for",
    ("duplicate", PASSED): "id {id} is new",
    ("counter", PASSED): "fresh",
    ("counter", NOT_ASKED): "none",
    ("journal", PASSED): "complete",
    ("journal", WAIVED): "begun anew, and the message is newer or harmless",
    ("clock", PASSED): "in time",
    ("clock", NOT_ASKED): "no time in it needs one",
    ("permission", PASSED): "open to {channel}",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One check and how it came out.

    detail: what cannot be derived from the message's other columns: the signing key's id.
    """

    check: str
    result: str
    detail: str = ""


def encode(steps: Iterable[Step]) -> str:
    """Write a trace for the journal: two characters a check, a detail in brackets."""
    return "".join(
        f"{_LETTERS[step.check]}{step.result}{f'({step.detail})' if step.detail else ''}"
        for step in steps
    )


def decode(text: str) -> tuple[Step, ...]:
    """Read a trace from the journal."""
    return tuple(
        Step(_NAMES[letter], result, detail or "")
        for letter, result, detail in _STEP.findall(text)
        if letter in _NAMES
    )


def told(steps: Iterable[Step], about: dict[str, Any]) -> list[dict[str, str]]:
    """Say a trace for a person: {"check", "result", "text"} each, in the checks' order.

    about: the message's `verdict reason detail sender channel platform command id`. result:
    "passed", "decided", or "skipped" for what was not reached.
    """
    made = {step.check: step for step in steps}
    about = {**about, "command": about["command"] or "(forgotten)"}
    words = " ".join(about[name] for name in ("verdict", "reason", "detail") if about[name])
    lines = []
    for check in ("channel", *ORDER) if "channel" in made else ORDER:
        step = made.get(check)
        if step is None:
            result, text = "skipped", ""
        elif step.result == DECIDED:
            result, text = "decided", words
        else:
            result = "passed"
            text = _TEXTS[check, step.result].format_map({**about, "detail": step.detail})
        lines.append({"check": check, "result": result, "text": text})
    return lines
