"""The whole road of a command, with a process that may be killed anywhere on it.

A `Road` is one simulated modem and one agent; `Road.check` says what must hold at its end, however
often and wherever the agent was killed.
"""

from __future__ import annotations

import contextlib
import signal
import sqlite3
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from at import sms
from at.simulator import PtyModem
from at.simulator.running import RunningModem
from at.simulator.texts import pdus_of
from tests.e2e.forked import ForkedAgent, ForkServer
from tests.support.agent import AgentError, simulated

STAMP = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
PATIENCE_S = 40.0
EFFECT = "the side effect"
SENTINEL = "ping id=last"
UNDER_WAY = "SELECT id, state FROM commands WHERE state IN ('received', 'accepted', 'running')"


class Road:
    """One modem, one agent whose command `mark` appends its id to a file: the side effect.

    traced: the side effect appears in the trace too, as a point without a number.
    """

    def __init__(
        self, server: ForkServer, folder: Path, *, traced: bool = False, **settings: Any
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.effects_path = folder / "effects"
        self.trace_path = folder / "trace"
        self._traced = traced
        self.modem: RunningModem[PtyModem] = simulated(folder)
        self.agent = ForkedAgent(server, folder, settings=self._settings(settings))
        self.delivered: list[str] = []

    def _settings(self, more: dict[str, Any]) -> dict[str, Any]:
        script = f'echo "$MODEM_AGENT_COMMAND_ID" >>{self.effects_path}'
        if self._traced:
            script += f"; echo '0 {EFFECT}' >>{self.trace_path}"
        mark = {
            "exec": ["/bin/sh", "-c", script, "{note}"],
            "args": {"note": {"type": "string", "required": True}},
        }
        return {
            "modem": {"poll_s": 30},
            "budget": {"sms_per_hour": 1000, "sms_per_day": 1000, "commands_per_minute": 1000},
            "command": {"mark": mark},
            **more,
        }

    def __enter__(self) -> Self:
        self.modem.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.agent.kill()
        self.modem.__exit__(kind, error, trace)

    # ---- what is done -----------------------------------------------------------------------

    def start(self, *, kill_at: int = 0, bring_up: bool = False, **points: Any) -> None:
        """Start the agent with its points counted; it ends itself at `kill_at`."""
        self.agent.points = {
            "trace": str(self.trace_path),
            "kill_at": kill_at,
            "bring_up": bring_up,
            **points,
        }
        self.trace_path.unlink(missing_ok=True)
        self.agent.start(wait_ready=False)

    def restart(self) -> None:
        """Start it again where nothing kills it."""
        self.agent.kill()
        self.agent.points = None
        self.agent.start(wait_ready=False)

    def deliver(self, pdu: str, *, announce: bool = True) -> int | None:
        """Bring a message; returns its index."""
        self.delivered.append(pdu)
        return self.modem.deliver(pdu, announce=announce)

    def settle(self) -> None:
        """Return when nothing is in the modem or under way any more, but perhaps a report."""
        self.modem.deliver_text("000", SENTINEL)
        self.wait(lambda: any(reply.startswith("last ") for reply in self.replies()), "sentinel")
        self.wait(lambda: not self.agent.query(UNDER_WAY), "end of all commands")
        self.wait(lambda: not self.stored(), "empty memories")

    def wait(self, probe: Callable[[], object], what: str) -> None:
        try:
            self.agent.wait(lambda: bool(probe()) or None, what, timeout_s=PATIENCE_S)
        except AgentError as error:
            if not self.agent.running:
                raise
            self.agent.send_signal(signal.SIGUSR1)  # every thread tells the log where it stands
            time.sleep(0.2)
            seen = f"replies {self.replies()}, stored {self.stored()}, effects {self.effects()}"
            raise AgentError(f"{error}\n{seen}\n{self.agent.log[-4000:]}") from None

    def wait_or_death(self, probe: Callable[[], object], what: str) -> bool:
        """Wait for something or for the agent's death; returns whether it is alive."""
        try:
            self.wait(probe, what)
        except AgentError:
            if self.agent.running:
                raise
            return False
        return self.agent.running

    # ---- what is seen from outside ------------------------------------------------------------

    def effects(self) -> list[str]:
        """The ids of the commands that had their side effect, once for each time."""
        return self.effects_path.read_text().split() if self.effects_path.exists() else []

    def replies(self) -> list[str]:
        """The texts of the SMS that the network took."""
        return [text_of(sent.pdu) for sent in self.modem.sent]

    def stored(self) -> int:
        """How many messages are in the modem."""
        return len(self.modem.messages("SM")) + len(self.modem.messages("ME"))

    def points(self) -> list[str]:
        """The names of the points that the last start has passed, in order."""
        lines = self.trace_path.read_text().splitlines() if self.trace_path.exists() else []
        return [line.split(" ", 1)[1] for line in lines]

    # ---- what must hold -------------------------------------------------------------------------

    def check(self, id_: str) -> str:
        """Stop the agent and judge all there is of one command; returns its final state.

        To be called once everything has been seen to be told.
        """
        assert self.agent.stop() == 0
        journal = sqlite3.connect(self.agent.journal_path)
        with contextlib.closing(journal) as db:
            state = check_journal(db, id_, self.delivered)
        effects = self.effects().count(id_)
        assert effects <= 1, f"executed {effects} times"
        if state == "succeeded":
            assert effects == 1, "told as done, but never done"
        else:
            assert state == "interrupted", state
        log = self.agent.log
        assert "Traceback" not in log, log[-3000:]
        return state

    def check_replies(self, id_: str, state: str) -> None:
        """Judge what was told by SMS of one command that ended in `state`."""
        told = [reply for reply in self.replies() if reply.startswith(f"{id_} ")]
        wanted = f"{id_} OK" if state == "succeeded" else f"{id_} ER interrupted"
        final = [reply for reply in told if not reply.startswith(f"{id_} WT")]
        assert final, "never told"
        assert all(reply.startswith(wanted) for reply in final), (state, told)
        assert not self.stored()


def check_journal(db: sqlite3.Connection, id_: str, delivered: Sequence[str]) -> str:
    """Judge a closed journal: everything delivered is there, and nothing is left half done."""
    assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    states = [
        row[0] for row in db.execute("SELECT state FROM commands WHERE id = ? ORDER BY n", (id_,))
    ]
    assert len(states) == 1, f"one command, not {states}"
    # In text mode there is no PDU to compare: the sender with what was said, part by part.
    read = set(db.execute("SELECT sender, sequence, data FROM segments"))
    lost = [pdu for pdu in delivered if said_in(pdu) not in read]
    assert not lost, f"deleted from the modem, but not in the journal: {lost}"
    waiting = db.execute(
        "SELECT count(*) FROM segments WHERE verdict = 'part' AND message IS NULL"
    ).fetchone()[0]
    assert waiting == 0, "a part waits for a message that is complete"
    given_up = db.execute("SELECT kind, channel FROM reports WHERE state = 'undeliverable'")
    assert given_up.fetchall() == []
    # What was told may still wait for its last, lazy commit; what is under way may not.
    assert db.execute(UNDER_WAY).fetchall() == []
    return str(states[0])


def parts_of(text: str, *, sender: str = "000", reference: int = 77) -> list[str]:
    """The PDUs of a text, always the same for the same text."""
    return list(pdus_of(sender, text, STAMP, reference=reference))


def said_in(pdu: str) -> tuple[str, int, bytes]:
    """Sender, number of the part and user data of a PDU, as the journal keeps them."""
    tpdu = sms.decode(pdu).tpdu
    assert isinstance(tpdu, sms.Deliver)
    concat = tpdu.user_data.concat
    return str(tpdu.originator), concat.sequence if concat else 1, tpdu.user_data.octets


def text_of(pdu: str) -> str:
    """The text of a submitted PDU."""
    tpdu = sms.decode(pdu).tpdu
    assert isinstance(tpdu, sms.Submit)
    return tpdu.user_data.text or ""
