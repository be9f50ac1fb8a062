"""The control socket that a configuration names: a tenth of the cost of reading it whole."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

from agent.config.files import Files
from agent.config.problems import Complaints

__all__ = ["socket_of"]


def socket_of(path: Path, env: Mapping[str, str] = os.environ) -> Path | None:
    """Return what `control.socket` says, None where it, or the whole file, says nothing usable.

    Nothing else in the file is judged: for a client that was not given the file.
    """
    try:
        socket = (
            tomllib.loads(path.read_bytes().decode("utf-8-sig")).get("control", {}).get("socket")
        )
    except (OSError, ValueError, AttributeError, RecursionError):
        return None
    usable = isinstance(socket, str) and socket and "\0" not in socket
    return Files(path.absolute().parent, env, Complaints()).locate(socket) if usable else None
