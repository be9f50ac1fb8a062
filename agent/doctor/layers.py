"""The table of all layers, from the file that configures everything to who may send an SMS."""

from __future__ import annotations

from typing import Final

from agent.doctor import (
    broker,
    budget,
    clock,
    configuration,
    dialogue,
    identity,
    journal,
    messages,
    network,
    platforms,
    port,
    running,
    sim,
)
from agent.doctor.check import Check

__all__ = ["CHECKS"]

CHECKS: Final[tuple[Check, ...]] = (
    *configuration.CHECKS,
    *running.CHECKS,
    *journal.CHECKS,
    *port.CHECKS,
    *dialogue.CHECKS,
    *identity.CHECKS,
    *sim.CHECKS,
    *network.CHECKS,
    *messages.CHECKS,
    *clock.CHECKS,
    *broker.CHECKS,
    *budget.CHECKS,
    *platforms.CHECKS,
)
