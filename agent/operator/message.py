"""The message for a device: its id, its signature, its form, and whether it fits."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from agent.operator.inventory import Device
from agent.payload import request as grammar
from agent.payload.counters import CounterError, next_counter
from agent.payload.fit import Fit, fit
from agent.payload.platforms import ROWS, Platform
from agent.payload.signatures import DEFAULT_KEY_ID, sign_request

__all__ = ["Composed", "NotSentError", "compose"]

_ID_LETTERS: Final = "abcdefghijkmnpqrstuvwxyz23456789"  # nothing that is mistaken when read out
_ID_LENGTH: Final = 8


@dataclass(frozen=True, slots=True)
class Composed:
    """A message ready to be sent, and what it takes.

    septets: None where the GSM-7 alphabet lacks a character.
    own_id: the id was in the command already, so that an older answer may bear it as well.
    """

    id: str
    text: str
    septets: int | None
    segments: int
    own_id: bool


class NotSentError(Exception):
    """The command is not worth sending: the agent would refuse it, or it does not fit.

    message: what does not fit, in 0 segments; None where there is none.
    """

    def __init__(self, text: str, message: Composed | None = None) -> None:
        super().__init__(text)
        self.message = message


def compose(body: str, device: Device, counters: Path) -> Composed:
    """Make the message: the command with an id, signed where the device has a key.

    The form is the one written where the platform carries it, else the other one. Raises
    NotSentError with the figure where neither fits.
    """
    request = _read(body)
    own_id = request.id is not None
    id_ = request.id or "".join(secrets.choice(_ID_LETTERS) for _ in range(_ID_LENGTH))
    request = replace(request, id=id_)
    if device.key is not None:
        request = _signed(request, device, device.key, counters)
    platform = _row(device)
    forms = {"line": grammar.to_line(request), "json": grammar.to_json(request)}
    tried = [(forms[request.form], request.form)]
    tried += [(text, form) for form, text in forms.items() if form != request.form]
    fits = [(text, fit(text, platform)) for text, _ in tried]
    for text, one in fits:
        if one.fits:
            return Composed(id_, text, one.septets, one.segments, own_id)
    text, nearest = min(fits, key=lambda pair: pair[1].septets or 10**6)
    unfit = Composed(id_, text, nearest.septets, 0, own_id)
    raise NotSentError(_told(text, nearest), unfit)


def _read(body: str) -> grammar.Request:
    reading = grammar.read(body, known=grammar.EVERY_COMMAND)
    if reading.refusal is not None:
        told = f"{reading.refusal.reason} {reading.refusal.detail}".rstrip()
        raise NotSentError(f"the agent would refuse it: {told}")
    if reading.request is None:
        raise NotSentError("not a command")
    if reading.request.signed:
        raise NotSentError("k, c and m are what this command adds; leave them out")
    return reading.request


def _signed(
    request: grammar.Request, device: Device, key: bytes, counters: Path
) -> grammar.Request:
    try:
        counter = str(next_counter(counters, device.key_id))
    except CounterError as error:
        raise NotSentError(f"no counter to sign with: {error}") from None
    m = sign_request(request, key, device.device_id, device.key_id, counter)
    k = None if device.key_id == DEFAULT_KEY_ID else device.key_id
    return replace(request, k=k, c=counter, m=m)


def _row(device: Device) -> Platform:
    row = ROWS[device.account.platform]
    adds_sid = device.settings.get("include_sid", "start") != "none"
    return row if adds_sid else replace(row, sid_septets=0)


def _told(text: str, one: Fit) -> str:
    if one.septets is None:
        return f"the message {one.why}, which {one.platform} cannot carry"
    room = one.room
    if one.septets == room and not text.startswith("{"):
        room -= 1  # a line that fills its SMS is refused as cut
    if one.septets <= room or one.why.startswith("has "):
        return f"the message {one.why}"
    over = one.septets - room
    beside = " beside the SID" if one.room < 160 else ""
    count = "1 septet" if over == 1 else f"{over} septets"
    return (
        f"the message is {count} too long for {one.platform}: "
        f"{one.septets} septets, {room} fit{beside}"
    )
