"""Who holds a port: locks that others respect, and the name of the program behind one."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from at.errors import PortBusyError

UUCP_FOLDERS: Final = ("/run/lock", "/var/lock")  # LCK..ttyUSB0, as minicom, gammu and mgetty do
LOCK_FILE_MAX: Final = 64  # octets; a process id in ASCII
_PTY_MAJORS: Final = range(136, 144)  # Linux admin-guide/devices.txt: UNIX98 PTY slaves

_REMEDIES: Final = (
    ("ModemManager", "stop it, or set ENV{ID_MM_DEVICE_IGNORE}=1 for this device in a udev rule"),
    ("getty", "disable its serial-getty@ unit and the console= of the kernel command line"),
    ("gammu-smsd", "stop gammu-smsd"),
    ("smsd", "stop smstools"),
    ("pppd", "stop the dial-up connection, or give the agent another AT port of the modem"),
    ("minicom", "quit minicom"),
)


@dataclass(slots=True)
class Lock:
    """A held lock file; None where there is nothing to hold. Released once."""

    path: Path | None = None
    descriptor: int | None = None

    def release(self) -> None:
        """Remove the file and let go."""
        path, self.path = self.path, None
        descriptor, self.descriptor = self.descriptor, None
        if path is not None:
            with contextlib.suppress(OSError):
                path.unlink()
        if descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(descriptor)


def is_pty(path: str) -> bool:
    """Whether the device is the slave side of a pty."""
    try:
        return os.major(Path(path).stat().st_rdev) in _PTY_MAJORS
    except OSError:
        return False


def lock_tty(path: str, real: str) -> Lock:
    """Take the UUCP lock file of a device, where the folder lets us.

    path: as configured, for the error; real: the device node. Raises PortBusyError when a
    living process holds the lock file or, on a real device, has it open.
    """
    if is_pty(real):
        return Lock()  # the other side of a pty may keep it open; the lock on the node decides
    if holders(real):
        raise busy(path, real)
    for folder in UUCP_FOLDERS:
        name = Path(folder) / f"LCK..{Path(real).name}"
        owner = _uucp_owner(name, real)
        if owner is not None and owner != os.getpid() and not _recycled(owner, real):
            raise _busy(path, _describe(owner), None)
        with contextlib.suppress(OSError):
            name.unlink(missing_ok=True)
            # Made anew, so that no link that somebody left there is written through.
            with name.open("x", encoding="ascii") as file:
                file.write(f"{os.getpid():10d}\n")
            return Lock(name)
    return Lock()


def lock_name(url: str) -> Lock:
    """Lock a name that is no device (socket://host:port) for this machine.

    Raises PortBusyError naming the holder.
    """
    import tempfile  # noqa: PLC0415 - 4 ms and a dozen modules that a tty does not need

    folder = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
    name = folder / f"modem-agent-{re.sub('[^A-Za-z0-9.]+', '-', url)}.lock"
    try:
        descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError:
        return Lock()  # another user's file, or no place for one: nothing to agree upon
    seen = os.fstat(descriptor)
    if not stat.S_ISREG(seen.st_mode) or seen.st_uid not in {0, os.geteuid()}:
        os.close(descriptor)
        return Lock()  # somebody else's: it holds up nobody
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        text = os.read(descriptor, 32).decode("ascii", "replace").strip()
        os.close(descriptor)
        owner = int(text) if text.isdecimal() else None
        raise _busy(url, _describe(owner) if owner else None, None) from error
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode("ascii"))
    return Lock(None, descriptor)  # the file stays: removing it would race with the next holder


def holders(device: str) -> list[int]:
    """Processes other than this one that have the device open, as far as /proc shows them."""
    try:
        wanted = Path(device).stat().st_rdev
    except OSError:
        return []
    pids = [int(process.name) for process in Path("/proc").glob("[0-9]*")]
    return [pid for pid in pids if pid != os.getpid() and _has_open(pid, wanted)]


def _has_open(pid: int, wanted: int) -> bool | None:
    """Whether a process has a device open; None: it cannot be seen (gone, or another user's)."""
    try:
        descriptors = list(Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return None
    for descriptor in descriptors:
        with contextlib.suppress(OSError):
            if not os.readlink(descriptor).startswith("/dev/"):  # noqa: PTH115  # text only
                continue
            if descriptor.stat().st_rdev == wanted:
                return True
    return False


def busy(path: str, real: str) -> PortBusyError:
    """The error that names who has the device open."""
    pids = holders(real)
    if not pids:
        return _busy(path, None, None)
    names = [_name(pid) for pid in pids]
    described = ", ".join(f"{name} (pid {pid})" for name, pid in zip(names, pids, strict=True))
    return _busy(path, described, _remedy(names))


def _busy(path: str, holder: str | None, remedy: str | None) -> PortBusyError:
    who = holder or "another program"
    return PortBusyError(path, f"held by {who}; {remedy or 'stop it first'}", holder)


def _remedy(names: list[str]) -> str | None:
    for part, remedy in _REMEDIES:
        if any(part in name for name in names):
            return remedy
    return None


def _describe(pid: int) -> str:
    return f"{_name(pid)} (pid {pid})"


def _name(pid: int) -> str:
    """The program's name; for an interpreter, the script or module that it runs."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return "unknown"
    texts = [os.fsdecode(word) for word in words if word]
    if not texts:
        with contextlib.suppress(OSError):
            return Path(f"/proc/{pid}/comm").read_text("utf-8", "replace").strip()
        return "unknown"
    name = Path(texts[0]).name
    if name.startswith("python") and "-c" not in texts:
        return next((Path(text).name for text in texts[1:] if not text.startswith("-")), name)
    return name


def _recycled(pid: int, device: str) -> bool:
    """Whether a lock file's process surely has nothing to do with the device any more."""
    try:
        return _has_open(pid, Path(device).stat().st_rdev) is False
    except OSError:
        return False


def _uucp_owner(name: Path, device: str) -> int | None:
    """The living process that a UUCP lock file names, or None.

    The folder may be open to everybody: a file counts only where its owner may open the device,
    and names a process of its own (or root wrote it). Process 1 holds no port.
    """
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, encoding="ascii", errors="replace") as file:
            seen = os.fstat(descriptor)
            # What is no plain file may have no end, or none to read at all.
            text = file.read(LOCK_FILE_MAX).split() if stat.S_ISREG(seen.st_mode) else []
        pid = int(text[0]) if text and text[0].isdecimal() else 0
        runner = Path(f"/proc/{pid}").stat().st_uid
    except (OSError, ValueError):
        return None
    if pid <= 1 or seen.st_uid not in {0, runner} or not _may_open(seen.st_uid, device):
        return None
    return pid


def _may_open(uid: int, device: str) -> bool:
    """Whether a user's programs may open the device by its mode, owner and group."""
    try:
        node = Path(device).stat()
    except OSError:
        return False
    if uid in {0, node.st_uid} or node.st_mode & stat.S_IWOTH:
        return True
    try:
        person = pwd.getpwuid(uid)
    except KeyError:
        return False
    return node.st_gid in os.getgrouplist(person.pw_name, person.pw_gid)
