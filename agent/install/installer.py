"""Puts the shipped unit, user, rules and example configuration into a system, or takes them out."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from agent.install.placing import digest, make_folder, octets_of, write_whole
from agent.install.shipped import packaged

__all__ = [
    "CONFIGURATION",
    "FILES",
    "PROGRAM",
    "SECRETS",
    "Installation",
    "InstallationError",
    "Shipped",
    "Step",
    "hidden",
]

PROGRAM: Final = "/opt/modem-agent/bin/modem-agent"  # what the shipped unit starts
UNIT: Final = "modem-agent.service"
USER: Final = "modem-agent"
RECORD: Final = "/etc/modem-agent/installed.json"  # path -> SHA-256 of what was put there
TOOL_TIMEOUT_S: Final = 90.0  # stopping a running agent takes up to the unit's TimeoutStopSec=
# ProtectHome= and PrivateTmp= hide these from the service: nothing in them can be started.
HIDDEN: Final = ("/home", "/root", "/run/user", "/tmp", "/var/tmp")  # noqa: S108
_PLAIN_PATH: Final = re.compile(r"/[A-Za-z0-9/._+-]+")  # needs no quoting in a unit


class InstallationError(Exception):
    """Nothing was done, for a reason that the operator can do something about."""


@dataclass(frozen=True, slots=True)
class Shipped:
    """A file that is shipped (systemd/NAME), and its place. group: it belongs to, None: root's."""

    name: str
    place: str
    mode: int = 0o644
    group: str | None = None


CONFIGURATION: Final = Shipped(
    "modem-agent.toml", "/etc/modem-agent/modem-agent.toml", mode=0o640, group=USER
)
FILES: Final = (
    Shipped("modem-agent.sysusers.conf", "/etc/sysusers.d/modem-agent.conf"),
    Shipped("modem-agent.polkit.rules", "/etc/polkit-1/rules.d/50-modem-agent.rules"),
    Shipped("modem-agent.udev.rules", "/etc/udev/rules.d/70-modem-agent.rules"),
    Shipped(UNIT, f"/etc/systemd/system/{UNIT}"),
    CONFIGURATION,
)
SECRETS: Final = "/etc/modem-agent/secrets"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done, or with a dry run would be.

    outcome: of a file or folder `created`, `updated`, `unchanged`, `kept`, `removed`, `absent`;
    of a program `ran`, `skipped`; of either `failed`. detail: why, where that is not obvious.
    """

    kind: str  # "file", "folder", "run"
    subject: str
    outcome: str
    detail: str = ""

    @property
    def failed(self) -> bool:
        """Whether the operator must look at it."""
        return self.outcome == "failed"


@dataclass(slots=True)
class Installation:
    """One system. root: its root folder, None: the system that runs (its manager is told).

    program: the absolute path of modem-agent inside it. force: also replace files that somebody
    changed, but never the configuration. tell: called with each step when it is done.
    """

    root: Path | None = None
    program: str = PROGRAM
    dry_run: bool = False
    force: bool = False
    tell: Callable[[Step], None] = lambda _: None
    steps: list[Step] = field(default_factory=list)
    _record: dict[str, str] = field(default_factory=dict)
    _removed: set[Path] = field(default_factory=set)  # with a dry run they are still there

    def install(self) -> None:
        """Put everything in place; a file that is as it must be is left alone.

        A file that differs from what was installed last is somebody's work, and kept. Raises
        InstallationError before anything is done; what goes wrong later is a failed step.
        """
        self._check()
        self._record = self._read_record()
        for shipped in FILES:
            self._put(shipped)
            if shipped.name.endswith("sysusers.conf"):
                self._make_user()
        self._folder(SECRETS, 0o700)
        self._write_record()
        self._reload()

    def uninstall(self) -> None:
        """Stop the service and remove what install put there and nobody has changed since.

        The configuration, once changed, secrets, the journal and the user stay.
        """
        self._check()
        self._record = self._read_record()
        if self.at(f"/etc/systemd/system/{UNIT}").exists():
            now = ["--now"] if self.manager_runs else []
            self._run("systemctl", *self._inside, "disable", *now, UNIT, always=True)
        for shipped in reversed(FILES):
            self._remove(shipped)
        self._record = {}
        self._write_record()
        for place in (SECRETS, str(Path(SECRETS).parent)):
            self._remove_folder(place)
        self._reload()

    # ---- files ----------------------------------------------------------------------------

    def content(self, shipped: Shipped) -> bytes:
        """Return what belongs into a file: the unit starts `program`."""
        octets = packaged(shipped.name).read_bytes()
        if shipped.name == UNIT and self.program != PROGRAM:
            return octets.replace(PROGRAM.encode(), self.program.encode())
        return octets

    def _put(self, shipped: Shipped) -> None:
        path, wanted = self.at(shipped.place), self.content(shipped)
        with self._step("file", path) as note:
            found = octets_of(path)
            if found == wanted:
                self._record[shipped.place] = digest(wanted)
                note("unchanged")
            elif found is not None and not self._may_replace(shipped, found):
                note("kept", _why_kept(shipped))
            elif path.is_symlink():
                note("kept", "a symbolic link (masked?)")
            else:
                group = self._group(shipped.group)
                known = shipped.group is None or group is not None or self.dry_run
                note(
                    "created" if found is None else "updated",
                    "" if known else f"no group {shipped.group} there yet: root's alone",
                )
                if not self.dry_run:
                    write_whole(path, wanted, shipped.mode, group)
                self._record[shipped.place] = digest(wanted)

    def _may_replace(self, shipped: Shipped, found: bytes) -> bool:
        if self._record.get(shipped.place) == digest(found):
            return True
        return self.force and shipped is not CONFIGURATION

    def _remove(self, shipped: Shipped) -> None:
        path = self.at(shipped.place)
        with self._step("file", path) as note:
            found = octets_of(path)
            if found is None and not path.is_symlink():
                note("absent")
            elif found == self.content(shipped) or (
                found is not None and self._may_replace(shipped, found)
            ):
                note("removed")
                self._removed.add(path)
                if not self.dry_run:
                    path.unlink()
            else:
                note("kept", "changed since it was installed")

    def _folder(self, place: str, mode: int) -> None:
        path = self.at(place)
        with self._step("folder", path) as note:
            note("unchanged" if path.is_dir() else "created")
            if not self.dry_run and not path.is_dir():
                make_folder(path.parent)
                path.mkdir(mode)

    def _remove_folder(self, place: str) -> None:
        path = self.at(place)
        with self._step("folder", path) as note:
            if not path.is_dir():
                note("absent")
            elif leftovers := sorted(one.name for one in set(path.iterdir()) - self._removed):
                note("kept", f"holds {', '.join(leftovers)}")
            else:
                note("removed")
                self._removed.add(path)
                if not self.dry_run:
                    path.rmdir()

    # ---- what install put there, to tell it from what somebody changed ----------------------

    def _read_record(self) -> dict[str, str]:
        try:
            record = json.loads(octets_of(self.at(RECORD)) or b"{}")
        except ValueError:
            return {}  # then nothing counts as ours, and nothing is replaced
        return {str(k): str(v) for k, v in record.items()} if isinstance(record, dict) else {}

    def _write_record(self) -> None:
        path = self.at(RECORD)
        if not self._record:
            self._removed.add(path)
        if self.dry_run:
            return
        with self._quietly(path):
            if self._record:
                text = json.dumps(self._record, indent=2, sort_keys=True) + "\n"
                write_whole(path, text.encode(), 0o644, None)
            else:
                path.unlink(missing_ok=True)

    # ---- the system's programs --------------------------------------------------------------

    def _make_user(self) -> None:
        # The lines go through standard input: how a path is read with --root= has changed.
        lines = packaged("modem-agent.sysusers.conf").read_bytes()
        self._run("systemd-sysusers", *self._inside, "-", octets=lines, always=True)

    def _reload(self) -> None:
        self._run("systemctl", "daemon-reload")
        if Path("/run/udev/control").exists():  # a container has no udevd
            self._run("udevadm", "control", "--reload")

    def _run(self, *argv: str, octets: bytes = b"", always: bool = False) -> None:
        """Run a program; always: also where the system meant is not the one that runs."""
        with self._step("run", " ".join(argv)) as note:
            program = shutil.which(argv[0], path="/usr/sbin:/usr/bin:/sbin:/bin")
            if not always and not self.manager_runs:
                note("skipped", "systemd does not run there")
            elif program is None:
                note("skipped", f"{argv[0]} is not installed")
            elif self.dry_run:
                note("ran")
            else:
                done = subprocess.run(
                    [program, *argv[1:]],
                    input=octets,
                    capture_output=True,
                    timeout=TOOL_TIMEOUT_S,
                    check=False,
                )
                said = done.stderr.decode("utf-8", "replace").strip()
                good = done.returncode == 0
                note("ran" if good else "failed", "" if good else said or f"{done.returncode}")

    @property
    def _inside(self) -> list[str]:
        return [] if self.root is None else [f"--root={self.root}"]

    # ---- small things -----------------------------------------------------------------------

    @property
    def manager_runs(self) -> bool:
        """Whether the system meant is the one that runs, under systemd (sd_booted(3))."""
        return self.root is None and Path("/run/systemd/system").is_dir()

    @property
    def failed(self) -> bool:
        """Whether a step failed."""
        return any(step.failed for step in self.steps)

    def outcome(self, shipped: Shipped) -> str:
        """Return what became of a file."""
        path = str(self.at(shipped.place))
        return next((step.outcome for step in self.steps if step.subject == path), "absent")

    def _check(self) -> None:
        if self.root is not None and not self.root.is_dir():
            raise InstallationError(f"{self.root} is not a folder")
        if self.root is None and not self.dry_run and os.geteuid() != 0:
            raise InstallationError(
                "this needs root: sudo, or --dry-run to see what would be done, or --root FOLDER"
            )
        if not _PLAIN_PATH.fullmatch(self.program):
            raise InstallationError(f"{self.program!r} is not a plain absolute path")

    def at(self, place: str) -> Path:
        """Return where a place of that system is."""
        return Path(place) if self.root is None else self.root / place.lstrip("/")

    def _group(self, name: str | None) -> int | None:
        """Return the number of a group of that system; None: not known there."""
        for line in (
            (octets_of(self.at("/etc/group")) or b"").decode("utf-8", "replace").split("\n")
        ):
            words = line.split(":")
            if len(words) > 2 and words[0] == name and words[2].isdecimal():
                return int(words[2])
        return None

    @contextlib.contextmanager
    def _step(self, kind: str, subject: object) -> Iterator[Callable[..., None]]:
        """Add one step: what the block notes, or how it failed."""
        noted = ["failed", ""]

        def note(outcome: str, detail: str = "") -> None:
            noted[:] = [outcome, detail]

        try:
            yield note
        except (OSError, subprocess.TimeoutExpired) as error:
            note("failed", getattr(error, "strerror", None) or str(error))
        step = Step(kind, str(subject), *noted)
        self.steps.append(step)
        self.tell(step)

    @contextlib.contextmanager
    def _quietly(self, path: Path) -> Iterator[None]:
        """Add a step only where the block fails."""
        try:
            yield
        except OSError as error:
            step = Step("file", str(path), "failed", error.strerror or str(error))
            self.steps.append(step)
            self.tell(step)


def hidden(path: str) -> str | None:
    """Return the folder that hides a path from the service, None where it can see it."""
    return next((folder for folder in HIDDEN if Path(path).is_relative_to(folder)), None)


def _why_kept(shipped: Shipped) -> str:
    if shipped is CONFIGURATION:
        return "yours; `modem-agent config example` prints the shipped one"
    return "changed since it was installed; --force replaces it"
