"""`modem-agent doctor`: what is wrong with this gateway, layer by layer, and what to do."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent.cli.common import add_parser as add
from agent.cli.common import print_json, progress, seconds
from agent.cli.exits import CONFIGURATION, DONE, FAILED, UNAVAILABLE
from agent.cli.terminal import is_person, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.doctor.context import Patient
    from agent.doctor.finding import Finding

WITHIN_S: Final = 60.0
STATUS: Final = {"failed": FAILED, "no-modem": UNAVAILABLE, "configuration": CONFIGURATION}
KEYS: Final = ("layer", "check", "verdict", "seen", "remedy")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the sub-command."""
    parser = add(
        subparsers,
        "doctor",
        summary="examine everything from the port's permissions to the SMS domain",
        description="Looks at configuration, agent, journal, port, modem, SIM, network, messages,\n"
        "clock, broker, budget and platforms; says of each what was seen and what to do.\n"
        "A running agent is asked, and not disturbed; no PIN is tried, nothing is sent,\n"
        "and no setting of the modem is stored (docs/doctor.md).\n\n"
        "Exit status 0: no error; 1: an error; 69: no modem; 78: the configuration.",
        examples="  modem-agent doctor\n"
        "  modem-agent doctor --json\n"
        "  modem-agent doctor --port /dev/ttyUSB2 --transcript modem.at",
    )
    parser.add_argument("--port", metavar="PATH", help="examine this port, ask no agent for it")
    parser.add_argument(
        "--timeout", type=seconds, default=WITHIN_S, metavar="S", help="for everything (60)"
    )
    parser.add_argument(
        "--transcript",
        type=Path,
        metavar="FILE",
        help="write what was said to the modem and by it, without numbers, for a bug report",
    )
    parser.set_defaults(func=run)


def run(options: argparse.Namespace) -> int:
    """Make the checks, show each as it ends, and return the status of the worst."""
    from agent.doctor.context import Patient  # noqa: PLC0415
    from agent.doctor.layers import CHECKS  # noqa: PLC0415
    from agent.doctor.run import examine  # noqa: PLC0415 - `--help` needs none of it

    patient = Patient(
        config_path=getattr(options, "config", None),
        port_named=options.port,
        socket=options.socket,
    )
    shown = _Report(as_json=options.json)
    findings = asyncio.run(examine(patient, CHECKS, within_s=options.timeout, tell=shown.tell))
    if options.json:
        print_json([{key: dataclasses.asdict(one)[key] for key in KEYS} for one in findings])
    shown.end(findings)
    if options.transcript is not None:
        _write(patient, options.transcript)
    return worst(findings)


def worst(findings: Sequence[Finding]) -> int:
    """Return the exit status: that of the gravest error."""
    return max((STATUS[one.means] for one in findings if one.verdict == "error"), default=DONE)


class _Report:
    """Shows findings as they come: to a person in paragraphs, in a pipe one a line."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._person = is_person()
        self._layer = ""

    def tell(self, found: Finding) -> None:
        """Show one."""
        line = f"{found.verdict:<8}{found.layer} {found.check}: {printable(found.seen)}"
        remedy = printable(found.remedy)
        if self._as_json:
            progress(line, wanted=True)
        elif self._person:
            if found.layer != self._layer:
                print(found.layer)
            print(f"  {found.verdict:<8}{found.check}: {printable(found.seen)}")
            if remedy:
                print(f"          -> {remedy}")
        else:
            print(f"{line} -> {remedy}" if remedy else line)
        sys.stdout.flush()
        self._layer = found.layer

    def end(self, findings: Sequence[Finding]) -> None:
        """Sum up, for a person."""
        if self._as_json or not self._person:
            return
        counts = dict.fromkeys(("error", "warning", "note", "skipped"), 0)
        for one in findings:
            if one.verdict in counts:
                counts[one.verdict] += 1
        told = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
        print(told or "all well")


def _write(patient: Patient, path: Path) -> None:
    """Write the transcript; a remark alone where nobody was spoken to."""
    from agent import __version__  # noqa: PLC0415 - as above

    what = patient.model or "no modem answered"
    title = f"{what}; written by modem-agent doctor {__version__}, without numbers and texts"
    path.write_text(patient.transcript.render(title), encoding="utf-8")
