"""Whether the control socket's folder can be trusted: a name in /tmp is taken by who is first."""

from __future__ import annotations

import os
import stat
from pathlib import Path

__all__ = ["ForeignFolderError", "check_folder"]

REMEDY = "set control.socket in the configuration, or RUNTIME_DIRECTORY, to a folder of your own"


class ForeignFolderError(Exception):
    """A folder that another user made, or may change; the text says what helps."""


def check_folder(path: Path, found: os.stat_result) -> None:
    """Raise ForeignFolderError unless the folder, and a link to it, is this user's or root's.

    found: of the folder itself, links followed.
    """
    for one in (path.lstat(), found):
        if one.st_uid not in (os.geteuid(), 0):
            what = "a link that belongs" if stat.S_ISLNK(one.st_mode) else "belongs"
            raise ForeignFolderError(f"{path}: {what} to another user (uid {one.st_uid}); {REMEDY}")
    if found.st_mode & stat.S_IWOTH:
        raise ForeignFolderError(f"{path}: everybody may write to it; {REMEDY}")
