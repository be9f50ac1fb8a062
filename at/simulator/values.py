"""What a command handler of the simulated modem may answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reply:
    """Information lines, then a final result code.

    lines: one block of information text, without line ends. after_s: seconds from the command
    to the whole answer. final: the final result code; "" for none at all (a restart).
    then: runs once the answer is on the line (a restart, a change of the radio).
    """

    lines: tuple[str, ...] = ()
    after_s: float = 0.0
    final: str = "OK"
    then: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class Collect:
    """The command wants a body: prompt, collect to Ctrl-Z, hand it over (TS 27.005 §3.5.1)."""

    finish: Callable[[bytes], Reply]


Outcome = Reply | Collect

OK = Reply()


class Refused(Exception):  # noqa: N818 - the standard's word is a result code, not an error class
    """The command ends with an error result code.

    domain: "CME", "CMS" or "" (plain ERROR); code: the number of TS 27.007 §9.2 or 27.005 §3.2.5;
    after_s: seconds from the command to the answer.
    """

    def __init__(self, domain: str = "", code: int = 0, *, after_s: float = 0.0) -> None:
        super().__init__(f"{domain} {code}")
        self.domain = domain
        self.code = code
        self.after_s = after_s


def cms(code: int) -> Refused:
    """+CMS ERROR: code (TS 27.005 §3.2.5)."""
    return Refused("CMS", code)


def cme(code: int) -> Refused:
    """+CME ERROR: code (TS 27.007 §9.2)."""
    return Refused("CME", code)
