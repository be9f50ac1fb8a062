"""Programmable Wireless: Commands."""

from __future__ import annotations

from agent.operator.inventory import Device
from agent.operator.platforms.kore import KoreClient

__all__ = ["ProgrammableWireless"]


class ProgrammableWireless(KoreClient):
    """Asks for the SID in the body (`include_sid`, "start" unless set)."""

    path = "/v1/Commands"
    list_key = "commands"
    text_key = "command"

    async def send(self, device: Device, text: str) -> str:
        """Create a Command."""
        include = device.settings.get("include_sid", "start")
        return await self.create(
            {"Sim": device.known["sim"], "Command": text, "IncludeSid": include}
        )
