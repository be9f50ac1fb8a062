"""`modem-agent config check|example`: judges a configuration, or prints one to start from."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from agent.config.loader import load
from agent.config.model import Config, ConfigError, Problem
from agent.install.shipped import packaged

if TYPE_CHECKING:
    from collections.abc import Sequence


OK, CONFIGURATION = 0, 78
EXAMPLE = "modem-agent.toml"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the sub-command; its `func` takes the parsed options and gives the exit status."""
    parser = subparsers.add_parser("config", help="check a configuration, or print an example")
    actions = parser.add_subparsers(dest="action", required=True, metavar="check|example")
    check = actions.add_parser(
        "check",
        help="tell everything that is wrong with a configuration",
        description="Reads a configuration as `run` would and tells every problem at once. "
        "Exit status 0: usable (there may be warnings), 78: not usable.",
    )
    check.add_argument("file", nargs="?", type=Path, help="the file (or --config FILE)")
    check.add_argument("--config", default=argparse.SUPPRESS, help="configuration file")
    check.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON object"
    )
    check.set_defaults(func=_check)
    example = actions.add_parser("example", help="print a complete, commented configuration")
    example.add_argument("--config", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    example.set_defaults(func=_example)


def _check(options: argparse.Namespace) -> int:
    from agent.commands.catalogue import HandlerError, build  # noqa: PLC0415 - only here

    path = options.file if options.file is not None else getattr(options, "config", None)
    config: Config | None = None
    problems: Sequence[Problem] = ()
    source = Path(path) if path is not None else None
    try:
        config = load(path, secrets="judged")
        build(config)
    except ConfigError as error:
        problems, source = error.problems, error.source
    except HandlerError as error:
        problems = (Problem(f"command.{error.name}", "an installed handler", str(error)),)
        config = None
    if getattr(options, "json", False):
        print(json.dumps(_report(config, source, problems), ensure_ascii=False, indent=2))
    else:
        _tell(config, source, problems)
    return OK if config is not None else CONFIGURATION


def _report(
    config: Config | None, source: Path | None, problems: Sequence[Problem]
) -> dict[str, object]:
    def rows(some: Sequence[Problem]) -> list[dict[str, str]]:
        return [{"path": p.path, "expected": p.expected, "got": p.got} for p in some]

    file = config.source if config is not None else source
    return {
        "file": str(file) if file is not None else None,
        "ok": config is not None,
        "problems": rows(problems),
        "warnings": rows(config.warnings if config is not None else ()),
    }


def _tell(config: Config | None, source: Path | None, problems: Sequence[Problem]) -> None:
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    if config is None:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        print(f"{source or 'configuration'}: {count}", file=sys.stderr)
        return
    for warning in config.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    rows = ", ".join(f"{row.name} ({row.trust})" for row in config.platforms)
    print(f"{config.source}: good; device {config.device.id}, platforms {rows}")


def _example(_: argparse.Namespace) -> int:
    sys.stdout.write(packaged(EXAMPLE).read_text(encoding="utf-8"))
    return OK
