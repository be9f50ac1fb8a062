"""The AT command interpreter: assembles lines, runs them one command at a time, words answers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Literal

from at.simulator import words
from at.simulator.device import Device
from at.simulator.lines import Call, calls
from at.simulator.values import Collect, Outcome, Refused, Reply

CTRL_Z = 0x1A
ESCAPE = 0x1B
LONGEST_LINE = 4096  # bytes of a command line; more is thrown away
NUMERIC = {"OK": 0, "CONNECT": 1, "RING": 2, "NO CARRIER": 3, "ERROR": 4}  # V.250 §5.7.1


class Interpreter:
    """Between the bytes of the line and the command table.

    perform: runs one command; raises Refused. out: blocks to send, each at most one line.
    """

    def __init__(self, device: Device, perform: Callable[[Call], Outcome]) -> None:
        self._device = device
        self._perform = perform
        self.out: list[bytes] = []
        self._input = bytearray()
        self._body = bytearray()
        self._state: Literal["command", "body", "busy"] = "command"
        self._collect: Collect | None = None
        self._todo: deque[Call] = deque()
        self._last_line = ""

    @property
    def idle(self) -> bool:
        """No command is under way."""
        return self._state == "command"

    def reset(self) -> None:
        """Forget everything under way; what is in out has left already."""
        self._input.clear()
        self._body.clear()
        self._todo.clear()
        self._state, self._collect = "command", None

    def feed(self, data: bytes) -> None:
        """Take bytes from the host; while a command runs they wait."""
        self._input += data
        while self._input and self._state != "busy":
            if not (self._take_body() if self._state == "body" else self._take_line()):
                break

    def _echo(self, data: bytes) -> None:
        if self._device.settings.echo and data:
            self.out.append(data)

    # -- a command line ------------------------------------------------------------------

    def _take_line(self) -> bool:
        """Take one line out of the input; False: it is not complete."""
        held, s3 = self._input, self._device.settings.s3
        if held[:2].upper() == b"A/":
            self._echo(bytes(held[:2]))
            del held[:2]
            self._run_line(self._last_line)
            return True
        end = held.find(s3)
        if end < 0:
            if len(held) > LONGEST_LINE:
                held.clear()
            return False
        line = bytes(held[: end + 1])
        del held[: end + 1]
        self._echo(line.lstrip(b"\n\x00"))
        if self._device.personality.keeps_escape and ESCAPE in line:
            return True
        text = self._edited(line[:-1])
        at = text.upper().find("AT")  # anything before it is not for the modem (V.250 §5.2.1)
        if at >= 0:
            self._last_line = text[at + 2 :]
            self._run_line(self._last_line)
        return True

    def _edited(self, line: bytes) -> str:
        """Return the line with back spaces obeyed and other control characters gone."""
        kept = bytearray()
        for byte in line:
            if byte == self._device.settings.s5:
                del kept[-1:]
            elif byte >= 0x20:
                kept.append(byte)
        return kept.decode("latin-1")

    def _run_line(self, body: str) -> None:
        if self._device.faults.deaf and body.strip():
            return
        found = calls(body)
        if found is None:
            self._final("ERROR")
            return
        self._todo.extend(found)
        self._run()

    def _run(self) -> None:
        """Run what is left of the line, up to a command that wants a body or takes time."""
        while self._todo:
            call = self._todo.popleft()
            try:
                outcome = self._perform(call)
            except Refused as refused:
                self._refuse(refused)
                return
            if isinstance(outcome, Collect):
                self._collect, self._state = outcome, "body"
                self._prompt()
                return
            if not self._reply(outcome):
                return
        self._final("OK")

    # -- a message body ------------------------------------------------------------------

    def _prompt(self) -> None:
        self.out.append(self._device.personality.prompt.encode("ascii"))

    def _take_body(self) -> bool:
        """Take body bytes up to Ctrl-Z or ESC; False: all there is was taken."""
        ends = [at for end in (CTRL_Z, ESCAPE) if (at := self._input.find(end)) >= 0]
        if not ends:
            self._type(bytes(self._input))
            self._input.clear()
            return False
        end = min(ends)
        aborted = self._input[end] == ESCAPE
        self._type(bytes(self._input[:end]))
        del self._input[: end + 1]
        body, collect = bytes(self._body), self._collect
        self._body.clear()
        self._state, self._collect = "command", None
        if aborted:
            self._todo.clear()
            self._final(self._device.personality.escape_final)
        elif collect is not None:
            self._finish(collect, body)
        return True

    def _type(self, piece: bytes) -> None:
        """Keep typed body bytes; text mode asks again after each carriage return."""
        self._body += piece
        if not self._device.settings.text_mode:
            self._echo(piece)
            return
        *lines, rest = piece.split(b"\r")
        for line in lines:
            self._echo(line)
            self._prompt()
        self._echo(rest)

    def _finish(self, collect: Collect, body: bytes) -> None:
        try:
            reply = collect.finish(body)
        except Refused as refused:
            self._refuse(refused)
            return
        if self._reply(reply):
            self._run()

    # -- answers -------------------------------------------------------------------------

    def _later(self, after_s: float, action: Callable[[], None]) -> None:
        """Be busy for a while, then act and take up what was typed meanwhile."""
        self._state = "busy"

        def resume() -> None:
            self._state = "command"
            action()
            self.feed(b"")

        self._device.timers.at(self._device.now_s + after_s, "busy", resume)

    def _reply(self, reply: Reply) -> bool:
        """Answer a command; True: the rest of the line may run now."""
        if reply.after_s:
            self._later(reply.after_s, lambda: self._resume(Reply(reply.lines, 0.0, reply.final)))
            return False
        self._block(reply.lines)
        if reply.final == "OK":
            return True
        self._todo.clear()
        if reply.final:
            self._final(reply.final)
        return False

    def _resume(self, reply: Reply) -> None:
        if self._reply(reply):
            self._run()

    def _refuse(self, refused: Refused) -> None:
        self._todo.clear()
        text = self._worded(refused)
        if refused.after_s:
            self._later(refused.after_s, lambda: self._final(text))
        else:
            self._final(text)

    def _worded(self, refused: Refused) -> str:
        personality, cmee = self._device.personality, self._device.settings.cmee
        if refused.domain == "CMS":
            if cmee == 0 and personality.cms_silent:
                return "ERROR"
            wordy = cmee == 2 and personality.cms_words
            words_for = words.CMS
        elif refused.domain == "CME" and cmee:
            wordy = cmee == 2
            words_for = words.CME
        else:
            return "ERROR"
        shown = words_for.get(refused.code, "unknown error") if wordy else str(refused.code)
        return f"+{refused.domain} ERROR: {shown}"

    def _final(self, text: str) -> None:
        faults = self._device.faults
        if faults.final_delays > 0:
            faults.final_delays -= 1
            self._later(faults.final_delay_s, lambda: self._final_now(text))
        else:
            self._final_now(text)

    def _final_now(self, text: str) -> None:
        settings = self._device.settings
        if settings.quiet:
            return
        if settings.verbose:
            self.out.append(f"{self._end}{text}{self._end}".encode("latin-1"))
        else:
            self.out.append(f"{NUMERIC.get(text, text)}{chr(settings.s3)}".encode("latin-1"))

    @property
    def _end(self) -> str:
        return chr(self._device.settings.s3) + chr(self._device.settings.s4)

    def _block(self, lines: tuple[str, ...]) -> None:
        """Information text: each line ends with CR LF, the first begins with one (V.250 §5.7)."""
        faults, source = self._device.faults, self._device.random
        lead = self._end if self._device.settings.verbose else ""
        for line in lines:
            self.out.append(f"{lead}{line}{self._end}".encode("latin-1", "replace"))
            lead = ""
            if faults.chatter and source.random() < faults.chatter:
                self._unsolicited((source.choice(self._device.personality.chatter),))

    def _unsolicited(self, lines: tuple[str, ...]) -> None:
        lead = self._end
        for line in lines:
            self.out.append(f"{lead}{line}{self._end}".encode("latin-1", "replace"))
            lead = ""

    def flush_news(self) -> bool:
        """Say what waited for a quiet line; True: something was said."""
        if not self.idle or not self._device.news:
            return False
        for lines in self._device.news:
            self._unsolicited(lines)
        self._device.news.clear()
        return True
