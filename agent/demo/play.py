"""Plays the scenario on the stage, and reads the truth back afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import tempfile
from pathlib import Path

from agent.demo.scenario import Step, new_scenario
from agent.demo.stage import Stage, StageError, open_stage
from agent.demo.timeline import Timeline
from at import sms

__all__ = ["play"]

STEP_TIMEOUT_S = 15.0
SILENCE_S = 1.0  # how long nothing may leave before a stranger counts as unanswered


class _Player:
    """Shows one step after the other and notes what was not as it must be."""

    def __init__(self, stage: Stage, timeline: Timeline) -> None:
        self.stage = stage
        self.timeline = timeline
        self.failures: list[str] = []
        self._sent_shown = 0
        self._heard_shown = 0

    async def play(self, number: int, step: Step) -> None:
        """Deliver a step's message and show what follows."""
        stage = self.stage
        self._heard_shown = len(stage.heard)
        sent_before = len(stage.modem.sent)
        results_before = self._results()
        self.timeline.step(number, step)
        for pdu in step.pdus:
            stage.modem.deliver(pdu)

        def seen() -> bool:
            self._show()
            return (
                len(stage.modem.sent) >= sent_before + step.replies
                and self._results() >= results_before + step.results
                and self._verdicts() >= number
            )

        if not await stage.until(seen, STEP_TIMEOUT_S):
            self.failures.append(f"step {number} was not answered in {STEP_TIMEOUT_S:g} s")
        if step.replies == 0:
            await asyncio.sleep(SILENCE_S)
            self.timeline.say("(silence)")
        self._show()
        if len(stage.modem.sent) != sent_before + step.replies:
            self.failures.append(f"step {number} sent more SMS than it should have")

    def _results(self) -> int:
        return sum(1 for heard in self.stage.heard if heard.topic == "command/result")

    def _verdicts(self) -> int:
        return sum(
            1
            for heard in self.stage.heard
            if heard.topic == "event" and heard.body["kind"] == "message"
        )

    def _show(self) -> None:
        for sent in self.stage.modem.sent[self._sent_shown :]:
            self.timeline.sent(sent.pdu)
            self._sent_shown += 1
        for heard in self.stage.heard[self._heard_shown :]:
            self.timeline.heard(heard)
            self._heard_shown += 1


def _read_back(stage: Stage, steps: tuple[Step, ...], timeline: Timeline) -> list[str]:
    """Print what journal, broker and modem say; return where that is not what must be."""
    with contextlib.closing(sqlite3.connect(f"file:{stage.journal}?mode=ro", uri=True)) as db:
        verdicts = db.execute(
            "SELECT m.sender, m.verdict, coalesce(c.state, ''), coalesce(c.command, '')"
            " FROM messages m LEFT JOIN commands c ON c.n = m.command ORDER BY m.n"
        ).fetchall()
        runs = db.execute("SELECT count(*) FROM commands WHERE started_at IS NOT NULL").fetchone()
        pending = db.execute("SELECT count(*) FROM reports WHERE state = 'pending'").fetchone()
    results = [heard.body for heard in stage.heard if heard.topic == "command/result"]
    replies = [sms.decode(sent.pdu, direction="mo").tpdu for sent in stage.modem.sent]
    addresses = [str(tpdu.destination) for tpdu in replies if isinstance(tpdu, sms.Submit)]
    timeline.head("\nRead back from the journal")
    timeline.table(
        [
            (sender, f"{verdict:<10} {command} {state}")
            for sender, verdict, state, command in verdicts
        ]
    )
    timeline.head("Read back from all three")
    repeats = sum(1 for body in results if body["duplicate"])
    timeline.table(
        [
            ("commands run (journal)", runs[0]),
            ("reports still pending (journal)", pending[0]),
            ("results published (broker)", f"{len(results)}, {repeats} of them a repeat"),
            ("SMS sent (modem)", f"{len(addresses)}, to {', '.join(sorted(set(addresses)))}"),
            ("messages left in the SIM (modem)", stage.modem.store["SM"].used),
        ]
    )
    expected = [(step.sender, step.verdict, step.state) for step in steps]
    wrong = []
    if [tuple(row[:3]) for row in verdicts] != expected:
        wrong.append("the journal's verdicts are not what they must be")
    if runs[0] != sum(1 for step in steps if step.verdict == "accepted"):
        wrong.append("a command did not run exactly once")
    if pending[0] or len(results) != sum(step.results for step in steps):
        wrong.append("not every outcome was told")
    if len(addresses) != sum(step.replies for step in steps):
        wrong.append("more or fewer SMS left than must")
    if stage.modem.store["SM"].used:
        wrong.append("messages were left in the SIM")
    return wrong


async def _play(folder: Path, *, keep: bool) -> int:
    timeline = Timeline()
    steps = new_scenario()
    async with open_stage(folder) as stage:
        timeline.head("modem-agent demo: a real agent process, a simulated modem, a small broker")
        timeline.say(f"serial port  {stage.modem.path}")
        timeline.say(f"MQTT broker  127.0.0.1:{stage.broker_port}")
        timeline.say(
            'require_signature = "never": here, and only here, commands run unsigned', "bad"
        )
        player = _Player(stage, timeline)
        for number, step in enumerate(steps, 1):
            await player.play(number, step)
        await stage.until(lambda: _settled(stage), STEP_TIMEOUT_S)
        wrong = player.failures + _read_back(stage, steps, timeline)
        for one in wrong:
            timeline.say(f"NOT AS IT MUST BE: {one}", "bad")
        if not wrong:
            timeline.head(
                "\nEach command ran once, each outcome was told, the stranger heard nothing."
            )
        if keep:
            timeline.head(f"\nLeft running (Ctrl-C ends it). Configuration: {stage.config}")
            timeline.say(f"modem-agent --config {stage.config} history")
            timeline.say(f"mosquitto_sub -p {stage.broker_port} -v -t '#'")
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
        return 1 if wrong else 0


def _settled(stage: Stage) -> bool:
    """Whether nothing is pending on disk any more and the SIM is empty."""
    with contextlib.closing(sqlite3.connect(f"file:{stage.journal}?mode=ro", uri=True)) as db:
        row = db.execute("SELECT count(*) FROM reports WHERE state = 'pending'").fetchone()
    return row[0] == 0 and stage.modem.store["SM"].used == 0


def play(*, keep: bool) -> int:
    """Run the demonstration; returns 0 where everything was as it must be.

    keep: leave everything running until it is interrupted. Raises StageError.
    """
    with tempfile.TemporaryDirectory(prefix="modem-agent-demo-") as folder:
        try:
            return asyncio.run(_play(Path(folder), keep=keep))
        except KeyboardInterrupt:
            return 0 if keep else 130
        except OSError as error:
            raise StageError(f"cannot start: {error}") from error
