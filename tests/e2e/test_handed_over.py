"""A modem that stores nothing: messages handed over, acknowledged only once they are kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from at.simulator import PtyModem, RunningModem
from at.simulator.personalities import PERSONALITIES
from tests.support.agent import Agent

# +CNMI offers no storing with an announcement: only +CMT, or silence.
HANDS_OVER = replace(PERSONALITIES["generic"], cnmi=((0, 1, 2), (0, 2), (0,), (0, 1), (0, 1)))
COMMAND = {
    "modem": {"poll_s": 30},
    "command": {"touch": {"exec": ["/bin/echo", "done"]}},
}


@pytest.fixture
def modem(tmp_path: Path) -> Iterator[RunningModem[PtyModem]]:
    with RunningModem(lambda: PtyModem(HANDS_OVER, link=tmp_path / "modem")) as running:
        yield running


def test_a_message_that_is_handed_over_runs_once_and_is_acknowledged(
    modem: RunningModem[PtyModem], tmp_path: Path
) -> None:
    with Agent(tmp_path, port=tmp_path / "modem", settings=COMMAND) as agent:
        agent.wait_log("modem ready")
        assert modem.deliver_text("000", "touch id=one") == [None]  # stored nowhere
        agent.wait_command("one", "succeeded")
        agent.wait(lambda: modem.call(lambda shell: shell.core.traffic.acknowledged) == 1)
        modem.deliver_text("000", "touch id=two")
        agent.wait_command("two", "succeeded")
    assert [row["verdict"] for row in agent.rows("messages")] == ["accepted", "accepted"]
