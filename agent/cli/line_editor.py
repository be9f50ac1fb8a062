"""A line being typed at a bare terminal: keys in; echo, history and completion out."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["Ended", "Interrupted", "LineEditor", "Typed"]

LINE_MAX: Final = 2000  # characters; what is typed beyond it rings the bell
HISTORY_MAX: Final = 200
BELL: Final = "\a"
_ESC: Final = "\x1b"
# What terminals send for the keys without a character of their own (ECMA-48, VT100, linux).
_SEQUENCES: Final = {
    "[A": "up",
    "OA": "up",
    "[B": "down",
    "OB": "down",
    "[C": "right",
    "OC": "right",
    "[D": "left",
    "OD": "left",
    "[H": "home",
    "OH": "home",
    "[1~": "home",
    "[7~": "home",
    "[F": "end",
    "OF": "end",
    "[4~": "end",
    "[8~": "end",
    "[3~": "delete",
}
_CONTROLS: Final = {
    "\x01": "home",
    "\x02": "left",
    "\x04": "eof",
    "\x03": "interrupt",
    "\x05": "end",
    "\x06": "right",
    "\x08": "backspace",
    "\x09": "complete",
    "\x0b": "kill-end",
    "\x0e": "down",
    "\x10": "up",
    "\x15": "kill",
    "\x17": "kill-word",
    "\x7f": "backspace",
}


@dataclass(frozen=True, slots=True)
class Typed:
    """A line was ended by CR, LF or both."""

    line: str


@dataclass(frozen=True, slots=True)
class Interrupted:
    """Ctrl-C: the line was given up."""


@dataclass(frozen=True, slots=True)
class Ended:
    """Ctrl-D on an empty line."""


Event = Typed | Interrupted | Ended


class LineEditor:
    """Pure: feed() octets, get events; `take_output` is what to write to the terminal.

    complete: the line up to the cursor -> what its last word may become. Uses backspaces only, so
    that the plainest terminal on a serial line shows it rightly.
    """

    def __init__(self, complete: Callable[[str], Sequence[str]] = lambda _: ()) -> None:
        self.history: list[str] = []
        self._complete = complete
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._prompt = ""
        self._text: list[str] = []
        self._cursor = 0
        self._recalled = 0  # how far back in the history; 0: the line that is being typed
        self._kept = ""  # that line, while an older one is shown
        self._escape: str | None = None
        self._after_cr = False
        self._pending = ""
        self._output: list[str] = []

    def take_output(self) -> bytes:
        """Return what to write, line ends as CR LF, and forget it."""
        text, self._output = "".join(self._output), []
        return text.encode()

    def prompt(self, text: str) -> None:
        """Begin a new line."""
        self._prompt = text
        self._output.append(text)

    def say(self, text: str) -> None:
        """Write a whole line; not while one is being typed."""
        self._output.append(f"{text}\r\n")

    def feed(self, data: bytes) -> list[Event]:
        """Take octets as they came; returns what they complete.

        After an event the rest is taken only by the next call (`feed(b"")` does): it belongs to
        the next prompt.
        """
        self._pending = self._pending + self._decoder.decode(data)
        while self._pending:
            character, self._pending = self._pending[0], self._pending[1:]
            event = self._take(character)
            if event is not None:
                return [event]
        return []

    # ---- keys -----------------------------------------------------------------------------

    def _take(self, character: str) -> Event | None:
        after_cr, self._after_cr = self._after_cr, False
        if self._escape is not None:
            self._sequence(character)
            return None
        if character == "\n" and after_cr:
            return None
        if character in "\r\n":
            self._after_cr = character == "\r"
            return self._enter()
        if character == _ESC:
            self._escape = ""
            return None
        key = _CONTROLS.get(character)
        if key is not None:
            return self._key(key)
        if character.isprintable():
            self._insert(character)
        return None

    def _sequence(self, character: str) -> None:
        sequence = (self._escape or "") + character
        if sequence in ("[", "O") or (sequence.startswith("[") and not "@" <= character <= "~"):
            self._escape = sequence if len(sequence) < 16 else None
            return
        self._escape = None
        key = _SEQUENCES.get(sequence)
        if key is not None:
            self._key(key)

    def _key(self, key: str) -> Event | None:
        if key == "interrupt":
            self._output.append("^C\r\n")
            self._reset()
            return Interrupted()
        if key == "eof" and not self._text:
            self._output.append("\r\n")
            return Ended()
        actions: dict[str, Callable[[], None]] = {
            "left": lambda: self._move(self._cursor - 1),
            "right": lambda: self._move(self._cursor + 1),
            "home": lambda: self._move(0),
            "end": lambda: self._move(len(self._text)),
            "backspace": lambda: self._delete(self._cursor - 1, self._cursor),
            "delete": lambda: self._delete(self._cursor, self._cursor + 1),
            "eof": lambda: self._delete(self._cursor, self._cursor + 1),
            "kill": lambda: self._delete(0, self._cursor),
            "kill-end": lambda: self._delete(self._cursor, len(self._text)),
            "kill-word": lambda: self._delete(self._word_start(), self._cursor),
            "up": lambda: self._recall(self._recalled + 1),
            "down": lambda: self._recall(self._recalled - 1),
            "complete": self._complete_word,
        }
        actions[key]()
        return None

    def _enter(self) -> Typed:
        line = "".join(self._text)
        self._output.append("\r\n")
        if line.strip() and (not self.history or self.history[-1] != line):
            self.history.append(line)
            del self.history[:-HISTORY_MAX]
        self._reset()
        return Typed(line)

    def _reset(self) -> None:
        self._text, self._cursor, self._recalled, self._kept = [], 0, 0, ""

    # ---- the line and its picture -----------------------------------------------------------

    def _insert(self, text: str) -> None:
        if len(self._text) + len(text) > LINE_MAX:
            self._output.append(BELL)
            return
        tail = self._text[self._cursor :]
        self._text[self._cursor : self._cursor] = text
        self._cursor += len(text)
        self._output.append(text + "".join(tail) + "\b" * len(tail))

    def _move(self, to: int) -> None:
        to = max(0, min(to, len(self._text)))
        back = self._cursor - to
        self._output.append("\b" * back if back > 0 else "".join(self._text[self._cursor : to]))
        self._cursor = to

    def _delete(self, start: int, end: int) -> None:
        start, end = max(0, start), min(end, len(self._text))
        if start >= end:
            return
        self._move(start)
        del self._text[start:end]
        tail = "".join(self._text[start:])
        gone = end - start
        self._output.append(tail + " " * gone + "\b" * (len(tail) + gone))

    def _word_start(self) -> int:
        start = self._cursor
        while start and self._text[start - 1] == " ":
            start -= 1
        while start and self._text[start - 1] != " ":
            start -= 1
        return start

    def _recall(self, steps: int) -> None:
        if not 0 <= steps <= len(self.history):
            self._output.append(BELL)
            return
        if self._recalled == 0:
            self._kept = "".join(self._text)
        self._recalled = steps
        self._move(len(self._text))
        self._delete(0, len(self._text))
        self._insert(self._kept if steps == 0 else self.history[-steps])

    def _complete_word(self) -> None:
        typed = "".join(self._text[: self._cursor])
        word = typed.rpartition(" ")[2]
        found = sorted({one for one in self._complete(typed) if one.startswith(word)})
        if not found:
            self._output.append(BELL)
            return
        common = _common_start(found)
        if len(common) > len(word) or len(found) == 1:
            self._insert(common[len(word) :] + (" " if len(found) == 1 else ""))
            return
        line = "".join(self._text)
        self._output.append(f"\r\n{'  '.join(found)}\r\n{self._prompt}{line}")
        self._output.append("\b" * (len(self._text) - self._cursor))


def _common_start(words: Sequence[str]) -> str:
    first, last = words[0], words[-1]  # sorted: what these two share, all do
    length = 0
    while length < min(len(first), len(last)) and first[length] == last[length]:
        length += 1
    return first[:length]
