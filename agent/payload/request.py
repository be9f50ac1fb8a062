"""One body of text, from any channel, to a Reading: a request, a refusal, or free text."""

from __future__ import annotations

from collections.abc import Container

from agent.payload import json_form, line_form
from agent.payload.canonical import canonical, from_words, to_json, to_line
from agent.payload.characters import first_hidden, named, no_quote, visible
from agent.payload.draft import EVERY_COMMAND, RESERVED, ROUTES, Draft, build, legible_id, signed_as
from agent.payload.sid import part
from agent.payload.values import Reading, Refusal, Refused, Request

__all__ = [
    "EVERY_COMMAND",
    "MAX_OCTETS",
    "RESERVED",
    "ROUTES",
    "Reading",
    "Refusal",
    "Refused",
    "Request",
    "canonical",
    "from_words",
    "read",
    "text_of",
    "to_json",
    "to_line",
]

MAX_OCTETS = 8192  # of UTF-8, the SID included


def read(body: str, *, known: Container[str], cut_risk: bool = False) -> Reading:
    """Read a body (docs/payloads.md). Never raises, whatever the characters.

    known: the lower-case names of all commands. cut_risk: the body came in a single message that
    was full to its last septet, so that its end may be missing.
    """
    parted = part(visible(body))
    reading = _read(parted.text, known, cut_risk=cut_risk, oversize=_octets(body) > MAX_OCTETS)
    refusal = Refusal("parse", "sid") if parted.broken else reading.refusal
    return Reading(
        sid=parted.sid,
        id=reading.id,
        request=None if refusal else reading.request,
        refusal=refusal,
        signed=reading.signed,
    )


def text_of(data: bytes) -> str | None:
    """Give the text of an 8-bit message, None where it is not UTF-8 (a leading BOM is dropped)."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None


def _octets(body: str) -> int:
    return len(body.encode("utf-8", "surrogatepass"))


def _read(text: str, known: Container[str], *, cut_risk: bool, oversize: bool) -> Reading:
    if text.startswith("{"):
        return _read_json(text, known, oversize=oversize)
    return _read_line(text, known, cut_risk=cut_risk, oversize=oversize)


def _read_json(text: str, known: Container[str], *, oversize: bool) -> Reading:
    if oversize:
        return Reading(refusal=Refusal("parse", "size"))
    try:
        draft = json_form.parse(text)
    except Refused as refused:
        broken = Draft("json", entries=json_form.legible_id(text))
        return Reading(id=legible_id(broken), refusal=refused.refusal)
    return _built(draft, known)


def _read_line(text: str, known: Container[str], *, cut_risk: bool, oversize: bool) -> Reading:
    hidden = first_hidden(text)
    line = line_form.parse(text if hidden is None else hidden.rest)
    is_known = line.knows(known)
    if line.is_free_text and not is_known:
        return Reading()
    refusal: Refusal | None = None
    if oversize:
        refusal = Refusal("parse", "size")
    elif hidden is not None and (line.end is None or hidden.at < line.end):
        refusal = Refused("parse", f"{hidden.what} in {named(hidden.word)}").refusal
    elif line.word is not None and not is_known:
        refusal = Refused("unknown-command", named(line.word)).refusal
    elif cut_risk and line.end is None and not text.endswith(";"):
        refusal = Refusal("parse", "cut")
    elif line.quote is not None:
        refusal = Refusal("parse", no_quote(line.quote))
    elif line.stray is not None:
        refusal = Refused("bad-args", f"{named(line.stray)} is no key=value").refusal
    if refusal is not None:
        signed = signed_as(line.draft) if line.stray is None else None
        return Reading(id=legible_id(line.draft), refusal=refusal, signed=signed)
    return _built(line.draft, known)


def _built(draft: Draft, known: Container[str]) -> Reading:
    try:
        request = build(draft, known)
    except Refused as refused:
        return Reading(id=legible_id(draft), refusal=refused.refusal, signed=signed_as(draft))
    return Reading(id=request.id, request=request, signed=request)
