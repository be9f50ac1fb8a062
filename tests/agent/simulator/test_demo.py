"""`modem-agent demo --http` as a person runs it."""

from __future__ import annotations

import re
import subprocess
import sys

from tests.agent.simulator.conftest import PLATFORMS


def test_the_demonstration_goes_over_all_five_platforms_and_back() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "agent", "demo", "--http"],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert not ended.stderr
    shown = re.split(r"^\d\. ", ended.stdout.partition("Read back")[0], flags=re.MULTILINE)[1:]
    assert [one.split()[0] for one in shown] == list(PLATFORMS)
    road = (
        r"HTTP POST .*beacon.*\n.* (200|201) .*\n.*SMS  \d+ -> box .*beacon state=on id=demo-\d"
        r"\n.*verdict +accepted, then succeeded\n.*SMS  box -> \d+ +demo-\d OK .*"
        r"(\n.*HTTP callback .*)+\n.*status in the API +(?i:delivered|success)\n"
        r".*HTTP (GET|POST) .*lists 'beacon state=on id=demo-\d'"
    )
    for one in shown:
        assert re.search(road, one), one
