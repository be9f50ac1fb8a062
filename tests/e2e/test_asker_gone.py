"""Whoever asks may be gone before the commit: what was accepted runs all the same."""

from __future__ import annotations

from pathlib import Path

from tests.support.agent import Agent
from tests.support.control import Conversation

COMMANDS = 40


def test_a_client_that_sends_and_closes_leaves_nothing_asleep(tmp_path: Path) -> None:
    settings = {
        "command": {"note": {"exec": ["/bin/true"], "channels": ["console"]}},
        "budget": {"commands_per_minute": 1000},
    }
    with Agent(tmp_path, settings=settings) as agent:
        agent.wait_log("agent ready")
        for n in range(COMMANDS):
            asker = Conversation(agent.control_path)
            asker.request("send", text=f"note id=n{n}")
            asker.close()
            with Conversation(agent.control_path) as other:
                assert other.answers("status")[-1]["done"]  # whoever came before has been served
        assert agent.rows("commands")
        agent.wait_rows(
            "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM commands WHERE state <> 'succeeded')",
            timeout_s=20.0,
        )
