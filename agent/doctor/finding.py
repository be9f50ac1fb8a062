"""What a check came to, as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

__all__ = ["Finding", "Means", "Result", "Verdict", "error", "good", "note", "skipped", "warning"]

# What an error of a check means for the whole: decides about the exit status.
Means = Literal["failed", "no-modem", "configuration"]


class Verdict(StrEnum):
    """How a check ended, from harmless to bad; SKIPPED: it could not be made."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Result:
    """What one check has seen.

    seen: a phrase; remedy: what to do, "" where nothing need be done. stops: what depends on this
    check cannot be looked at, although this is no error.
    """

    verdict: Verdict
    seen: str
    remedy: str = ""
    stops: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """A result with the check it belongs to."""

    layer: str
    check: str
    verdict: Verdict
    seen: str
    remedy: str
    means: Means


def good(seen: str) -> Result:
    """As it should be."""
    return Result(Verdict.OK, seen)


def note(seen: str, remedy: str = "", *, stops: bool = False) -> Result:
    """Worth knowing; nothing is wrong."""
    return Result(Verdict.NOTE, seen, remedy, stops)


def warning(seen: str, remedy: str, *, stops: bool = False) -> Result:
    """It works now, and may not tomorrow."""
    return Result(Verdict.WARNING, seen, remedy, stops)


def error(seen: str, remedy: str) -> Result:
    """It does not work."""
    return Result(Verdict.ERROR, seen, remedy)


def skipped(seen: str) -> Result:
    """It was not looked at; seen says why."""
    return Result(Verdict.SKIPPED, seen)
