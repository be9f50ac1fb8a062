"""The files that a configuration names: where they are, and whether they can be used."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.configuration.complaints import Complaints, shown

SECRET_MAX = 64 * 1024  # octets; more is the wrong file


@dataclass(frozen=True, slots=True)
class Files:
    """Finds the files of one configuration.

    base: the folder that relative names start from; env: the process's environment.
    """

    base: Path
    env: Mapping[str, str]
    complaints: Complaints

    def locate(self, name: str) -> Path:
        """Resolve a name: a systemd credential of that name first, else relative to the base."""
        path = Path(name)
        if name.startswith("~"):
            home = self.env.get("HOME")
            return Path(home, *path.parts[1:]) if home and path.parts[0] == "~" else path
        if path.is_absolute():
            return path
        if folder := self.env.get("CREDENTIALS_DIRECTORY"):
            credential = Path(folder) / path
            if credential.is_file():
                return credential
        return self.base / path

    def readable(self, key: str, name: str | None, what: str) -> Path | None:
        """Resolve the name of a file that must be there; complain where it cannot be read."""
        content = self._content(key, name, what)
        return content[0] if content else None

    def secret(self, key: str, name: str | None, what: str) -> tuple[Path, bytes] | None:
        """Resolve and read a secret, line ends at its end dropped; complain where it is empty.

        A secret that others on this machine can read is used, with a warning: refusing it would
        make a gateway deaf for a fault that only a person at the gateway can exploit.
        """
        content = self._content(key, name, what)
        if content is None:
            return None
        path, octets = content
        octets = octets.rstrip(b"\r\n")
        if not octets:
            self.complaints.error(key, f"{what} with something in it", f"{path}, which is empty")
            return None
        mode = path.stat().st_mode & 0o777
        if mode & 0o044 and not self._is_credential(path):
            self.complaints.warn(
                key,
                f"a file that only its owner can read (chmod 600 {path})",
                f"mode {mode:04o}",
            )
        return path, octets

    def _content(self, key: str, name: str | None, what: str) -> tuple[Path, bytes] | None:
        if name is None:
            return None
        if not name or "\0" in name:
            self.complaints.error(key, f"the name of {what}", shown(name))
            return None
        path = self.locate(name)
        try:
            with path.open("rb") as file:
                octets = file.read(SECRET_MAX + 1)
        except OSError as error:
            reason = os.strerror(error.errno).lower() if error.errno else str(error)
            self.complaints.error(key, f"{what} that can be read", f"{path} ({reason})")
            return None
        if len(octets) > SECRET_MAX:
            self.complaints.error(key, f"{what} of at most 64 KiB", f"{path}, which is larger")
            return None
        return path, octets

    def _is_credential(self, path: Path) -> bool:
        folder = self.env.get("CREDENTIALS_DIRECTORY")
        return bool(folder) and path.is_relative_to(str(folder))
