"""The wall clock that tests move: only that clock, at once, in children too."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.support.agent import Agent, simulated
from tests.support.moved_clock import MovedClock

# Tells every clock once for each line that it reads; `child`: what a child process reads.
TELL = """
import datetime, json, sqlite3, subprocess, sys, time
for line in sys.stdin:
    child = [sys.executable, "-c", "import time; print(time.time())"]
    print(json.dumps({
        "datetime": datetime.datetime.now(datetime.UTC).timestamp(),
        "time": time.time(),
        "coarse": time.clock_gettime(5),  # CLOCK_REALTIME_COARSE
        "sqlite": int(sqlite3.connect(":memory:").execute("SELECT strftime('%s')").fetchone()[0]),
        "child": float(subprocess.run(child, capture_output=True).stdout),
        "monotonic": time.monotonic(),
        "boottime": time.clock_gettime(time.CLOCK_BOOTTIME),
    }), flush=True)
"""
WALL = ("datetime", "time", "coarse", "sqlite", "child")


def _ask(process: subprocess.Popen[str]) -> dict[str, float]:
    stdin, stdout = process.stdin, process.stdout
    assert stdin is not None
    assert stdout is not None
    stdin.write("\n")
    stdin.flush()
    told: dict[str, float] = json.loads(stdout.readline())
    return told


def test_every_wall_clock_of_a_running_process_moves_and_no_other(tmp_path: Path) -> None:
    clock = MovedClock(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", TELL],
        env={"PATH": os.environ["PATH"], **clock.env},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        told = [_ask(process)]
        clock.move(40 * 86400)
        told.append(_ask(process))
        clock.set(datetime(1970, 1, 1, 0, 5, tzinfo=UTC))
        told.append(_ask(process))
        clock.set(datetime(1969, 12, 31, 23, tzinfo=UTC))
        told.append(_ask(process))
        assert process.stdin is not None
        process.stdin.close()
    real = datetime.now(UTC).timestamp()
    for one, expected in zip(told, (real, real + 40 * 86400, 300, -3600), strict=True):
        assert {name: abs(one[name] - expected) < 60 for name in WALL} == dict.fromkeys(WALL, True)
    for name in ("monotonic", "boottime"):
        assert 0 < told[-1][name] - told[0][name] < 60


def test_the_agent_stamps_by_the_clock_that_the_test_moves(tmp_path: Path) -> None:
    clock = MovedClock(tmp_path)
    clock.set(datetime(1999, 12, 31, tzinfo=UTC))
    with simulated(tmp_path) as modem, Agent(tmp_path, port=modem.path, env=clock.env) as agent:
        modem.deliver_text("000", "ping id=a")
        agent.wait_command("a")
        clock.move(timedelta(days=3660).total_seconds())
        modem.deliver_text("000", "ping id=b")
        agent.wait_command("b")
        stamps = {row["id"]: row["received_at"][:4] for row in agent.rows("commands")}
    assert stamps == {"a": "1999", "b": "2010"}
