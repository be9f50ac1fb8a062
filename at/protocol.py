"""AtProtocol: the bytes of an AT port become events; no clock, no port, no vendor inside."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from at.command import Command, UrcSpec

MAX_LINE: Final = 8192  # octets; the longest real line is a +COPS=? or +CLAC list of some 2 KB
MAX_TEXT: Final = 2048  # octets; 160 characters as UCS2 hex are 640
SLACK: Final = 16  # octets that a text may have beyond twice its least length
MAX_REPLY: Final = 1 << 20  # characters of one answer; 1000 stored PDUs are 350 KB
MAX_FINAL: Final = 64  # characters that a final result code has at most
MAX_LATE: Final = 2  # timed-out commands whose late answers are still known by sight

ESC: Final = b"\x1b"
CTRL_Z: Final = b"\x1a"

_GRAPHIC = re.compile(rb"[\x21-\x7e]")
_END = re.compile(rb"[\r\n]")
_NOISE = "".join(map(chr, range(0x21))) + "".join(map(chr, range(0x7F, 0x100)))
_ANY = re.compile(".+")
# A further line of a text of several; what names itself is news of a kind that is not known.
_CONTINUES = re.compile(r"(?![+^*#%&!$][A-Z0-9_ ]+:|RING$|NO CARRIER$).+")
_LF: Final = 0x0A
_CR: Final = 0x0D
_PROMPT: Final = 0x3E

# TS 27.007 §9.2, TS 27.005 §3.2.5, V.250 §5.7.1; the last two are Huawei's and ZTE's own words.
_FAILURE = re.compile(
    r"ERROR|\+CM[ES] ERROR: ?.*|ABORTED|COMMAND NOT SUPPORT(?:ED)?|TOO MANY PARAMETERS"
)
# Results of a call only (V.250 §6.3): for any other command they are news about some call.
_CALL = re.compile(r"NO CARRIER|BUSY|NO ANSWER|NO DIAL ?TONE|CONNECT(?: .*)?")
_CALL_COMMAND = re.compile(r"[DAO]|\+C?GDATA|H", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Prompt:
    """The modem waits for the body of the command in flight."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The command in flight is over.

    lines: its information lines, each with its following line where the command has such.
    final: the final result code as received; whole: False when lines were lost to the bound;
    echoed: the modem repeated the command before it answered.
    """

    lines: tuple[str, ...]
    final: str
    whole: bool = True
    echoed: bool = False


@dataclass(frozen=True, slots=True)
class Unsolicited:
    """An unsolicited result code; urc is what the table's `parse` made of it."""

    urc: object


@dataclass(frozen=True, slots=True)
class Stray:
    """A line that is nobody's: noise, an unknown code, a late answer.

    final: it is a final result code, so an answer may be out of step with its command.
    """

    line: str
    final: bool = False


Event = Prompt | Reply | Unsolicited | Stray


@dataclass(slots=True)
class _Header:
    """A line whose following line or text is awaited; match is None for the command's own."""

    line: str
    spec: UrcSpec[Any] | None
    match: re.Match[str] | None
    follow: re.Pattern[str] | None
    octets: int | None
    ends: Callable[[str, str], bool] | None
    scanned: int = 0  # octets of the text in which no end was found
    begun: bool = False  # the line feed of the header itself has been passed
    lines: list[str] = field(default_factory=list)  # of a text of several
    age: int = 0  # commands started since


@dataclass(slots=True)
class _InFlight:
    """The command being answered."""

    command: Command[Any]
    prompted: bool
    call: bool
    echo: str
    echoed: bool = False
    body_echo: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    size: int = 0
    whole: bool = True


class AtProtocol:
    """One AT port as a value machine: start() a command, feed() bytes, get events.

    Any split of the same bytes gives the same events; no bytes make it raise.
    """

    def __init__(self, urcs: Sequence[UrcSpec[Any]] = ()) -> None:
        self.urcs = tuple(urcs)
        self._buffer = bytearray()
        self._scanned = 0
        self._skipping = False
        self._headers: list[_Header] = []
        self._flight: _InFlight | None = None
        self._late: list[Command[Any]] = []
        self._late_seen = False

    @property
    def busy(self) -> bool:
        """Whether a command is in flight."""
        return self._flight is not None

    @property
    def awaiting_prompt(self) -> bool:
        """Whether the command in flight still waits for the modem's prompt."""
        return self._flight is not None and not self._flight.prompted

    @property
    def taken(self) -> int:
        """Characters of the answer in flight that have come; 0 without a command."""
        return 0 if self._flight is None else self._flight.size

    @property
    def lines(self) -> tuple[str, ...]:
        """The information lines of the answer in flight that have come."""
        return () if self._flight is None else tuple(self._flight.lines)

    @property
    def overdue(self) -> bool:
        """Whether a text that is awaited by its length looks as if it were over already."""
        if not self._headers or self._headers[-1].octets is None or self._skipping:
            return False
        lines = bytes(self._buffer).rstrip(b"\r\n")
        if not lines or len(lines) == len(self._buffer):
            return False
        last = _END.split(lines)[-1].decode("latin-1")
        return self._headers[-1].spec is not None or _is_final(last)

    @property
    def unfollowed(self) -> bool:
        """Whether the line that may follow a header is awaited, and nothing of it has come."""
        header = self._headers[-1] if self._headers else None
        bodiless = header is not None and header.spec is not None and header.spec.bodiless
        return bodiless and header is not None and header.octets is None and not self._buffer

    def lapse(self) -> list[Event]:
        """Give up a length that lies (lines alone bound the text), or a line that does not come."""
        events: list[Event] = []
        if self.unfollowed:
            self._complete(self._headers.pop(), "", events)
            return events
        if not self._headers or self._headers[-1].octets is None:
            return events
        header = self._headers[-1]
        header.octets = None
        header.follow = header.follow or _ANY
        return self.feed(b"")

    def start(self, command: Command[Any]) -> bytes:
        """Put a command in flight; returns the octets to write.

        Raises ValueError for a line that would not stay one line, RuntimeError when busy.
        """
        if self._flight is not None:
            raise RuntimeError("one command at a time")
        if not command.line.isascii() or not (command.line.isprintable() or not command.line):
            raise ValueError("an AT command is one line of printable ASCII")
        line = f"AT{command.line}"
        self._flight = _InFlight(
            command=command,
            prompted=command.body is None,
            call=_CALL_COMMAND.match(command.line) is not None,
            echo=line.rstrip(),
        )
        for header in self._headers:
            header.age += 1
        self._headers = [header for header in self._headers if header.age < 2]
        return line.encode("ascii") + b"\r"

    def abandon(self) -> list[Event]:
        """Give the command in flight up; should its answer come after all, it is a Stray.

        Returns the events in a text that was awaited and never reached its length.
        """
        if self._flight is None:
            return []
        if self._flight.command.info is not None:
            self._late = [*self._late, self._flight.command][-MAX_LATE:]
        self._end_flight()
        return self.feed(b"")

    def feed(self, data: bytes) -> list[Event]:
        """Take octets as they came; returns the events they complete, in order."""
        events: list[Event] = []
        self._buffer += data
        while self._step(events):
            pass
        return events

    # -- octets to lines -----------------------------------------------------------------------

    def _step(self, events: list[Event]) -> bool:
        """Consume one thing from the buffer; False when it needs more octets."""
        if self._headers and self._headers[-1].octets is not None and not self._skipping:
            return self._text(self._headers[-1], self._headers[-1].octets, events)
        if self._scanned == 0 and not self._skipping:
            start = _GRAPHIC.search(self._buffer)
            if start is None:
                self._buffer.clear()
                return False
            del self._buffer[: start.start()]
            if self.awaiting_prompt and self._buffer[0] == _PROMPT:
                return self._prompt(events)
        end = _END.search(self._buffer, self._scanned)
        stop = len(self._buffer) if end is None else end.start()
        if stop > MAX_LINE and not self._skipping:
            events.append(Stray(self._buffer[:MAX_LINE].decode("latin-1")))
            self._skipping = True
        if end is None:
            if self._skipping:
                self._buffer.clear()
            self._scanned = len(self._buffer)
            return False
        line = self._buffer[:stop].decode("latin-1")
        del self._buffer[: stop + 1]
        self._scanned = 0
        if self._skipping:
            self._skipping = False
        else:
            self._line(line.rstrip(_NOISE), events)
        return True

    def _prompt(self, events: list[Event]) -> bool:
        flight = self._flight
        del self._buffer[0]
        if flight is not None:
            flight.prompted = True
            if flight.echoed and flight.command.body is not None:
                text = flight.command.body.decode("latin-1")
                parts = (part.strip(_NOISE) for part in re.split("[\r\n]", text))
                flight.body_echo = [part for part in parts if part]
        events.append(Prompt())
        return True

    def _text(self, header: _Header, octets: int, events: list[Event]) -> bool:
        """Take the message text that a header announced by its length."""
        if not header.begun:
            if not self._buffer:
                return False
            if self._buffer[0] == _LF:
                del self._buffer[0]
            header.begun = True
        stop = self._text_end(header, octets)
        if stop is None:
            return False
        text = self._buffer[:stop].decode("latin-1")
        del self._buffer[:stop]
        self._scanned = 0
        self._headers.pop()
        self._complete(header, text, events)
        return True

    def _text_end(self, header: _Header, octets: int) -> int | None:
        """Where the text ends; None: not yet.

        A text that no line end makes whole disagrees with its header: its first line from the
        least length on is handed over, and whoever reads both sees that.
        """
        slack = MAX_LINE if header.ends is None else octets + SLACK
        limit = octets + slack
        place = max(octets, header.scanned)
        while (end := _END.search(self._buffer, place, limit + 1)) is not None:
            if self._parts_line_end(end.start()):
                place = end.end()
                continue
            if header.spec is None and header.ends is not None:
                follows = self._takes_line_end(end.start())
                if follows is None:
                    header.scanned = place
                    return None
                if follows:
                    place = end.end()
                    continue
            if header.ends is None or header.ends(
                header.line, self._buffer[: end.start()].decode("latin-1")
            ):
                return end.start()
            place = end.end()
        header.scanned = place
        if len(self._buffer) <= limit:
            return None
        first = _END.search(self._buffer, octets, limit + 1)
        return limit if first is None else first.start()

    def _parts_line_end(self, place: int) -> bool:
        """Whether this is the line feed of a CR LF: the text would end in its CR."""
        return place > 0 and self._buffer[place] == _LF and self._buffer[place - 1] == _CR

    def _takes_line_end(self, place: int) -> bool | None:
        """Whether a text that ends here has taken in the line end behind it; None: not yet known.

        Then the final result code stands where the end of the text's own line should be.
        """
        if not self._buffer[:place].endswith(b"\r\n"):
            return False
        rest = self._buffer[place:].removeprefix(b"\r\n")
        line = _END.search(rest)
        if len(self._buffer) - place <= len(b"\r\n") or (line is None and len(rest) < MAX_FINAL):
            return None
        return line is not None and _is_final(rest[: line.start()].decode("latin-1"))

    # -- lines to events -----------------------------------------------------------------------

    def _line(self, line: str, events: list[Event]) -> None:
        if self._headers:
            header = self._headers[-1]
            awaited = header.follow is not None and not header.lines
            if awaited and header.follow is not None and header.follow.fullmatch(line):
                if header.spec is None and self._flight and self._flight.command.several:
                    header.lines.append(line)
                    return
                self._headers.pop()
                self._complete(header, line, events)
                return
        flight = self._flight
        if flight is not None and self._answer(flight, line, events):
            return
        if self._news(line, events):
            return
        if any(late.info is not None and late.info.fullmatch(line) for late in self._late):
            self._late_seen = True
        if self._headers and self._headers[-1].lines and _CONTINUES.fullmatch(line):
            self._headers[-1].lines.append(line)
            return
        final = _is_final(line)
        if final and self._late_seen:
            self._end_late()
        events.append(Stray(line, final=final))

    def _answer(self, flight: _InFlight, line: str, events: list[Event]) -> bool:
        """Whether the line belongs to the command in flight."""
        if line == flight.echo and not flight.echoed and not flight.lines:
            flight.echoed = True
            return True
        # A modem may prompt again on every line of a text body: "> second line".
        if flight.body_echo and flight.body_echo[0] in {line, line.lstrip("> ")}:
            del flight.body_echo[0]
            return True
        command = flight.command
        if command.info is not None and command.info.fullmatch(line):
            flight.body_echo.clear()
            self._information(flight, line, events)
            return True
        if not _ends(flight, line):
            return False
        if self._late_seen:  # the end of an answer that nobody waits for any more
            self._end_late()
            events.append(Stray(line, final=True))
            return True
        self._drop_own_header(events)
        events.append(Reply(tuple(flight.lines), line, flight.whole, flight.echoed))
        self._end_flight()
        return True

    def _information(self, flight: _InFlight, line: str, events: list[Event]) -> None:
        self._drop_own_header(events)
        self._keep(flight, line, events)
        command = flight.command
        octets = _bounded(command.length(line) if command.length is not None else None)
        if octets == 0:
            self._keep(flight, "", events)
        elif octets is not None or command.follow is not None:
            header = _Header(line, None, None, command.follow, octets, command.ends)
            self._headers.append(header)

    def _keep(self, flight: _InFlight, line: str, events: list[Event]) -> None:
        flight.size += len(line) + 1
        if flight.size > MAX_REPLY:
            flight.whole = False
            events.append(Stray(line))
        else:
            flight.lines.append(line)

    def _news(self, line: str, events: list[Event]) -> bool:
        for spec in self.urcs:
            match = spec.pattern.fullmatch(line)
            if match is None:
                continue
            octets = _bounded(spec.length(line) if spec.length is not None else None)
            if octets or (spec.follow is not None and octets is None):
                self._forget_news(events)
                self._headers.append(_Header(line, spec, match, spec.follow, octets, spec.ends))
            else:
                _emit(spec, match, "", events)
            return True
        return False

    def _complete(self, header: _Header, text: str, events: list[Event]) -> None:
        if header.spec is not None and header.match is not None:
            _emit(header.spec, header.match, text, events)
        elif self._flight is not None:
            self._keep(self._flight, text, events)

    def _drop_own_header(self, events: list[Event]) -> None:
        """Close an information line of the command: what followed it, "" where nothing came."""
        own = [header for header in self._headers if header.spec is None]
        if own and self._flight is not None:
            self._headers = [header for header in self._headers if header.spec is not None]
            self._keep(self._flight, "\n".join(own[-1].lines), events)

    def _forget_news(self, events: list[Event]) -> None:
        """Report a two-line code whose second line never came; its first says something came."""
        events.extend(Stray(header.line) for header in self._headers if header.spec is not None)
        self._headers = [header for header in self._headers if header.spec is None]

    def _end_late(self) -> None:
        self._late_seen = False
        self._late.clear()

    def _end_flight(self) -> None:
        self._flight = None
        self._headers = [header for header in self._headers if header.spec is not None]


def _emit(spec: UrcSpec[Any], match: re.Match[str], text: str, events: list[Event]) -> None:
    try:
        events.append(Unsolicited(spec.parse(match, text)))
    except ValueError:
        events.append(Stray(match.string))


def _bounded(octets: int | None) -> int | None:
    """A length nobody can wait for is no length."""
    return octets if octets is not None and 0 <= octets <= MAX_TEXT else None


def _is_final(line: str) -> bool:
    return line == "OK" or _FAILURE.fullmatch(line) is not None


def _ends(flight: _InFlight, line: str) -> bool:
    """Whether the line is a final result code that the command in flight can have."""
    if line == "OK":
        return flight.prompted  # before the prompt it is a late one
    if _FAILURE.fullmatch(line):
        return True
    return flight.call and _CALL.fullmatch(line) is not None
