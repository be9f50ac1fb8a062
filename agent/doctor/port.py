"""Port: that it is there, who may use it, who holds it, and that it opens."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from pathlib import Path
from typing import Final

from agent.doctor.check import Check
from agent.doctor.context import Patient
from agent.doctor.finding import Result, error, good, note, skipped, warning
from at.bringup.discovery import AUTO, candidates, open_modem
from at.errors import PortBusyError, PortError

__all__ = ["CHECKS", "OPENS"]

NAME: Final = "port: name"
OPENS: Final = "port: opens"
OPEN_WITHIN_S: Final = 30.0  # "auto" may have to ask several ports
SERIAL: Final = Path("/dev/serial")
SERVICE_USER: Final = "modem-agent"
UNIT_GROUP: Final = "dialout"  # SupplementaryGroups= of the unit
AGENT_NAMES: Final = ("modem-agent", "agent", "__main__.py")
UDEV_REMEDY: Final = (
    "modem-agent install puts a udev rule in place that keeps it away (ID_MM_DEVICE_IGNORE)"
)


def _name(patient: Patient) -> Result:
    port = patient.port
    if port is None:
        return skipped("nothing names a port; --port does")
    if port == AUTO:
        return _found(patient)
    return good(port) if "://" in port else _named(port)


def _found(patient: Patient) -> Result:
    told = ", ".join(f"{one.path} ({one.label or one.vendor})" for one in candidates())
    if patient.agent_has_modem and not told:
        return note("auto: no USB modem is seen from here")
    if not told:
        return error("auto: no USB modem is there", "plug it in; lsusb shows whether it came")
    return good(f"auto: {told}")


def _named(port: str) -> Result:
    try:
        mode = Path(port).stat().st_mode
    except OSError as problem:
        remedy = 'plug the modem in; ls /dev/serial/by-id shows what is there, or port = "auto"'
        return error(f"{port}: {(problem.strerror or str(problem)).lower()}", remedy)
    if not stat.S_ISCHR(mode):
        return error(f"{port} is not a serial device", "name the modem's tty")
    stable = _stable_name(port)
    if stable is not None:
        told = f"{port}, which another device may be called after a restart"
        return note(told, f'port = "{stable}"')
    real = os.path.realpath(port)
    return good(port if real == port else f"{port} -> {real}")


def _stable_name(port: str) -> str | None:
    """A name that stays, for a port that was named by its number."""
    if not port.startswith(("/dev/ttyUSB", "/dev/ttyACM")):
        return None
    for folder in ("by-id", "by-path"):
        links = sorted((SERIAL / folder).iterdir()) if (SERIAL / folder).is_dir() else []
        for link in links:
            if link.resolve() == Path(port):
                return str(link)
    return None


def _node(patient: Patient) -> str | None:
    """The device behind the port's name; None for what is none."""
    port = patient.port
    if port is None or "://" in port:
        return None
    if port == AUTO:
        return next((one.device for one in candidates()), None)
    return os.path.realpath(port)


def _permissions(patient: Patient) -> Result:
    node = _node(patient)
    if node is None:
        return good("no device of this machine")
    seen = Path(node).stat()
    group = _group(seen.st_gid)
    told = f"{stat.filemode(seen.st_mode)} {_user(seen.st_uid)} {group}"
    if not patient.agent_has_modem and os.geteuid() == 0 and not _service_may(seen):
        remedy = f"usermod -aG {group} {SERVICE_USER}"
        return warning(f"{told}: root may open it, the service's {SERVICE_USER} may not", remedy)
    if patient.agent_has_modem or os.access(node, os.R_OK | os.W_OK):
        return good(told)
    if seen.st_mode & stat.S_IRGRP and seen.st_mode & stat.S_IWGRP and seen.st_gid:
        remedy = f"usermod -aG {group} {_user(os.geteuid())}, then log in anew"
    else:
        remedy = f"chgrp dialout {node}; chmod g+rw {node}; or modem-agent install's udev rule"
    return error(f"{told}: {_user(os.geteuid())} may not open it", remedy)


def _service_may(seen: os.stat_result) -> bool:
    """Whether the packaged unit, where its user is there, may open what root may."""
    try:
        user = pwd.getpwnam(SERVICE_USER)
    except KeyError:
        return True
    groups = {_group(gid) for gid in os.getgrouplist(SERVICE_USER, user.pw_gid)} | {UNIT_GROUP}
    by_group = _group(seen.st_gid) in groups and bool(seen.st_mode & stat.S_IWGRP)
    return by_group or seen.st_uid == user.pw_uid or bool(seen.st_mode & stat.S_IWOTH)


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


async def _holder(patient: Patient) -> Result:
    """Open the port: only that shows whether somebody holds it."""
    if patient.agent_has_modem:
        assert patient.status is not None  # noqa: S101 - agent_has_modem
        if patient.status["modem"]["link"] != "ready":
            return skipped("left to the running agent, which tries by itself")
        return good(f"the running agent (process {patient.status['pid']})")
    assert patient.port is not None  # noqa: S101 - the check before
    baudrate = patient.config.modem.baudrate if patient.config is not None else 115200
    try:
        patient.modem = await open_modem(patient.port, baudrate=baudrate)
    except PortBusyError as problem:
        return error(*_held(problem))
    except PortError as problem:
        patient.port_error = problem
    else:
        patient.modem.tap = patient.tap
    return _rivals(patient)


def _held(problem: PortBusyError) -> tuple[str, str]:
    if problem.path == AUTO:
        return problem.reason, "stop what holds the modem's port, or name another with --port"
    who, _, remedy = problem.reason.partition("; ")
    if (problem.holder or "").split(" ")[0] in AGENT_NAMES:
        remedy = "an agent has it: without --port it is asked; stop it to have the port examined"
    return who, remedy


def _rivals(patient: Patient) -> Result:
    """Say who does not hold the port now, and may tomorrow."""
    node = Path(_node(patient) or "")
    console = f"console={node.name}"
    words = _text(Path("/proc/cmdline")).split()
    if node.name and any(word.split(",")[0] == console for word in words):
        told = f"nobody, but the kernel writes its messages to it ({console})"
        return warning(told, f"take {console} off the kernel command line")
    if any(_text(one) == "ModemManager" for one in Path("/proc").glob("[0-9]*/comm")):
        return note("nobody, but ModemManager runs and may come to take it", UDEV_REMEDY)
    seen = "" if os.geteuid() == 0 else " that this user can see"
    return good(f"nobody{seen}")


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return ""


async def _opens(patient: Patient) -> Result:
    if patient.agent_has_modem:
        return good("the running agent has opened it")
    if patient.modem is None:
        problem = patient.port_error
        assert problem is not None  # noqa: S101 - the check before has tried
        reason, _, remedy = problem.reason.partition("; ")
        if problem.path == AUTO:
            reason, remedy = problem.reason, "name the modem's AT port with --port"
        return error(reason, remedy or "unplug the modem and plug it in")
    return good(patient.modem.path)


CHECKS: Final = (
    Check("port", "name", _name, means="no-modem"),
    Check("port", "permissions", _permissions, needs=(NAME,), means="no-modem"),
    Check(
        "port",
        "holder",
        _holder,
        needs=(NAME, "port: permissions"),
        means="no-modem",
        limit_s=OPEN_WITHIN_S,
    ),
    Check("port", "opens", _opens, needs=("port: holder",), means="no-modem"),
)
