"""A small Debian with the agent installed in it as an operator would, ready to be booted."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

__all__ = ["KERNEL", "PACKAGES", "CannotShow", "base", "machine", "place_of", "run"]

SUITE: Final = "bookworm"
PYTHON: Final = "3.11"  # what the suite has
# libpam-systemd is what polkitd asks logind's presence by; debootstrap does not find it itself.
PACKAGES: Final = (
    "dbus",
    "libpam-systemd",
    "polkitd",
    "python3",
    "python3-venv",
    "systemd",
    "systemd-sysv",
    "udev",
)
KERNEL: Final = (*PACKAGES, "initramfs-tools", "linux-image-amd64")
VENV: Final = "/opt/modem-agent"
BOOTSTRAP_TIMEOUT_S: Final = 900.0
STEP_TIMEOUT_S: Final = 180.0
REPOSITORY: Final = Path(__file__).resolve().parents[3]


class CannotShow(Exception):  # noqa: N818 - it is no error of the agent's
    """This machine cannot show it; the text says what is missing."""


def cache() -> Path:
    """Return the folder that keeps the bootstrapped system between two trials."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "modem-agent" / "boot-test"


def run(
    *argv: str | Path, timeout_s: float = STEP_TIMEOUT_S, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program that must succeed; what it said is in the error."""
    done = subprocess.run(
        [str(word) for word in argv],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
        stdin=subprocess.DEVNULL,
        cwd=cwd,
    )
    if done.returncode != 0:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise CannotShow(f"{' '.join(map(str, argv))}: exit {done.returncode}\n{said}")
    return done


def place_of(packages: Sequence[str] = PACKAGES) -> Path:
    """Return where the bootstrapped system with these packages is, or will be."""
    mark = hashlib.sha256(repr((SUITE, tuple(packages))).encode()).hexdigest()[:12]
    return cache() / f"{SUITE}-{mark}"


def base(packages: Sequence[str] = PACKAGES) -> Path:
    """Return a bootstrapped system, made once per list of packages."""
    ready = place_of(packages)
    if ready.is_dir():
        return ready
    making = cache() / f"{ready.name}.{os.getpid()}"
    cache().mkdir(parents=True, exist_ok=True)
    try:
        run(
            "debootstrap",
            "--variant=minbase",
            f"--include={','.join(packages)}",
            SUITE,
            making,
            *filter(None, [os.environ.get("DEBIAN_MIRROR")]),  # else debootstrap's own
            timeout_s=BOOTSTRAP_TIMEOUT_S,
        )
        for archive in (making / "var/cache/apt/archives").glob("*.deb"):
            archive.unlink()
        making.rename(ready)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return ready


def wheels(folder: Path) -> None:
    """Build the agent's wheel and fetch what it needs, for the Python of the suite."""
    pip = _pip()
    run(*pip, "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, REPOSITORY)
    (own,) = folder.glob("modem_agent-*.whl")
    run(
        *pip,
        "download",
        "--quiet",
        "--only-binary=:all:",
        f"--python-version={PYTHON}",
        "--dest",
        folder,
        own,
    )


def _pip() -> Sequence[str]:
    here = [sys.executable, "-m", "pip"]
    if subprocess.run([*here, "--version"], capture_output=True, check=False).returncode == 0:
        return here
    for name in ("pip3", "pip"):  # a virtual environment made without pip
        if found := shutil.which(name):
            return [found]
    raise CannotShow("no pip to build the wheel with: apt-get install python3-pip")


@contextmanager
def machine(
    files: Mapping[str, tuple[int, str]], packages: Sequence[str] = PACKAGES
) -> Iterator[Path]:
    """Copy the system, install the agent without a network, add files; removed at the end.

    files: mode and text by absolute path.
    """
    root = cache() / f"machine.{os.getpid()}"
    try:
        run("cp", "--archive", "--reflink=auto", base(packages), root)
        wheels(_made(root / "wheels"))
        inside = ("unshare", "--net", "chroot", root)
        run(*inside, "/usr/bin/python3", "-m", "venv", VENV)
        run(
            *inside,
            f"{VENV}/bin/pip",
            "install",
            "--quiet",
            "--no-index",
            "--find-links=/wheels",
            "modem-agent",
        )
        run(*inside, f"{VENV}/bin/modem-agent", "install")
        run(*inside, "/usr/bin/systemctl", "enable", "modem-agent.service")
        # As a first boot finds it: systemd makes up an id of the machine.
        (root / "etc/machine-id").write_text("")
        (root / "etc/hostname").write_text("gateway\n")
        for place, (mode, text) in files.items():
            path = root / place.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(mode)
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
