"""`modem-agent install`: the service's files into the system, or out of it."""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
from pathlib import Path
from typing import Final

from agent.cli.common import print_json, progress
from agent.cli.exits import DONE, FAILED, USAGE, complain
from agent.cli.terminal import printable
from agent.install.installer import (
    CONFIGURATION,
    FILES,
    PROGRAM,
    SECRETS,
    Installation,
    InstallationError,
    Step,
    hidden,
)

__all__ = ["add_parser"]

POLKIT: Final = "/usr/share/dbus-1/system-services/org.freedesktop.PolicyKit1.service"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the sub-command."""
    places = "\n".join(f"  {shipped.place}" for shipped in FILES)
    parser = subparsers.add_parser(
        "install",
        help="install the systemd service, its user and rules, and an example configuration",
        description="Puts the service's files into this system and makes its user:\n\n"
        f"{places}\n\n"
        "A file that somebody changed is kept; it can be said again after every upgrade.\n"
        "Nothing is enabled or started.\n\n"
        "Exit status 0: everything is in place (a kept file too); 1: something failed.",
        epilog="examples:\n"
        "  modem-agent install --dry-run\n"
        "  sudo /opt/modem-agent/bin/modem-agent install\n"
        "  modem-agent install --root /mnt/image --json",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, do nothing")
    parser.add_argument(
        "--root", type=Path, metavar="DIR", help="another system's root, such as an image's"
    )
    parser.add_argument(
        "--program",
        metavar="PATH",
        help="the modem-agent that the service starts, as that system sees it "
        f"(default: this one; with --root {PROGRAM})",
    )
    parser.add_argument(
        "--force", action="store_true", help="replace changed files too, but no configuration"
    )
    parser.add_argument(
        "--uninstall",
        action="store_true",
        help="stop the service and remove what was installed and nobody changed; "
        "configuration in use, secrets, journal and user stay",
    )
    parser.add_argument("--json", action="store_true", help="print JSON, one object")
    parser.set_defaults(func=run)


def run(options: argparse.Namespace) -> int:
    """Install or uninstall; 0 done, 1 something failed, 2 usage."""
    root = Path(os.path.abspath(options.root)) if options.root is not None else None  # noqa: PTH100 - a path below it is shown as it was given, links and all
    program = options.program or _program(root)
    if options.program is not None and not options.program.startswith("/"):
        return complain(f"--program takes an absolute path, not {options.program}", USAGE)
    if problem := "" if options.uninstall else _out_of_sight(program, options.program, root):
        return complain(problem, FAILED)
    work = Installation(
        root=root,
        program=program,
        dry_run=options.dry_run,
        force=options.force,
        tell=lambda step: _tell(step, options),
    )
    try:
        work.uninstall() if options.uninstall else work.install()
    except InstallationError as error:
        return complain(error, FAILED)
    steps = _next(work, options.uninstall) if not work.failed else []
    if options.json:
        print_json(
            {
                "ok": not work.failed,
                "dry_run": options.dry_run,
                "root": str(root or "/"),
                "program": program,
                "steps": [dataclasses.asdict(step) for step in work.steps],
                "next": steps,
            }
        )
    else:
        _conclude(work, steps)
    return FAILED if work.failed else DONE


def _program(root: Path | None) -> str:
    """Return the program that the unit starts: this one's, where this system is meant."""
    if root is not None:
        return PROGRAM
    return str(Path(sys.prefix, "bin", "modem-agent"))


def _out_of_sight(program: str, named: str | None, root: Path | None) -> str:
    """Return why the service could not start the program, "" where it could."""
    folder = hidden(program)
    if folder is None and named is None and root is None:
        # A virtual environment may borrow its interpreter from a person's home.
        folder = hidden(os.path.realpath(sys.executable))
        program = os.path.realpath(sys.executable)
    if folder is None:
        return ""
    return (
        f"{program} is in {folder}, which the service cannot see; install into a virtual "
        f"environment that it can: python3 -m venv {Path(PROGRAM).parents[1]}, with the system's "
        "own python3"
    )


_WOULD: Final = {
    "created": "would create",
    "updated": "would update",
    "removed": "would remove",
    "ran": "would run",
}


def _tell(step: Step, options: argparse.Namespace) -> None:
    """Tell a step at once: they are few, but stopping a service may take its time."""
    if options.json:
        progress(f"{step.outcome} {step.subject}", wanted=True)
        return
    word = _WOULD.get(step.outcome, step.outcome) if options.dry_run else step.outcome
    line = f"{word:<12} {step.subject}{f' ({step.detail})' if step.detail else ''}"
    print(printable(line), file=sys.stderr if step.failed else sys.stdout, flush=True)


def _conclude(work: Installation, steps: list[str]) -> None:
    if work.failed:
        complain("not everything could be done, see above", FAILED)
    elif work.dry_run:
        print("\nnothing was done")
    elif steps:
        print("\nnext:" if work.root is None else f"\nnext, in {work.root}:")
        for number, text in enumerate(steps, 1):
            print(f"  {number}. {text}")


def _next(work: Installation, uninstalled: bool) -> list[str]:
    """Return what is left for the operator, one line each; nothing after a dry run."""
    if work.dry_run:
        return []
    if uninstalled:
        leftovers = "/etc/modem-agent /var/lib/modem-agent"
        return [f"if it is not wanted any more: userdel modem-agent; rm -r {leftovers}"]
    config = CONFIGURATION.place
    steps = []
    if not (Path(work.program) if work.root is None else work.at(work.program)).exists():
        folder = Path(work.program).parents[1]
        steps.append(f"python3 -m venv {folder} && {folder}/bin/pip install modem-agent")
    if not work.at(POLKIT).exists():
        steps.append("install polkit, or the command `reboot` will be refused")
    if work.outcome(CONFIGURATION) != "kept":
        steps.append(f"edit {config}: platforms, device id; secrets go into {SECRETS}")
    steps.append(f"{work.program} config check {config}")
    if work.root is not None:
        steps.append(f"systemctl --root={work.root} enable modem-agent")
    elif work.manager_runs:
        steps.append("systemctl enable modem-agent && systemctl restart modem-agent")
        steps.append("journalctl -u modem-agent -f, and modem-agent status")
    else:
        steps.append("systemctl enable --now modem-agent, once systemd runs")
    return steps
