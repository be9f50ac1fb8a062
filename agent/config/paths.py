"""Where files live when the configuration does not say."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

SYSTEM_CONFIG = Path("/etc/modem-agent/modem-agent.toml")
SYSTEM_RUNTIME = Path("/run/modem-agent")  # RuntimeDirectory= of the packaged unit
SERVICE_CREDENTIALS = Path("/run/credentials/modem-agent.service")  # systemd.exec(5)
SYSTEM_STATE = Path("/var/lib/modem-agent")  # StateDirectory= of the packaged unit
JOURNAL_NAME = "journal.db"
SOCKET_NAME = "control.sock"


def config_candidates(env: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """The configuration files looked for, in order, when none is named."""
    home = env.get("XDG_CONFIG_HOME") or str(_home(env) / ".config")
    return SYSTEM_CONFIG, Path(home) / "modem-agent" / "modem-agent.toml"


def find_config(env: Mapping[str, str] = os.environ) -> Path | None:
    """The first configuration file that exists, or None."""
    return next((path for path in config_candidates(env) if path.is_file()), None)


def state_folder(env: Mapping[str, str] = os.environ) -> Path:
    """$STATE_DIRECTORY under systemd, else the user's state folder."""
    if folder := _first(env.get("STATE_DIRECTORY")):
        return folder
    home = env.get("XDG_STATE_HOME") or str(_home(env) / ".local" / "state")
    return Path(home) / "modem-agent"


def journal_path(env: Mapping[str, str] = os.environ) -> Path:
    """The journal's default place."""
    return state_folder(env) / JOURNAL_NAME


def counters_path(env: Mapping[str, str] = os.environ) -> Path:
    """Where the last counter given to each signing key is remembered, by user."""
    return state_folder(env) / "counters.json"


def runtime_folder(env: Mapping[str, str] = os.environ) -> Path:
    """$RUNTIME_DIRECTORY under systemd, else the user's runtime folder, else one per user in /tmp.

    The folder may not exist yet: whoever creates it does so with mode 0700.
    """
    if folder := _first(env.get("RUNTIME_DIRECTORY")):
        return folder
    if folder := _first(env.get("XDG_RUNTIME_DIR")):
        return folder / "modem-agent"
    return Path(env.get("TMPDIR") or "/tmp") / f"modem-agent-{os.getuid()}"  # noqa: S108 - the owner is checked by who binds or connects


def control_path(env: Mapping[str, str] = os.environ) -> Path:
    """The control socket that a running agent binds."""
    return runtime_folder(env) / SOCKET_NAME


def control_candidates(env: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """The control sockets that a client tries, in order: its own user's, then the service's."""
    own, service = control_path(env), SYSTEM_RUNTIME / SOCKET_NAME
    return (own,) if own == service else (own, service)


def _home(env: Mapping[str, str]) -> Path:
    return Path(env["HOME"]) if env.get("HOME") else Path.home()


def _first(folders: str | None) -> Path | None:
    """systemd joins several folders with colons: the first one is ours."""
    first = (folders or "").split(":", 1)[0]
    return Path(first) if first else None
