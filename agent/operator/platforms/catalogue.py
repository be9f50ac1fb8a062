"""The clients by the platforms' names."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from agent.operator.platforms.client import Client
from agent.operator.platforms.connectivitypro import ConnectivityPro
from agent.operator.platforms.emnify import Emnify
from agent.operator.platforms.m2m_portal import M2mPortal
from agent.operator.platforms.programmable_wireless import ProgrammableWireless
from agent.operator.platforms.super_sim import SuperSim

__all__ = ["CLIENTS"]

CLIENTS: Final[Mapping[str, type[Client]]] = MappingProxyType(
    {
        "programmable-wireless": ProgrammableWireless,
        "super-sim": SuperSim,
        "connectivitypro": ConnectivityPro,
        "m2m-portal": M2mPortal,
        "emnify": Emnify,
    }
)
