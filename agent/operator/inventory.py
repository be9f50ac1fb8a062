"""The inventory: the platforms' accounts and the devices behind them (docs/operator.md)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from agent.config.model import Problem
from agent.payload.signatures import DEFAULT_KEY_ID

__all__ = ["TIMEOUT_S", "Account", "Device", "Inventory", "default_path"]

TIMEOUT_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Account:
    """A platform as its customer knows it.

    url: without a slash at its end. token_url: where tokens come from, "" where the platform has
    its own way. settings: the rest, by key. secrets: by key without `_file`.
    """

    platform: str
    url: str
    token_url: str = ""
    timeout_s: float = TIMEOUT_S
    settings: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Device:
    """A device as its platform names it: `known` has sim, iccid, msisdn or endpoint.

    settings: of the account, what the device sets itself included. key: None where nothing is
    signed; device_id is what a signature is made for.
    """

    name: str
    account: Account
    known: Mapping[str, str]
    settings: Mapping[str, str] = field(default_factory=dict)
    device_id: str = ""
    key: bytes | None = field(default=None, repr=False)
    key_id: str = DEFAULT_KEY_ID


@dataclass(frozen=True, slots=True)
class Inventory:
    """What an inventory file says.

    public_url: where the platforms call `operator listen`, "" for the address it listens at.
    log: where that keeps what it received, for `send --wait`.
    """

    source: Path
    accounts: Mapping[str, Account]
    devices: Mapping[str, Device]
    log: Path
    public_url: str = ""
    warnings: tuple[Problem, ...] = ()


def default_path(env: Mapping[str, str] = os.environ) -> Path:
    """Give the inventory that is read where none is named."""
    home = env.get("XDG_CONFIG_HOME") or str(Path(env.get("HOME") or Path.home()) / ".config")
    return Path(home) / "modem-agent" / "operator.toml"
