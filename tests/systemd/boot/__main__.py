"""`python -m tests.systemd.boot`: boots a Debian with the agent as its service, twice."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Final

from tests.systemd.boot import devices, scenes, virtual
from tests.systemd.boot.air import CONTROL, Air
from tests.systemd.boot.container import Container
from tests.systemd.boot.image import KERNEL, PACKAGES, CannotShow, base, machine, place_of
from tests.systemd.boot.waiting import until

SHOWN, FAILED, CANNOT = 0, 1, 77  # 77: not here, as automake's test driver reads it
IN_CONTAINER: Final = {
    "debootstrap": "debootstrap",
    "systemd-nspawn": "systemd-container",
    "nsenter": "util-linux",
    "unshare": "util-linux",
}
IN_MACHINE: Final = {
    "debootstrap": "debootstrap",
    "unshare": "util-linux",
    "mkfs.ext4": "e2fsprogs",
    virtual.QEMU: "qemu-system-x86",
}
WHOLE_S: Final = 600  # a trial that takes longer is stuck; the bootstrap is not counted
MODEM_S: Final = 30.0


def main() -> int:
    """Show everything; 0 all of it held, 1 something did not, 77 it cannot be shown here."""
    options = _options()
    for number in (signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, _give_up)
    try:
        _require(IN_MACHINE if options.devices else IN_CONTAINER)
        packages = KERNEL if options.devices else PACKAGES
        if not place_of(packages).is_dir():
            print("bootstrapping a small Debian, once: one to three minutes", flush=True)
        start = time.monotonic()
        print(f"system   {base(packages)}  ({time.monotonic() - start:.0f} s)", flush=True)
        signal.alarm(WHOLE_S)
        start = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="modem-agent-boot-") as folder:
            failed = (_devices if options.devices else _service)(Path(folder))
    except CannotShow as error:
        print(f"this cannot be shown here: {error}", file=sys.stderr)
        return CANNOT
    outcome = f"NOT everything held: {', '.join(failed)}" if failed else "everything held"
    print(f"\n{outcome}; {time.monotonic() - start:.0f} s")
    return FAILED if failed else SHOWN


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.systemd.boot", description=__doc__)
    parser.add_argument(
        "--devices",
        action="store_true",
        help="in a virtual machine instead, for what a container has none of: a serial device",
    )
    return parser.parse_args()


def _require(tools: Mapping[str, str]) -> None:
    if os.geteuid() != 0:
        raise CannotShow("installing and booting a system needs root: sudo make boot-test")
    os.environ["PATH"] = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    missing = sorted({package for tool, package in tools.items() if shutil.which(tool) is None})
    if missing:
        raise CannotShow(f"apt-get install {' '.join(missing)}")


def _service(folder: Path) -> list[str]:
    start = time.monotonic()
    with machine(scenes.FILES) as root:
        print(f"install  wheel, unit, user, rules  ({time.monotonic() - start:.0f} s)", flush=True)
        rule = root / scenes.POLKIT_RULE.lstrip("/")
        rule.rename(f"{rule}.aside")
        wants = root / "etc/systemd/system/multi-user.target.wants"
        (wants / "simulated-modem.service").symlink_to("../simulated-modem.service")
        return [*_boot(root, folder, scenes.BEFORE), *_boot(root, folder, scenes.AFTER)]


def _boot(root: Path, folder: Path, shown: Sequence[scenes.Scene]) -> list[str]:
    """Boot once and show the scenes; return those that failed."""
    start = time.monotonic()
    with Container(root, folder / "console.log") as box:
        until(box.path(CONTROL).exists, MODEM_S, "the simulated modem is there")
        print(f"\nboot     {time.monotonic() - start:.1f} s", flush=True)
        air = Air(box.path(CONTROL))
        return [
            scene.__name__
            for scene in shown
            if not _holds(scene.__name__, scene(box, air, folder), lambda: _journal(box))
        ]


def _devices(folder: Path) -> list[str]:
    files = scenes.configured("/dev/modem")
    start = time.monotonic()
    with machine(files, KERNEL) as root, virtual.modem(folder) as (address, air):
        shipped = root / "etc/udev/rules.d/70-modem-agent.rules"
        (root / virtual.RULE.lstrip("/")).write_text(virtual.adapter_rule(shipped.read_text()))
        box = virtual.VirtualMachine(root, folder, address)
        print(f"install  wheel, unit, user, rules  ({time.monotonic() - start:.0f} s)", flush=True)
        with box:
            return [
                scene.__name__
                for scene in devices.SCENES
                if not _holds(scene.__name__, scene(air, folder), box.tail)
            ]


def _holds(name: str, facts: Iterator[str], explain: Callable[[], str]) -> bool:
    """Print the facts of a scene as they are shown; False where one does not hold."""
    print(f"\n{name.replace('_', ' ')}", flush=True)
    try:
        for fact in facts:
            print(f"  ok     {fact}", flush=True)
    except (AssertionError, OSError, KeyError, ValueError) as error:
        print(f"  FAILED {type(error).__name__}: {error}")
        print("\n".join(f"         {line}" for line in explain().splitlines()), flush=True)
        return False
    return True


def _journal(box: Container) -> str:
    try:
        return box.journal("--unit=polkit", "--unit=systemd-logind", "--lines=25")
    except AssertionError as error:  # it is down
        return str(error)


def _give_up(number: int, _: FrameType | None) -> None:
    raise SystemExit(f"ended by {signal.Signals(number).name}")


if __name__ == "__main__":
    sys.exit(main())
