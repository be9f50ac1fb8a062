"""`modem-agent console`: an interactive console, here or on a serial line."""

from __future__ import annotations

import argparse
import contextlib
import os
import select
import socket
import sys
import termios
import time
import tty
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from agent.cli.common import add_parser as add
from agent.cli.common import connect, guarded
from agent.cli.console_session import QuitError, Session
from agent.cli.exits import DONE, FAILED, USAGE, complain
from agent.cli.line_editor import Ended, Interrupted, LineEditor, Typed
from agent.config.paths import state_folder
from agent.control.client import NoAgentError

HISTORY_MAX: Final = 500  # lines kept over sessions
WRITE_S: Final = 30.0  # a serial line that takes nothing for so long (XOFF, no cable) is dead
AHEAD_MAX: Final = 4096  # octets kept of what is typed while a command runs
_SECRETS: Final = ("+CPIN", "+CPWD", "+CLCK")  # AT lines with a PIN in them are not kept


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the sub-command."""
    parser = add(
        subparsers,
        "console",
        summary="an interactive console for commands and AT lines",
        description="Talks to the running agent: lines that begin with AT go to the modem, all "
        "others are\ncommands; /help lists them. History with the arrow keys, completion with "
        "Tab, the end with\nCtrl-D. From a pipe it reads lines without a prompt.\n\n"
        "Exit status 0: ended; 1: from a pipe, where a line failed; 69: no agent (without --tty).",
        examples="  modem-agent console\n"
        "  printf 'AT+CSQ\\nping\\n' | modem-agent console\n"
        "  modem-agent console --tty /dev/ttyS1 --baud 115200",
    )
    parser.add_argument("--tty", type=Path, metavar="PATH", help="serve a serial terminal")
    parser.add_argument("--baud", type=int, metavar="N", help="of --tty (default: as it is set)")
    parser.set_defaults(func=run)


@guarded
def run(options: argparse.Namespace) -> int:
    """Serve one console to its end."""
    if options.json:
        return complain("console: --json is for the other commands and the control socket", USAGE)
    if options.baud is not None and options.tty is None:
        return complain("console: --baud is of --tty", USAGE)
    if options.tty is not None:
        return _serial(options)
    session = Session(lambda: connect(options), lambda line: print(line, flush=True))
    session.learn()
    return _interactive(session) if sys.stdin.isatty() else _piped(session)


# ---- where somebody types, and where nobody does ------------------------------------------------


def _piped(session: Session) -> int:
    results = []
    with contextlib.suppress(QuitError):
        for line in sys.stdin:
            results.append(session.handle(line))  # noqa: PERF401 - each is told as it is done
    return DONE if all(results) else FAILED


def _interactive(session: Session) -> int:
    print(f"modem-agent console of {session.device}; /help for help, Ctrl-D to end")
    with _readline(session):
        while True:
            try:
                line = input(f"{session.device}> ")
                session.handle(line)
            except KeyboardInterrupt:
                print("^C")  # the line, or the waiting for its outcome, is given up
            except EOFError:
                print()
                return DONE
            except QuitError:
                return DONE


@contextlib.contextmanager
def _readline(session: Session) -> Iterator[None]:
    """Edit with readline where Python has it, keeping the history over sessions."""
    try:
        import readline  # noqa: PLC0415 - a terminal without it still works
    except ImportError:
        yield
        return
    found: list[str] = []

    def complete(word: str, number: int) -> str | None:
        if number == 0:
            typed = readline.get_line_buffer()[: readline.get_endidx()]
            found[:] = [one for one in session.complete(typed) if one.startswith(word)]
            if len(found) == 1 and not found[0].endswith("="):
                found[0] += " "
        return found[number] if number < len(found) else None

    readline.set_completer(complete)
    readline.set_completer_delims(" ")
    readline.set_auto_history(True)
    readline.parse_and_bind("tab: complete")
    path = state_folder() / "console-history"
    with contextlib.suppress(OSError):
        readline.read_history_file(path)
    try:
        yield
    finally:
        readline.set_completer(None)
        _keep_history(readline, path)


def _keep_history(readline: Any, path: Path) -> None:
    for position in range(readline.get_current_history_length(), 0, -1):
        line = readline.get_history_item(position) or ""
        if any(secret in line.upper() for secret in _SECRETS):
            readline.remove_history_item(position - 1)
    readline.set_history_length(HISTORY_MAX)
    with contextlib.suppress(OSError):  # a read-only home is no reason to complain at the end
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        readline.write_history_file(path)


# ---- a serial terminal ----------------------------------------------------------------------


class _HungUpError(Exception):
    """The terminal is gone, or takes nothing any more."""


def _serial(options: argparse.Namespace) -> int:
    try:
        with _raw(options.tty, options.baud) as descriptor:
            _SerialConsole(descriptor, options).run()
    except _HungUpError:
        return DONE
    except (OSError, termios.error) as error:
        reason = error.args[-1] if isinstance(error, termios.error) else error.strerror or error
        return complain(f"console: {options.tty}: {reason}", FAILED)
    except ValueError as error:
        return complain(f"console: {error}", USAGE)
    return DONE


@contextlib.contextmanager
def _raw(path: Path, baud: int | None) -> Iterator[int]:
    """Open a terminal raw, without becoming its session and without waiting for a carrier."""
    speed = None if baud is None else getattr(termios, f"B{baud}", None)
    if baud is not None and speed is None:
        raise ValueError(f"--baud {baud} is no speed of this system")
    descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        before = termios.tcgetattr(descriptor)
        tty.setraw(descriptor)
        now = termios.tcgetattr(descriptor)
        now[2] |= termios.CLOCAL | termios.CREAD
        if speed is not None:
            now[4] = now[5] = speed
        termios.tcsetattr(descriptor, termios.TCSANOW, now)
        try:
            yield descriptor
        finally:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(descriptor, termios.TCSANOW, before)
    finally:
        os.close(descriptor)


class _SerialConsole:
    """A console on a raw terminal: its own echo, its own line ends, Ctrl-C by hand."""

    def __init__(self, descriptor: int, options: argparse.Namespace) -> None:
        self._descriptor = descriptor
        self._typed_ahead = b""
        self._session = Session(lambda: connect(options), self._say, patience=self._patience)
        self._editor = LineEditor(self._session.complete)

    def run(self) -> None:
        """Serve until Ctrl-D, /quit or a hang-up; without an agent it says so and stays."""
        with contextlib.suppress(NoAgentError):
            self._session.learn()
        self._say("modem-agent console; /help for help, Ctrl-D to end")
        while True:
            self._editor.prompt(f"{self._session.device or 'modem-agent'}> ")
            line = self._line()
            if line is None:
                return
            try:
                self._session.handle(line)
            except KeyboardInterrupt:
                self._say("^C")
            except QuitError:
                return

    def _line(self) -> str | None:
        """Return the next line that was typed, "" for one given up, None at the end."""
        data, self._typed_ahead = self._typed_ahead, b""
        while True:
            events = self._editor.feed(data)
            self._write(self._editor.take_output())
            for event in events:
                match event:
                    case Typed(line):
                        return line
                    case Interrupted():
                        return ""
                    case Ended():
                        return None
            select.select([self._descriptor], [], [])
            data = self._read()

    def _read(self) -> bytes:
        try:
            data = os.read(self._descriptor, 4096)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise _HungUpError from error
        if not data:
            raise _HungUpError
        return data

    def _say(self, line: str) -> None:
        self._write(f"{line}\r\n".encode())

    def _write(self, data: bytes) -> None:
        end = time.monotonic() + WRITE_S
        while data:
            try:
                data = data[os.write(self._descriptor, data) :]
            except BlockingIOError:
                if time.monotonic() > end:
                    raise _HungUpError from None
                select.select([], [self._descriptor], [], 1.0)
            except OSError as error:
                raise _HungUpError from error

    def _patience(self, connection: socket.socket) -> None:
        """Wait for the agent's answer or a Ctrl-C; other keys are for the next line."""
        while True:
            ready, _, _ = select.select([connection.fileno(), self._descriptor], [], [])
            if self._descriptor in ready:
                self._typed_ahead = (self._typed_ahead + self._read())[-AHEAD_MAX:]
                if b"\x03" in self._typed_ahead:
                    self._typed_ahead = self._typed_ahead.rpartition(b"\x03")[2]
                    raise KeyboardInterrupt
            if connection.fileno() in ready:
                return
