"""`python -m tests.systemd.boot`: boots a Debian with the agent as its service, twice."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Final

from tests.systemd.boot import scenes
from tests.systemd.boot.air import CONTROL, Air
from tests.systemd.boot.container import Container, until
from tests.systemd.boot.image import CannotShow, base, cache, machine

SHOWN, FAILED, CANNOT = 0, 1, 77  # 77: not here, as automake's test driver reads it
TOOLS: Final = {
    "debootstrap": "debootstrap",
    "systemd-nspawn": "systemd-container",
    "nsenter": "util-linux",
    "unshare": "util-linux",
}
WHOLE_S: Final = 480  # a trial that takes longer is stuck; the bootstrap is not counted
MODEM_S: Final = 30.0


def main() -> int:
    """Show everything; 0 all of it held, 1 something did not, 77 it cannot be shown here."""
    for number in (signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, _give_up)
    try:
        _require()
        if not base_is_there():
            print("bootstrapping a small Debian, once: one to three minutes", flush=True)
        start = time.monotonic()
        print(f"system   {base()}  ({time.monotonic() - start:.0f} s)", flush=True)
        signal.alarm(WHOLE_S)
        with tempfile.TemporaryDirectory(prefix="modem-agent-boot-") as folder:
            return _show(Path(folder))
    except CannotShow as error:
        print(f"this cannot be shown here: {error}", file=sys.stderr)
        return CANNOT


def base_is_there() -> bool:
    """Whether an earlier trial has left a system."""
    return any(path.is_dir() for path in cache().glob("bookworm-????????????"))


def _require() -> None:
    if os.geteuid() != 0:
        raise CannotShow("booting a container needs root: sudo make boot-test")
    os.environ["PATH"] = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    missing = sorted({package for tool, package in TOOLS.items() if shutil.which(tool) is None})
    if missing:
        raise CannotShow(f"apt-get install {' '.join(missing)}")


def _show(folder: Path) -> int:
    start = time.monotonic()
    with machine(scenes.FILES) as root:
        print(f"install  wheel, unit, user, rules  ({time.monotonic() - start:.0f} s)", flush=True)
        rule = root / scenes.POLKIT_RULE.lstrip("/")
        rule.rename(f"{rule}.aside")
        wants = root / "etc/systemd/system/multi-user.target.wants"
        (wants / "simulated-modem.service").symlink_to("../simulated-modem.service")
        failed = [*_boot(root, folder, scenes.BEFORE), *_boot(root, folder, scenes.AFTER)]
    outcome = f"NOT everything held: {', '.join(failed)}" if failed else "everything held"
    print(f"\n{outcome}; {time.monotonic() - start:.0f} s")
    return FAILED if failed else SHOWN


def _boot(root: Path, folder: Path, shown: Sequence[scenes.Scene]) -> list[str]:
    """Boot once and show the scenes; return those that failed."""
    failed: list[str] = []
    start = time.monotonic()
    with Container(root, folder / "console.log") as box:
        until(box.path(CONTROL).exists, MODEM_S, "the simulated modem is there")
        print(f"\nboot     {time.monotonic() - start:.1f} s", flush=True)
        for scene in shown:
            name = scene.__name__.replace("_", " ")
            print(f"\n{name}", flush=True)
            try:
                for fact in scene(box, Air(box), folder):
                    print(f"  ok     {fact}", flush=True)
            except (AssertionError, OSError, KeyError) as error:
                print(f"  FAILED {type(error).__name__}: {error}", flush=True)
                failed.append(name)
                _explain(box)
    return failed


def _explain(box: Container) -> None:
    """Print the end of the journal, where the container still runs."""
    try:
        said = box.journal("--unit=polkit", "--unit=systemd-logind", "--lines=25")
    except AssertionError as error:
        said = str(error)
    print("\n".join(f"         {line}" for line in said.splitlines()), flush=True)


def _give_up(number: int, _: FrameType | None) -> None:
    raise SystemExit(f"ended by {signal.Signals(number).name}")


if __name__ == "__main__":
    sys.exit(main())
