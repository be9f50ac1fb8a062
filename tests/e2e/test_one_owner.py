"""One agent for one journal and for one port; the second is refused and told by whom."""

from __future__ import annotations

import re

import pytest

from tests.e2e.conftest import MakeRoad
from tests.e2e.road import Road, parts_of
from tests.support.agent import AgentError


def test_a_second_agent_on_one_journal_is_refused_and_told_who_has_it(road: Road) -> None:
    road.start()
    road.agent.wait_ready()
    second = road.agent.cli("run", env={"RUNTIME_DIRECTORY": str(road.folder / "home")})
    assert second.returncode == 1
    assert re.search(rf"process {road.agent.pid}\b", second.stderr), second.stderr
    assert "Traceback" not in second.stderr
    assert road.agent.running


def test_a_second_agent_on_one_port_waits_and_names_who_has_it(
    make_road: MakeRoad,
) -> None:
    first, second = make_road(), make_road()
    first.start()
    first.agent.wait_log("modem ready")
    second.agent.port = first.modem.path
    second.start()
    second.agent.wait_log(rf"\b{first.agent.pid}\b")
    with pytest.raises(AgentError):
        second.agent.wait_log("modem ready", timeout_s=1.0)
    # The first one is not disturbed, and the second takes over when it ends.
    first.deliver(parts_of("mark id=a note=x")[0])
    first.wait(lambda: first.effects() == ["a"], "effect")
    assert first.agent.stop() == 0
    second.agent.wait_log("modem ready", timeout_s=10.0)
