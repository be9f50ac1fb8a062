"""A box under attack: the agent with one command that leaves a trace, and signatures made here."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from at import sms
from at.simulator import PtyModem
from at.simulator.running import RunningModem
from tests.support.agent import Agent

KEY, OTHER = b"correct horse battery staple 017", b"another key of thirty-two octets"
CLOSED, OPEN = "000", "567300905"  # the senders of super-sim and of an OmniSIM's short code
EVERYTHING_OPEN = ("super-sim", "connectivitypro")  # connectivitypro is, and opens the other


def signed(
    key: bytes,
    c: int,
    cmd: str,
    args: Mapping[str, str] | None = None,
    *,
    device: str = "gw",
    k: str = "0",
    id_: str = "",
) -> str:
    """Sign as docs/payloads.md says, sharing nothing with the agent."""
    body = {"args": args, "cmd": cmd, "id": id_}
    canonical = json.dumps(
        {name: value for name, value in body.items() if value},
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ":"),
    )
    digest = hmac.new(key, f"{device}\n{k}\n{c}\n{canonical}".encode(), hashlib.sha256).digest()
    words = [cmd, *(f"{name}={value}" for name, value in (args or {}).items())]
    words += [f"id={id_}"] if id_ else []
    words += [f"k={k}"] if k != "0" else []
    return " ".join([*words, f"c={c}", f"m={base64.b32encode(digest).decode()[:10]}"])


class Box:
    """An agent whose command `mark` leaves its id in a file: the effect."""

    def __init__(self, folder: Path, modem: RunningModem[PtyModem]) -> None:
        self.modem = modem
        self.effects_path = folder / "effects"
        self.key_path = folder / "key"
        self.other_path = folder / "other"
        for path, key in ((self.key_path, KEY), (self.other_path, OTHER)):
            path.write_bytes(key)
            path.chmod(0o600)
        self.agent = Agent(folder, port=modem.path)

    def start(self, *, enabled: tuple[str, ...] = EVERYTHING_OPEN, **more: Any) -> None:
        """Start the agent; more: tables of the configuration, in place of these or beside."""
        script = f'echo "$MODEM_AGENT_COMMAND_ID" >>{self.effects_path}'
        mark = {
            "exec": ["/bin/sh", "-c", script, "{note}"],
            "args": {"note": {"default": "", "pattern": "[^$]{0,20}"}},
        }
        self.agent.settings = {
            "platforms": {"enabled": list(enabled)},
            "security": {"keys": {"0": {"file": self.key_path}}},
            "budget": {"sms_per_hour": 100},
            **more,
            "command": {"mark": mark, **more.get("command", {})},
        }
        self.agent.start()

    @property
    def effects(self) -> list[str]:
        """The ids that had their effect, in order."""
        return self.effects_path.read_text().split() if self.effects_path.exists() else []

    @property
    def replies(self) -> list[tuple[str, str]]:
        """Every SMS that left: (to, text)."""
        found = []
        for one in self.modem.sent:
            submit = sms.decode(one.pdu, direction="mo").tpdu
            assert isinstance(submit, sms.Submit)
            found.append((str(submit.destination), submit.user_data.text or ""))
        return found

    def verdict(self, text: str, *, count: int = 1) -> tuple[str, str, str]:
        """What the journal says of the count-th message with this text."""
        sql = "SELECT verdict, reason, detail FROM messages WHERE text = ? ORDER BY n"
        row = self.agent.wait_rows(sql, text, count=count)[count - 1]
        return row["verdict"], row["reason"], row["detail"]

    def deliver(self, sender: str, text: str) -> tuple[str, str, str]:
        """Bring a message and return its verdict."""
        known = len(self.agent.query("SELECT 1 FROM messages WHERE text = ?", text))
        self.modem.deliver_text(sender, text)
        return self.verdict(text, count=known + 1)

    def reply(self, start: str) -> tuple[str, str]:
        """Wait for an SMS that begins so; replies leave in the order they were planned."""
        return self.agent.wait(
            lambda: next((one for one in self.replies if one[1].startswith(start)), None),
            f"a reply {start!r}",
        )

    def quiet(self) -> None:
        """Return when everything that came before has been answered."""
        self.deliver(CLOSED, "ping id=end")
        self.reply("end OK")
