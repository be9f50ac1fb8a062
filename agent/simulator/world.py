"""What there is in the world: platforms' accounts, SIMs as each platform knows them, modems.

A world file is TOML (docs/platform-simulator.md). Without one there is a single modem whose one
SIM every platform knows as `gateway-17`, with credentials made up at the start.
"""

from __future__ import annotations

import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

__all__ = ["PLATFORMS", "Sim", "World", "WorldError", "made_up", "read"]

PLATFORMS: Final = (
    "programmable-wireless",
    "super-sim",
    "connectivitypro",
    "m2m-portal",
    "emnify",
)
# What authenticates a client, by platform: the names of the real API's own words.
CREDENTIALS: Final[Mapping[str, tuple[str, ...]]] = {
    "programmable-wireless": ("client_id", "client_secret"),
    "super-sim": ("client_id", "client_secret"),
    "connectivitypro": ("client_id", "client_secret", "api_key", "account_id"),
    "m2m-portal": ("username", "password"),
    "emnify": ("application_token",),
}
_HEX_32: Final = 16  # octets of a SID's random part


class WorldError(Exception):
    """A world file that cannot be meant; the text names the key."""


@dataclass(frozen=True, slots=True)
class Sim:
    """One SIM.

    modem: the link of the terminal it sits behind. known: by platform, what it is called there
    (sid, unique_name, iccid, msisdn, endpoint_id …) and where its messages go (callback_url).
    """

    name: str
    modem: Path | None
    known: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class World:
    """platforms: credentials and settings by platform; sims: by name."""

    platforms: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    sims: Mapping[str, Sim] = field(default_factory=dict)

    def modems(self) -> dict[Path | None, list[Sim]]:
        """Return the SIMs by the modem they sit in."""
        by_modem: dict[Path | None, list[Sim]] = {}
        for sim in self.sims.values():
            by_modem.setdefault(sim.modem, []).append(sim)
        return by_modem


def read(path: Path) -> World:
    """Read a world file. Raises WorldError, which names the key, and OSError."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise WorldError(f"{path}: {error}") from None
    unknown = sorted(set(tables) - {"platform", "sim"})
    if unknown:
        raise WorldError(f"{path}: {unknown[0]} is unknown; there are platform and sim")
    platforms = _tables(tables.get("platform", {}), "platform")
    for name in platforms:
        if name not in PLATFORMS:
            raise WorldError(f"{path}: platform.{name} is unknown; {', '.join(PLATFORMS)}")
    sims: dict[str, Sim] = {}
    for name, table in _tables(tables.get("sim", {}), "sim").items():
        sims[name] = _sim(path, name, table)
    world = World(_accounts(platforms), sims)
    _check(path, world)
    return world


def made_up(modem: Path | None, callback_url: str = "") -> World:
    """Give the world without a file: one SIM, credentials as random as real ones."""
    given = {"callback_url": callback_url} if callback_url else {}
    known = {name: _names(name, "gateway-17", given) for name in PLATFORMS}
    return World(_accounts({}), {"gateway-17": Sim("gateway-17", modem, known)})


def _sim(path: Path, name: str, table: Mapping[str, Any]) -> Sim:
    modem = table.get("modem")
    if modem is not None and not isinstance(modem, str):
        raise WorldError(f"{path}: sim.{name}.modem must be a string")
    known = {}
    for key, value in table.items():
        if key == "modem":
            continue
        if key not in PLATFORMS:
            raise WorldError(f"{path}: sim.{name}.{key} is unknown; modem, {', '.join(PLATFORMS)}")
        if not isinstance(value, dict):
            raise WorldError(f"{path}: sim.{name}.{key} must be a table")
        known[key] = _names(key, name, value)
    return Sim(name, Path(modem) if modem else None, known)


def _check(path: Path, world: World) -> None:
    """No two SIMs of one platform share a name that the platform finds them by."""
    for platform in PLATFORMS:
        seen: dict[tuple[str, str], str] = {}
        for sim in world.sims.values():
            for key in ("sid", "unique_name", "iccid", "msisdn", "endpoint_id", "subscription_id"):
                value = sim.known.get(platform, {}).get(key)
                if value is None:
                    continue
                other = seen.setdefault((key, str(value)), sim.name)
                if other != sim.name:
                    problem = f"sim.{sim.name}.{platform}.{key} is that of {other} too"
                    raise WorldError(f"{path}: {problem}")


def _tables(value: Any, where: str) -> dict[str, Mapping[str, Any]]:
    if not isinstance(value, dict) or not all(isinstance(one, dict) for one in value.values()):
        raise WorldError(f"{where} must hold tables")
    return value


def _accounts(given: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Complete all accounts; the two KORE platforms share one client unless the file says not."""
    accounts = {name: _account(name, given.get(name, {})) for name in PLATFORMS}
    shared = accounts["programmable-wireless"]
    if "client_id" not in given.get("super-sim", {}):
        keys = ("client_id", "client_secret", "account_sid")
        accounts["super-sim"] |= {key: shared[key] for key in keys if key not in given}
    return dict(accounts)


def _account(platform: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Complete an account: whatever the file leaves out is made up."""
    account: dict[str, Any] = {name: secrets.token_hex(12) for name in CREDENTIALS[platform]}
    if platform in ("programmable-wireless", "super-sim"):
        account["account_sid"] = "AC" + secrets.token_hex(_HEX_32)
    return {**account, **given}


def _names(platform: str, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Complete how a platform knows a SIM."""
    iccid = "89" + "".join(secrets.choice("0123456789") for _ in range(17))
    msisdn = "44" + "".join(secrets.choice("0123456789") for _ in range(10))
    made: dict[str, Any] = {"unique_name": name, "iccid": iccid, "msisdn": msisdn}
    if platform == "programmable-wireless":
        made["sid"] = "DE" + secrets.token_hex(_HEX_32)
    elif platform == "super-sim":
        made["sid"] = "HS" + secrets.token_hex(_HEX_32)
    elif platform == "connectivitypro":
        made |= {"subscription_id": f"cmp-k1-subscription-{secrets.randbelow(10**8):08}"}
        made |= {"service_type": "OmniSIM"}
    elif platform == "emnify":
        made["endpoint_id"] = 10_000_000 + secrets.randbelow(10_000_000)
    return {**made, **given}
