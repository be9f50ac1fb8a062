"""Journal: whether it can be written, who owns it, what is wrong with it."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Final

from agent.doctor.check import Check
from agent.doctor.context import Patient
from agent.doctor.finding import Result, error, good, note, skipped, warning
from agent.journal.readonly import ReadOnlyError, open_read_only
from agent.journal.rows import meta

__all__ = ["CHECKS"]

SPACE_LOW: Final = 50_000_000  # octets; a year of a busy gateway is a tenth of it
SPACE_NONE: Final = 2_000_000  # the log of uncommitted pages alone may take as much
LOCKS: Final = Path("/proc/locks")
FOLDER: Final = "journal: folder"
_UNNAMED: Final = "nothing names a journal"


def _folder(patient: Patient) -> Result:
    path = patient.journal_path
    if path is None:
        return skipped(_UNNAMED)
    if patient.status is not None:
        reason = patient.status["journal"]["unavailable"]
        return error(reason, "free space; df -h says where") if reason else good(f"{path}, in use")
    return _usable(path)


def _usable(path: Path) -> Result:
    there = next(one for one in path.parents if one.exists())
    remedy = f"chown and chmod u+rwx {there}, or another [journal] path"
    if not there.is_dir():
        return error(f"{there} is no folder", "another [journal] path")
    if os.statvfs(there).f_flag & os.ST_RDONLY:
        return error(
            f"{there}: the file system is read-only", "mount it read-write; dmesg says why"
        )
    for one in (there, path):
        if one.exists() and not os.access(one, os.R_OK | os.W_OK):
            return error(f"{one}: this user may not write to it", remedy)
    if not path.exists():
        return note(f"{path} is not there yet; the agent makes it at its first start")
    return good(str(path))


def _space(patient: Patient) -> Result:
    path = patient.journal_path
    assert path is not None  # noqa: S101 - the check before
    free = shutil.disk_usage(next(one for one in path.parents if one.exists())).free
    told = f"{free / 1e6:,.0f} MB free"
    if free < SPACE_NONE:
        return error(told, "free space: nothing is accepted without")
    if free < SPACE_LOW:
        return warning(told, "free space: without, messages stay in the modem")
    return good(told)


def _owner(patient: Patient) -> Result:
    path = patient.journal_path
    assert path is not None  # noqa: S101 - the check before
    lock = path.with_name(path.name + ".lock")
    locked = _is_locked(lock)
    if locked is None:
        return note(f"{LOCKS} cannot be read, which would tell")
    if not locked:
        return good("no agent owns it")
    told = lock.read_text("utf-8", "replace").strip() or "process unknown"
    if patient.status is not None:
        return good(f"owned by the running agent ({told})")
    remedy = "run this as the agent's user or root, or end that process"
    return warning(f"owned by an agent that cannot be asked ({told})", remedy)


def _is_locked(lock: Path) -> bool | None:
    """Whether somebody holds it, None: not told; by /proc: a trial might be in an agent's way."""
    if not lock.exists():
        return False
    try:
        held = LOCKS.read_text("ascii", "replace")
    except OSError:
        return None
    return re.search(rf"FLOCK .* [0-9a-f]+:[0-9a-f]+:{lock.stat().st_ino} 0 EOF", held) is not None


def _content(patient: Patient) -> Result:
    path = patient.journal_path
    assert path is not None  # noqa: S101 - the check before
    if patient.status is None and not path.exists():
        return note("none yet")
    if patient.status is not None:
        reset_at = patient.status["journal"]["reset_at"]
    else:
        try:
            with open_read_only(path) as db:
                verdict = db.execute("PRAGMA quick_check(1)").fetchone()[0]
                reset_at = meta(db, "reset_at")
        except ReadOnlyError as problem:
            return error(str(problem), "a damaged one is set aside when the agent starts")
        if verdict != "ok":
            return error(f"damaged: {verdict}", "it is set aside when the agent starts")
    if reset_at is not None:
        told = f"begun anew {reset_at} after a loss: what is unproven is refused"
        return warning(told, "/confirm at modem-agent console, once old ids do not matter")
    return good("readable")


def _aside(patient: Patient) -> Result:
    path = patient.journal_path
    assert path is not None  # noqa: S101 - the check before
    found = sorted(path.parent.glob(f"{path.name}.damaged-*"))
    names = [one.name for one in found if not one.name.endswith(("-wal", "-shm"))]
    if names:
        remedy = "look at the disk or SD card; copy what matters (sqlite3 .recover), then delete it"
        return warning(f"{', '.join(names)} in {path.parent}", remedy)
    return good("no damaged one beside it")


CHECKS: Final = (
    Check("journal", "folder", _folder),
    Check("journal", "space", _space, needs=(FOLDER,)),
    Check("journal", "owner", _owner, needs=(FOLDER,)),
    Check("journal", "content", _content, needs=(FOLDER,)),
    Check("journal", "set aside", _aside, needs=(FOLDER,)),
)
