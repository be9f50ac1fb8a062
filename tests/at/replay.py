"""Reads transcripts and plays them to the protocol or to a modem on a pty."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from at import commands
from at.command import Command
from at.errors import CommandError, ReplyError
from at.modem import Modem
from at.protocol import CTRL_Z, AtProtocol, Event, Prompt, Reply, Stray, Unsolicited
from at.result_codes import command_error
from at.simulator import SimulatedModem
from at.store import pdu_mode
from at.store.pdu_mode import PduMode
from at.store.text_mode import TextMode
from at.urcs import URCS

STAGED = 5  # messages: as many as the transcripts read from one after another
MESSAGE = "00040481926300006210203040500004F0B4FB0C"

FOLDER = Path(__file__).parents[1] / "transcripts"


@dataclass
class Turn:
    """One command with all that was heard until the next; line None: before the first."""

    line: str | None = None
    body: bytes | None = None
    before_body: bytes = b""
    after: bytes = b""
    outcome: list[str] = field(default_factory=list)
    news: list[str] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)


def transcripts() -> list[Path]:
    return sorted(FOLDER.glob("*/*.at"))


def read(path: Path) -> list[Turn]:
    turns = [Turn()]
    for number, text in enumerate(path.read_text("utf-8").splitlines(), 1):
        mark, _, rest = text.partition(" ")
        turn = turns[-1]
        if mark == ">":
            turns.append(Turn(rest.removeprefix("AT")))
        elif mark == ">|":
            turn.body, turn.before_body, turn.after = rest.encode("latin-1"), turn.after, b""
        elif mark == "<":
            turn.after += rest.encode("latin-1") + b"\r\n"
        elif mark == "<\\":
            turn.after += rest.encode("ascii").decode("unicode_escape").encode("latin-1")
        elif mark in {"=", "!"}:
            turn.outcome.append(text)
        elif mark == "*":
            turn.news.append(rest)
        elif mark == "?":
            turn.strays.append(rest)
        elif mark not in {"#", ""}:
            raise ValueError(f"{path}:{number}: {text!r}")
    return turns


def _constants() -> dict[str, Command[Any]]:
    return {value.line: value for value in vars(commands).values() if isinstance(value, Command)}


class Commands:
    """The driver's commands by their lines, in the mode the transcript has come to."""

    def __init__(self) -> None:
        self._known = _constants() | {pdu_mode.LIST.line: pdu_mode.LIST}
        self._mode: PduMode | TextMode = PduMode()

    def find(self, turn: Turn) -> Command[Any]:
        line = turn.line or ""
        if line == "+CMGF=0":
            self._mode = PduMode()
        if line == "+CMGF=1":
            self._mode = TextMode("IRA")
        if (charset := re.fullmatch(r'\+CSCS="(.*)"', line)) and isinstance(self._mode, TextMode):
            self._mode = TextMode(charset[1])
        return self._find(line, turn.body)

    def _find(self, line: str, body: bytes | None) -> Command[Any]:
        name, _, rest = line.partition("=")
        rows: dict[str, Callable[[], Command[Any]]] = {
            "+CMGR": lambda: self._mode.reading(int(rest)),
            "+CMGL": self._mode.listing,
            "+CMGS": lambda: commands.submit(rest, body or b""),
            "+CPMS": lambda: commands.select_memories(*re.findall(r'"(\w+)"', rest)),
        }
        if rest and rest != "?" and name in rows:
            return rows[name]()
        if line in self._known:
            return self._known[line]
        for vendor in ("+QCCID", "+CCID", "+CICCID", "#CCID", "^ICCID?", "!ICCID?", "+ICCID"):
            if line == vendor:
                return commands.iccid(line)
        for register in ("+CREG", "+CGREG", "+CEREG"):
            if line == f"{register}?":
                return commands.registration(register)
        return commands.do(line)


def play_to_protocol(turns: list[Turn], *, octet_by_octet: bool) -> None:
    protocol = AtProtocol(URCS)
    known = Commands()

    def feed(data: bytes) -> Iterator[Event]:
        chunks = [data[i : i + 1] for i in range(len(data))] if octet_by_octet else [data]
        for chunk in chunks:
            yield from protocol.feed(chunk)

    for turn in turns:
        events: list[Event] = []
        command: Command[Any] | None = None
        if turn.line is not None:
            command = known.find(turn)
            assert protocol.start(command) == f"AT{turn.line}\r".encode("latin-1")
        if turn.body is not None:
            events += feed(turn.before_body)
            assert Prompt() in events, f"no prompt for AT{turn.line}"
        events += feed(turn.after)
        outcome = [_outcome(command, one) for one in events if isinstance(one, Reply)]
        assert outcome == turn.outcome, f"AT{turn.line}"
        assert [repr(one.urc) for one in events if isinstance(one, Unsolicited)] == turn.news
        assert [one.line for one in events if isinstance(one, Stray)] == turn.strays
        assert not protocol.busy or not turn.outcome


def _outcome(command: Command[Any] | None, reply: Reply) -> str:
    assert command is not None
    if reply.final != "OK":
        return f"! {command_error(command.line, reply.final).result}"
    return f"= {command.parse(reply.lines)!r}"


async def play_to_modem(turns: list[Turn], modem: Modem, news: list[object]) -> None:
    """Send every command; the far end plays the other part (see `far_end`)."""
    known = Commands()
    for turn in turns:
        if turn.line is None:
            continue
        try:
            outcome = f"= {await modem.send(known.find(turn))!r}"
        except CommandError as error:
            outcome = f"! {error.result}"
        except ReplyError as error:
            outcome = f"! {error}"
        assert [outcome] == turn.outcome, f"AT{turn.line}"
    assert [repr(one) for one in news] == [one for turn in turns for one in turn.news]


def play_to_simulator(turns: list[Turn], simulated: SimulatedModem) -> int:
    """Say to the simulated modem what the device heard; returns how many answers were compared.

    What the device took, the simulated one takes too, and its answer gives a value of the same
    kind; figures, names and messages are its own. A refusal has causes that are not staged.
    """
    for _ in range(STAGED):
        simulated.deliver(MESSAGE, announce=False)
    protocol = AtProtocol(URCS)
    known = Commands()
    compared = 0
    for turn in turns:
        if turn.line is None:
            continue
        command = known.find(turn)
        simulated.feed(protocol.start(command))
        events = protocol.feed(simulated.drain())
        if turn.body is not None:
            assert Prompt() in events, f"no prompt for AT{turn.line}"
            simulated.feed(turn.body + CTRL_Z)
            events += protocol.feed(simulated.drain())
        while not any(isinstance(event, Reply) for event in events):
            assert simulated.due_s is not None, f"AT{turn.line} is never answered"
            simulated.advance(simulated.due_s)
            events += protocol.feed(simulated.drain())
        (outcome,) = [_outcome(command, one) for one in events if isinstance(one, Reply)]
        if all(wanted.startswith("=") for wanted in turn.outcome) and turn.line != "+CNMA":
            assert [_kind(outcome)] == [_kind(wanted) for wanted in turn.outcome], f"AT{turn.line}"
            compared += 1
    return compared


def _kind(outcome: str) -> str:
    """What the value is shown as, without its figures and words; of many values the first."""
    value = re.sub(r"'[^']*'|\b\d+\b", "_", outcome)
    return (re.search(r"[A-Z]\w+(?=\()", value) or [value])[0]


def far_end(turns: list[Turn]) -> Callable[[str], bytes | None]:
    """What a Peer answers, line by line; it insists on hearing what the transcript has."""
    said = iter(turns)
    script: list[tuple[str, bytes]] = []
    for turn in said:
        if turn.line is None:
            continue
        if turn.body is None:
            script.append((f"AT{turn.line}", turn.after))
        else:
            script.append((f"AT{turn.line}", turn.before_body))
            script.append((turn.body.decode("latin-1"), turn.after))
    steps = iter(script)

    def answer(text: str) -> bytes:
        expected, octets = next(steps)
        assert text == expected
        return octets

    return answer
