"""The gateway under examination: what was asked for, and what the checks so far have found."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from at.transcript import Transcript

if TYPE_CHECKING:
    from agent.config.model import Config
    from agent.control.client import Client
    from agent.doctor.line import Line
    from at.errors import PortError
    from at.modem import Modem
    from at.profiles.profile import Profile

__all__ = ["Patient", "Registration"]


REGISTERED: Final = frozenset({1, 5, 6, 7, 9, 10})  # TS 27.007 §7.2; 6 and 7: for SMS only


@dataclass(frozen=True, slots=True)
class Registration:
    """Registration in one domain (TS 27.007 §7.2, §10.1.20, §10.1.22); None: not told.

    cause: why it was denied, as TS 24.008 §10.5.3.6 and TS 24.301 §9.9.3.9 number it.
    """

    status: int
    technology: int | None
    cause: int | None

    @property
    def registered(self) -> bool:
        """Whether messages can come and go here."""
        return self.status in REGISTERED


@dataclass(slots=True)
class Patient:
    """Filled in check by check.

    config_path, port_named, socket: as on the command line. client, status: of the running agent
    that this configuration is of. line: the way to the modem. modem: its open port, None where the
    running agent has it. sim: what +CPIN? says, "" unknown or no card. registered: in any domain.
    """

    config_path: str | None = None
    port_named: str | None = None
    socket: Path | None = None
    config: Config | None = None
    client: Client | None = None
    status: dict[str, Any] | None = None
    modem: Modem | None = None
    line: Line | None = None
    port_error: PortError | None = None
    echo: bool = False
    profile: Profile | None = None
    model: str = ""
    sim: str = ""
    registrations: dict[str, Registration] = field(default_factory=dict)
    network_time: bool = False
    transcript: Transcript = field(default_factory=Transcript)
    heard: bool = False

    @property
    def agent_has_modem(self) -> bool:
        """Whether the modem is asked through the running agent."""
        return self.status is not None and self.port_named is None

    @property
    def port(self) -> str | None:
        """The port to look at; None where nothing names one."""
        if self.port_named is not None:
            return self.port_named
        return self.config.modem.port if self.config is not None else None

    @property
    def journal_path(self) -> Path | None:
        """Where the running agent, or else the configuration, has its journal."""
        if self.status is not None:
            return Path(self.status["journal"]["path"])
        return self.config.journal.path if self.config is not None else None

    @property
    def registered(self) -> bool:
        """Whether messages can come and go in any domain."""
        return any(one.registered for one in self.registrations.values())

    def tap(self, outgoing: bool, data: bytes) -> None:
        """Hear what passes on the line."""
        self.heard = True
        self.transcript.tap(outgoing, data)
        if not outgoing and b"AT\r" in data:
            self.echo = True

    async def close(self) -> None:
        """Let go of the modem and of the agent."""
        modem, self.modem, self.line = self.modem, None, None
        if modem is not None:
            await modem.close()
        client, self.client = self.client, None
        if client is not None:
            client.close()
