"""Which SIM refused its PIN: a file of its own, so that it outlives the journal."""

from __future__ import annotations

import json
from pathlib import Path

from agent.system.atomic_file import replace_file
from at.bringup.sim import PinMemory

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
        replace_file(path, json.dumps(sorted((known() or set()) | {iccid})))

    def forget(iccid: str) -> None:
        replace_file(path, json.dumps(sorted((known() or set()) - {iccid})))

    return PinMemory(refused, remember, forget)
