"""NTP clients other than timesyncd: programs in PATH that say what the real ones say."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.system.clock import Clock
from agent.system.ntp import NONE_S, Ntp

CHRONY = "A29FC801,162.159.200.1,4,1764100000.1,0.00001,0.00002,0.00003,-1.2,0.0,0.1,0.02,0.1,64.4"


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that no marker vouches for, and nothing in PATH yet."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return Clock(tmp_path / "no-marker")


def program(folder: Path, name: str, output: str, status: int = 0) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{output}'\nexit {status}\n")
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("name", "output"),
    [
        ("timedatectl", "yes"),
        ("chronyc", f"{CHRONY},Normal"),
        ("chronyc", f"{CHRONY},Insert second"),
        ("ntpq", "leap=00"),
        ("ntpq", "associd=0 status=0115 leap_none, sync_ntp, 1 event, clock_sync,\nleap=00"),
    ],
)
async def test_whoever_keeps_the_clock_makes_it_trusted(
    clock: Clock, tmp_path: Path, name: str, output: str
) -> None:
    program(tmp_path, name, output)
    assert await Ntp(clock).ask() < NONE_S
    assert clock.trusted() is not None


@pytest.mark.parametrize(
    ("name", "output", "status"),
    [
        ("timedatectl", "no", 0),
        ("timedatectl", "yes", 1),
        ("timedatectl", "Failed to connect to bus: yes", 0),
        ("chronyc", f"{CHRONY},Not synchronised", 0),
        ("chronyc", "506 Cannot talk to daemon", 1),
        ("ntpq", "leap=11", 0),
        ("ntpq", "associd=0 status=c016 leap_alarm, sync_unspec, 1 event, restart,", 0),
    ],
)
async def test_a_clock_that_nobody_keeps_is_not_trusted(
    clock: Clock, tmp_path: Path, name: str, output: str, status: int
) -> None:
    clock.tell_synchronised(1000)
    program(tmp_path, name, output, status)
    assert await Ntp(clock).ask() < NONE_S
    assert clock.trusted() is None


async def test_where_there_is_nobody_to_ask_it_is_asked_once_a_day(clock: Clock) -> None:
    assert await Ntp(clock).ask() == NONE_S
    assert clock.trusted() is None
