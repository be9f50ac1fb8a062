"""Super SIM: SMS Commands."""

from __future__ import annotations

from agent.operator.inventory import Device
from agent.operator.platforms.kore import KoreClient

__all__ = ["SuperSim"]


class SuperSim(KoreClient):
    """Text only."""

    path = "/v1/SmsCommands"
    list_key = "sms_commands"
    text_key = "payload"

    async def send(self, device: Device, text: str) -> str:
        """Create an SMS Command."""
        return await self.create({"Sim": device.known["sim"], "Payload": text})
