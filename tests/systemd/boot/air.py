"""The simulated modem of a trial, driven and read from outside."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from typing import Any, Final

from at.sms import Submit, decode
from tests.systemd.boot.waiting import until

__all__ = ["CONTROL", "PORT", "UNIT", "Air"]

PORT: Final = 7700
CONTROL: Final = "/run/simulated-modem.sock"
UNIT: Final = f"""\
[Unit]
Description=A simulated modem on TCP
[Service]
ExecStart=/opt/modem-agent/bin/modem-agent simulate --tcp 127.0.0.1:{PORT} --control {CONTROL}
[Install]
WantedBy=multi-user.target
"""
PLATFORM: Final = "000"  # Super SIM's sender
ANSWER_S: Final = 30.0


class Air:
    """What goes over the air to and from a modem. control: its control socket."""

    def __init__(self, control: Path) -> None:
        self._control = control

    def deliver(self, text: str) -> None:
        """Let a message come from the platform."""
        self._ask({"op": "deliver", "sender": PLATFORM, "text": text})

    def sent(self) -> list[str]:
        """Return the texts of the messages that left, in order."""
        texts = []
        for message in self._ask({"op": "sent"})["sent"]:
            submit = decode(message["pdu"], direction="mo").tpdu
            assert isinstance(submit, Submit)
            texts.append(submit.user_data.text or "")
        return texts

    def answer(self, id_: str, timeout_s: float = ANSWER_S) -> str:
        """Wait for the reply about a command and return it."""
        until(lambda: self._about(id_), timeout_s, f"a reply SMS about {id_}")
        return self._about(id_)[-1]

    def exchange(self, text: str, id_: str) -> tuple[str, float]:
        """Deliver a command; return its reply and the seconds from one to the other."""
        start = time.monotonic()
        self.deliver(text)
        return self.answer(id_), time.monotonic() - start

    def _about(self, id_: str) -> list[str]:
        return [text for text in self.sent() if text.split()[:1] == [id_]]

    def unplug(self, seconds: float) -> None:
        """Take the modem away for so long."""
        self._ask({"op": "vanish", "for_s": seconds})

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10.0)
            connection.connect(str(self._control))
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile() as lines:
                answer: dict[str, Any] = json.loads(lines.readline())
        assert answer["ok"], answer
        return answer
