"""What the control socket's operations may use of the agent."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from agent.channels.mqtt.channel import MqttChannel
    from agent.commands.registry import Registry
    from agent.config.model import Config
    from agent.inbound.intake import Intake
    from agent.inbound.judge import Judge
    from agent.journal.journal import Journal
    from agent.modem.link import Link
    from agent.reports.planner import Planner
    from agent.system.clock import Clock
    from agent.system.events import Events

__all__ = ["Agent"]


class Agent(Protocol):
    """The running agent, as agent.app builds it."""

    config: Config
    journal: Journal
    clock: Clock
    events: Events
    registry: Registry
    link: Link
    planner: Planner
    judge: Judge
    intake: Intake
    mqtt: MqttChannel | None

    def now(self) -> datetime:
        """Return the wall clock's time: for records."""
        ...

    def uptime_s(self) -> float:
        """Return seconds since the agent started."""
        ...

    def wake(self) -> None:
        """Let the scheduler, the senders and the reporter look at the journal again."""
        ...
