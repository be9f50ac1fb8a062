"""Which SIM refused its PIN: a file of its own, so that it outlives the journal."""

from __future__ import annotations

import json
import os
from pathlib import Path

from at.sim import PinMemory

__all__ = ["pin_memory"]


def pin_memory(path: Path) -> PinMemory:
    """Return the memory kept in `path`: one ICCID for each refused PIN, none of the PINs.

    An unreadable file counts as: every SIM has refused. Three wrong tries lock a SIM for good.
    """

    def known() -> set[str] | None:
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return set()
        except (OSError, ValueError):
            return None
        return set(map(str, content)) if isinstance(content, list) else None

    def refused(iccid: str) -> bool:
        iccids = known()
        return iccids is None or iccid in iccids

    def remember(iccid: str) -> None:
        _write(path, sorted((known() or set()) | {iccid}))

    def forget(iccid: str) -> None:
        _write(path, sorted((known() or set()) - {iccid}))

    return PinMemory(refused, remember, forget)


def _write(path: Path, iccids: list[str]) -> None:
    """Replace the file so that a power cut leaves the old one or the new one."""
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(iccids, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
