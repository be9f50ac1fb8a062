"""A simulated modem for tests: a pure core that speaks AT, served on a pty or over TCP."""

from __future__ import annotations

from at.simulator.core import SimulatedModem
from at.simulator.operations import operate
from at.simulator.personalities import PERSONALITIES
from at.simulator.personality import Personality
from at.simulator.pty_shell import PtyModem
from at.simulator.running import RunningModem
from at.simulator.state import Faults
from at.simulator.tcp_shell import TcpModem
from at.simulator.traffic import Sent

__all__ = [
    "PERSONALITIES",
    "Faults",
    "Personality",
    "PtyModem",
    "RunningModem",
    "Sent",
    "SimulatedModem",
    "TcpModem",
    "operate",
]
