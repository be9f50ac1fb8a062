"""What both grammars hand on, keys with scalar texts, and the one way from there to a Request."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass, field

from agent.payload import schedule
from agent.payload.characters import first_hidden, named, visible
from agent.payload.values import Refused, Request

RESERVED = ("cmd", "args", "id", "when", "exp", "reply", "k", "c", "m")
ROUTES = ("mqtt-then-sms", "sms", "mqtt", "both", "origin", "none")
MAX_ARGUMENTS = 64
MAX_VALUE_OCTETS = 1024  # of UTF-8

# Spelled out, never re.IGNORECASE or str.lower alone: U+212A and U+017F fold to k and s.
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_ID = re.compile(r"[A-Za-z0-9._:-]{1,36}")
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Unfit:
    """A value that is no scalar text; reason and what name the refusal it leads to."""

    reason: str
    what: str


Value = str | Unfit
Entry = tuple[str, Value]


@dataclass(slots=True)
class Draft:
    """A payload taken apart, nothing judged yet.

    word: the first word of a line command. entries: the top-level keys as written, `args` left
    out. args: the entries of each `args` (more than one is a mistake yet to be told).
    """

    form: str
    word: str | None = None
    entries: list[Entry] = field(default_factory=list)
    args: list[list[Entry] | Unfit] = field(default_factory=list)


def folded(key: str) -> str | None:
    """Lower-case a name of the set a-z 0-9 _ -; None if it has any other character."""
    return key.lower() if _NAME.fullmatch(key) else None


def scalar(text: str) -> Value:
    """Pass a text on unless it holds half a character, or one inside it that nobody sees."""
    if _SURROGATE.search(text):
        return Unfit("parse", "half a character")
    text = visible(text)
    hidden = first_hidden(text)
    return Unfit("parse", hidden.what) if hidden else text


def legible_id(draft: Draft) -> str | None:
    """Find the payload's own id, None where there is none, several, or an unusable one."""
    found = [value for key, value in draft.entries if folded(key) == "id"]
    if len(found) == 1 and isinstance(found[0], str) and _ID.fullmatch(found[0]):
        return found[0]
    return None


class _EveryCommand:
    def __contains__(self, name: object) -> bool:
        return True


EVERY_COMMAND: Container[str] = _EveryCommand()  # for tools that do not know the agent's commands


def signed_as(draft: Draft) -> Request | None:
    """Give the request that a refused draft may bear a signature over; None where it has none."""
    if not any(folded(key) == "m" for key, _ in draft.entries):
        return None
    try:
        return _assemble(draft, EVERY_COMMAND)
    except Refused:
        return None


def build(draft: Draft, known: Container[str]) -> Request:
    """Judge a draft (docs/payloads.md gives the order) and make the Request of it.

    Raises Refused: what cannot be read in one way only is `parse`, what can be read but may not
    be is `bad-args`, a name that is not in `known` is `unknown-command`.
    """
    request = _assemble(draft, known)
    _check_words(request)
    if request.properties and not request.args:
        raise Refused("parse", "cmd")
    return request


def _assemble(draft: Draft, known: Container[str]) -> Request:
    reserved, arguments = _sorted_out(draft)
    _refuse_unreadable(reserved, arguments)
    if "id" in reserved and legible_id(draft) is None:
        raise Refused("parse", "id")
    cmd = _command(reserved, known)
    if draft.args and (cmd is None or isinstance(draft.args[0], Unfit)):
        raise Refused("bad-args", "args")
    args = _arguments(arguments)
    texts = {name: _fit(name, value) for name, value in reserved.items() if name != "cmd"}
    return Request(cmd=cmd or "set", args=args, properties=cmd is None, form=draft.form, **texts)


def _sorted_out(draft: Draft) -> tuple[dict[str, Value], list[Entry]]:
    """Part the reserved keys from the arguments; nothing may be said twice."""
    if len(draft.args) > 1:
        raise Refused("parse", "args twice")
    reserved: dict[str, Value] = {} if draft.word is None else {"cmd": draft.word}
    arguments: list[Entry] = []
    seen: set[str] = set(reserved)
    for key, value in draft.entries:
        name = folded(key) or key
        if name in seen:
            raise Refused("parse", f"{named(name)} twice")
        seen.add(name)
        if name in RESERVED:
            reserved[name] = value
        else:
            arguments.append((key, value))
    inner: set[str] = set()
    for key, value in _inner(draft):
        name = folded(key) or key
        if name in inner or (name in seen and name not in RESERVED):
            raise Refused("parse", f"{named(name)} twice")
        inner.add(name)
        arguments.append((key, value))
    return reserved, arguments


def _inner(draft: Draft) -> Iterator[Entry]:
    for entries in draft.args:
        if not isinstance(entries, Unfit):
            yield from entries


def _refuse_unreadable(reserved: dict[str, Value], arguments: list[Entry]) -> None:
    for key, value in (*reserved.items(), *arguments):
        if isinstance(value, Unfit) and value.reason == "parse":
            raise Refused("parse", f"{named(key)} {value.what}")
        if _SURROGATE.search(key):
            raise Refused("parse", f"{named(key)} half a character")


def _command(reserved: dict[str, Value], known: Container[str]) -> str | None:
    value = reserved.get("cmd")
    if value is None:
        return None
    if isinstance(value, Unfit):
        raise Refused(value.reason, f"cmd {value.what}")
    name = folded(value)
    if name is None or name not in known:
        raise Refused("unknown-command", named(value))
    return name


def _arguments(arguments: list[Entry]) -> dict[str, str]:
    if len(arguments) > MAX_ARGUMENTS:
        raise Refused("bad-args", f"more than {MAX_ARGUMENTS} arguments")
    args: dict[str, str] = {}
    for key, value in arguments:
        name = folded(key)
        if name is None:
            raise Refused("bad-args", f"{named(key)} is not a name")
        if name in RESERVED:
            raise Refused("bad-args", f"{name} is reserved")
        args[name] = _fit(name, value)
    return args


def _fit(name: str, value: Value) -> str:
    if isinstance(value, Unfit):
        raise Refused(value.reason, f"{name} {value.what}")
    if len(value.encode()) > MAX_VALUE_OCTETS:
        raise Refused("bad-args", f"{name} longer than {MAX_VALUE_OCTETS} bytes")
    return value


def _check_words(request: Request) -> None:
    try:
        schedule.parse_when(request.when)
    except ValueError:
        raise Refused("bad-args", "when") from None
    try:
        if request.exp is not None:
            schedule.parse_exp(request.exp)
    except ValueError:
        raise Refused("bad-args", "exp") from None
    if request.route is not None and request.route not in ROUTES:
        raise Refused("bad-args", "reply")
