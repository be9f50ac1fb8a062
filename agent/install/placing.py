"""Reads and writes files of a system whole: a reader finds the old one or the new one."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

__all__ = ["digest", "make_folder", "octets_of", "write_whole"]


def octets_of(path: Path) -> bytes | None:
    """Return what a file holds, None where there is none."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def digest(octets: bytes) -> str:
    """Return the SHA-256 as hex digits."""
    return hashlib.sha256(octets).hexdigest()


def make_folder(path: Path) -> None:
    """Make a folder with its parents; the umask has no say in who can look into /etc."""
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir()
        path.chmod(0o755)


def write_whole(path: Path, octets: bytes, mode: int, group: int | None) -> None:
    """Write a file, with its folder, whole or not at all.

    group: a number, None: the writer's; only root can give a file away.
    """
    make_folder(path.parent)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        aside.touch(mode=0o600, exist_ok=False)
        with aside.open("wb") as file:
            file.write(octets)
            if group is not None and os.geteuid() == 0:
                os.fchown(file.fileno(), -1, group)
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
