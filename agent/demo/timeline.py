"""The demonstration on a terminal: a timeline of what was seen, then what can be read back."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any, TextIO

from agent.demo.scenario import Step
from agent.demo.stage import Heard
from at import sms

__all__ = ["Timeline"]

_COLOURS = {"in": "36", "out": "32", "mqtt": "35", "title": "1", "bad": "31;1", "dim": "2"}


def _has_colours(stream: TextIO) -> bool:
    """Whether it is a terminal with colours, and nobody asked for none (https://no-color.org)."""
    dumb = os.environ.get("TERM", "dumb") in {"", "dumb"}
    return stream.isatty() and not dumb and not os.environ.get("NO_COLOR")


class Timeline:
    """Prints lines with the time since the start, in colours where the terminal has them."""

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self._stream = stream
        self._began = time.monotonic()
        self._colourful = _has_colours(stream)

    def head(self, text: str) -> None:
        """Print a line of its own, without a time."""
        self._print(self._paint("title", text))

    def say(self, text: str, colour: str = "dim") -> None:
        """Print a remark."""
        self._print(f"         {self._paint(colour, text)}")

    def step(self, number: int, step: Step) -> None:
        """Print what goes in."""
        self._print("")
        self.head(f"{number}. {step.title}")
        for pdu in step.pdus:
            tpdu = sms.decode(pdu).tpdu
            assert isinstance(tpdu, sms.Deliver)  # noqa: S101 - the scenario made it
            concat = tpdu.user_data.concat
            part = f" {concat.sequence}/{concat.total}" if concat else ""
            text = tpdu.user_data.text
            self.event(
                "in", f"SMS  {step.sender} -> box{part}", step.text if text is None else text
            )

    def sent(self, pdu: str) -> None:
        """Print an SMS that left the modem."""
        tpdu = sms.decode(pdu, direction="mo").tpdu
        assert isinstance(tpdu, sms.Submit)  # noqa: S101 - the modem takes nothing else
        self.event("out", f"SMS  box -> {tpdu.destination}", tpdu.user_data.text or "")

    def heard(self, heard: Heard) -> None:
        """Print a publication that says something of the step."""
        body = heard.body
        if heard.topic == "command/result":
            again = " (repeated)" if body["duplicate"] else ""
            told = json.dumps(body["result"], ensure_ascii=False)
            self.event("mqtt", f"MQTT {heard.topic}", f"{body['state']}{again} {told}")
        elif heard.topic == "event" and body["kind"] == "message":
            detail = " ".join(filter(None, (body["verdict"], body["reason"], body["detail"])))
            self.event("dim", "     verdict", detail)

    def table(self, rows: list[tuple[str, Any]]) -> None:
        """Print labelled values."""
        width = max(len(label) for label, _ in rows)
        for label, value in rows:
            self._print(f"   {label:<{width}}  {value}")

    def event(self, colour: str, label: str, text: str, most: int = 96) -> None:
        """Print what happened just now, on one line; most: characters of the text."""
        at = f"{time.monotonic() - self._began:6.2f} s"
        text = " ".join(text.split("\n"))
        text = text if len(text) <= most else f"{text[: most - 3]}..."
        self._print(f"{at} {self._paint(colour, f'{label:<28}')} {text}")

    def _paint(self, colour: str, text: str) -> str:
        return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if self._colourful else text

    def _print(self, text: str) -> None:
        print(text, file=self._stream, flush=True)
