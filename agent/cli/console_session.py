"""What the lines typed at the console do: AT lines, commands, the console's own words."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any, Final

from agent.cli import explain, history, status
from agent.cli.send import outcome
from agent.cli.terminal import local, printable
from agent.control.client import Client, NoAgentError, RequestFailedError

__all__ = ["QuitError", "Session"]

OWN: Final = {
    "/help": "this list; help NAME tells a command's arguments",
    "/status": "how the agent, its modem and its broker are",
    "/history": "[N]  the newest messages with their verdicts",
    "/explain": "TEXT  what would become of a message, and why",
    "/events": "what happens, as it happens, until Ctrl-C",
    "/confirm": "go on after a damaged journal was set aside",
    "/quit": "end (also Ctrl-D)",
}
KNOWN_FOR_S: Final = 60.0  # the agent's commands are asked for again after this

_AT: Final = re.compile(r"AT(?:$|[^a-z0-9_ -]|[A-Z](?:[^a-z]|$)| +[^a-z ])", re.IGNORECASE)


class QuitError(Exception):
    """The user asked for the end."""


class Session:
    """One console. connect: to the agent, anew for each line, so that it may restart.

    say: writes one line. patience: as Client.patience, to hear of a Ctrl-C at a bare terminal.
    """

    def __init__(
        self,
        connect: Callable[[], Client],
        say: Callable[[str], None],
        *,
        patience: Callable[[Any], None] | None = None,
    ) -> None:
        self._connect = connect
        self._say = say
        self._patience = patience
        self._commands: dict[str, dict[str, Any]] = {}
        self._known_at: float | None = None
        self.device = ""

    def learn(self) -> None:
        """Ask for the agent's name and commands. Raises NoAgentError."""
        with self._client() as client:
            answer = client.ask("commands")
        self.device = answer["device"]
        self._commands = {row["name"]: row for row in answer["commands"]}
        self._known_at = time.monotonic()

    def complete(self, typed: str) -> list[str]:
        """Return what the last word of a line may become: a command, an argument, an own word."""
        self._learn_if_stale()
        words = typed.split(" ")
        if len(words) == 1:
            return [*self._usable(), *OWN]
        if words[0] == "help":
            return self._usable()
        row = self._commands.get(words[0].lower())
        return [f"{name}=" for name in row["arguments"]] if row else []

    def handle(self, line: str) -> bool:
        """Do what a line says and tell its outcome; whether it went well. Raises QuitError."""
        text = line.strip()
        if not text:
            return True
        try:
            if text.startswith("/"):
                return self._own(text)
            if text.lower() in ("quit", "exit") and text.lower() not in self._commands:
                raise QuitError
            if self._is_at(text):
                return self._at(text)
            return self._command(text)
        except (NoAgentError, RequestFailedError) as error:
            self._say(printable(f"error: {error}"))
            return False

    # ---- kinds of lines ---------------------------------------------------------------------

    def _is_at(self, text: str) -> bool:
        first = text.split(maxsplit=1)[0].lower()
        if first in self._commands and (first != "at" or "=" in text):
            return False
        return _AT.match(text) is not None

    def _at(self, text: str) -> bool:
        with self._client() as client:
            answer = client.ask("at", line=text)
        for line in (*answer["lines"], answer["final"]):
            self._say(printable(line))
        return bool(answer["final"] == "OK")

    def _command(self, text: str) -> bool:
        told: dict[str, Any] = {}
        with self._client() as client:
            for answer in client.stream("send", text=text):
                told = {**told, **answer}
                if answer["done"] or answer.get("state") == "scheduled":
                    break
        if told.get("state") is None:
            self._say("not a command; /help lists what can be said here")
            return False
        self._say(printable(outcome(told)))
        return told["state"] in ("succeeded", "scheduled")

    def _own(self, text: str) -> bool:
        word, _, rest = text.partition(" ")
        actions: dict[str, Callable[[str], bool]] = {
            "/help": self._help,
            "/status": self._status,
            "/history": self._history,
            "/explain": self._explain,
            "/events": self._events,
            "/confirm": self._confirm,
        }
        if word == "/quit":
            raise QuitError
        action = actions.get(word)
        if action is None:
            self._say(printable(f"no {word}; there are {' '.join(OWN)}"))
            return False
        return action(rest.strip())

    # ---- the console's own words --------------------------------------------------------------

    def _help(self, _: str) -> bool:
        self._learn_if_stale()
        self._say("AT…        an AT line, through the agent")
        for name in self._usable():
            row = self._commands[name]
            arguments = " ".join(f"{argument}=" for argument in row["arguments"])
            self._say(
                printable(f"{name:10} {arguments + '  ' if arguments else ''}{row['summary']}")
            )
        for word, summary in OWN.items():
            self._say(f"{word:10} {summary}")
        return True

    def _status(self, _: str) -> bool:
        with self._client() as client:
            answer = client.ask("status")
        for name, text in status.lines(answer):
            self._say(f"{name:9} {printable(text)}")
        return True

    def _history(self, rest: str) -> bool:
        count = int(rest) if rest.isascii() and rest.isdecimal() and 0 < int(rest) <= 1000 else 10
        with self._client() as client:
            for answer in client.stream("history", limit=count):
                if not answer["done"]:
                    self._say("  ".join(history.row(answer["item"])))
        return True

    def _explain(self, rest: str) -> bool:
        if not rest:
            self._say("/explain TEXT")
            return False
        with self._client() as client:
            told = client.ask("explain", text=rest)
        for line in explain.lines(told):
            self._say(printable(line))
        return True

    def _events(self, _: str) -> bool:
        with self._client() as client:
            for answer in client.stream("events"):
                event = answer.get("event")
                if event:
                    words = [local(event["at"]), event["kind"], event["id"], event["verdict"]]
                    words += [event["state"], event["reason"], event["detail"]]
                    self._say(printable(" ".join(word for word in words if word)))
        return True

    def _confirm(self, _: str) -> bool:
        with self._client() as client:
            reset_at = client.ask("confirm")["reset_at"]
        if reset_at is None:
            self._say("nothing to confirm: the journal is whole")
        else:
            self._say(
                f"confirmed: the journal that was begun anew {local(reset_at)} is trusted now"
            )
        return True

    # ---- the agent ------------------------------------------------------------------------------

    def _client(self) -> Client:
        client = self._connect()
        client.patience = self._patience
        return client

    def _usable(self) -> list[str]:
        return [
            name
            for name, row in self._commands.items()
            if row["enabled"] and "console" in row["channels"]
        ]

    def _learn_if_stale(self) -> None:
        if self._known_at is not None and time.monotonic() - self._known_at < KNOWN_FOR_S:
            return
        try:
            self.learn()
        except (NoAgentError, RequestFailedError):
            self._known_at = time.monotonic()  # not at every key
