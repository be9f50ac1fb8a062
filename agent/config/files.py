"""The files that a configuration names: where they are, and whether they can be used."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.config.model import Secrets
from agent.config.paths import JOURNAL_NAME, SERVICE_CREDENTIALS, SYSTEM_STATE, journal_path
from agent.config.problems import Complaints, shown

SECRET_MAX = 64 * 1024  # octets; more is the wrong file


@dataclass(frozen=True, slots=True)
class Files:
    """Finds the files of one configuration.

    base: the folder that relative names start from; env: the process's environment. secrets: as
    agent.config says, for every file that is to be read.
    """

    base: Path
    env: Mapping[str, str]
    complaints: Complaints
    secrets: Secrets = "needed"

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
        beside = self.base / path
        if self.secrets == "needed" or os.access(beside, os.F_OK):
            return beside
        # What the running service was given, for whoever may look at it.
        given = SERVICE_CREDENTIALS / path
        return given if os.access(given, os.R_OK) else beside

    def journal(self) -> Path:
        """Return the journal's default place; for who only reads, the service's where it alone is.

        $STATE_DIRECTORY is the service's secret: a person has another state folder.
        """
        own, service = journal_path(self.env), SYSTEM_STATE / JOURNAL_NAME
        reads = self.secrets != "needed" and not os.access(own, os.F_OK)
        return service if reads and os.access(service, os.F_OK) else own

    def is_folder(self, path: Path) -> bool:
        """Whether a path is seen to be a folder."""
        try:
            return path.is_dir()
        except OSError:
            return False  # who may not look cannot judge

    def readable(self, key: str, name: str | None, what: str) -> Path | None:
        """Resolve the name of a file that must be there; complain where it cannot be read."""
        content = self._content(key, name, what)
        return content[0] if content else None

    def secret(self, key: str, name: str | None, what: str) -> tuple[Path, bytes | None] | None:
        """Resolve and read a secret, line ends at its end dropped; complain where it is empty.

        Its octets are None where it was not read, and need not be.

        A secret that others on this machine can read is used, with a warning: refusing it would
        make a gateway deaf for a fault that only a person at the gateway can exploit.
        """
        content = self._content(key, name, what)
        if content is None:
            return None
        path, octets = content
        if octets is None:
            return path, None
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

    def _content(self, key: str, name: str | None, what: str) -> tuple[Path, bytes | None] | None:
        if name is None or self._is_no_name(key, name, what):
            return None
        path = self.locate(name)
        if self.secrets == "unread":
            return path, None
        try:
            with path.open("rb") as file:
                octets = file.read(SECRET_MAX + 1)
        except OSError as error:
            reason = os.strerror(error.errno).lower() if error.errno else str(error)
            elsewhere = self.secrets == "judged" and self._may_be_elsewhere(name, error)
            complain = self.complaints.warn if elsewhere else self.complaints.error
            expected = f"{what} that can be read"
            expected += " (here; the service may, or have it as a credential)" if elsewhere else ""
            complain(key, expected, f"{path} ({reason})")
            return (path, None) if elsewhere else None
        if len(octets) > SECRET_MAX:
            self.complaints.error(key, f"{what} of at most 64 KiB", f"{path}, which is larger")
            return None
        return path, octets

    def _is_no_name(self, key: str, name: str, what: str) -> bool:
        if name and "\0" not in name:
            return False
        self.complaints.error(key, f"the name of {what}", shown(name))
        return True

    def _may_be_elsewhere(self, name: str, error: OSError) -> bool:
        """Whether the service may well have what cannot be read here."""
        if error.errno in {errno.EACCES, errno.EPERM}:
            return True
        is_credential = "/" not in name and not self.env.get("CREDENTIALS_DIRECTORY")
        return is_credential and error.errno == errno.ENOENT

    def _is_credential(self, path: Path) -> bool:
        folder = self.env.get("CREDENTIALS_DIRECTORY")
        given = bool(folder) and path.is_relative_to(str(folder))
        return given or path.is_relative_to(SERVICE_CREDENTIALS)
