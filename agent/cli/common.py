"""What the sub-commands that talk to a running agent share: options, errors, output."""

from __future__ import annotations

import argparse
import functools
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from agent.cli.exits import FAILED, UNAVAILABLE, USAGE, complain
from agent.control.client import Client, NoAgentError, RequestFailedError

__all__ = [
    "add_options",
    "add_parser",
    "body",
    "connect",
    "guarded",
    "print_json",
    "progress",
    "seconds",
]

_STATUS: Final = {"usage": USAGE, "unavailable": UNAVAILABLE}


def add_parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    *,
    summary: str,
    description: str,
    examples: str,
) -> argparse.ArgumentParser:
    """Register a sub-command with its examples and the options that all of them have."""
    parser = subparsers.add_parser(
        name,
        help=summary,
        description=description,
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_options(parser)
    return parser


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add --config, --socket and --json, before or after the other words."""
    parser.add_argument(
        "--config", metavar="FILE", default=argparse.SUPPRESS, help="configuration file"
    )
    parser.add_argument(
        "--socket", type=Path, metavar="PATH", help="control socket of the agent (default: found)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, one object a line")


def connect(options: argparse.Namespace) -> Client:
    """Connect to the running agent; raises NoAgentError."""
    return Client.connect([options.socket] if options.socket is not None else None)


def guarded(
    function: Callable[[argparse.Namespace], int],
) -> Callable[[argparse.Namespace], int]:
    """Turn what can go wrong with an agent into a line on standard error and an exit status."""

    @functools.wraps(function)
    def run(options: argparse.Namespace) -> int:
        try:
            return function(options)
        except NoAgentError as error:
            return complain(error, UNAVAILABLE)
        except RequestFailedError as error:
            return complain(error, _STATUS.get(error.code, FAILED))

    return run


def body(words: list[str]) -> str:
    """Return the payload that a command line gives: its words, or standard input for none or -."""
    from agent.request import from_words  # noqa: PLC0415 - only who sends needs the grammar

    if words in ([], ["-"]):
        return sys.stdin.read()
    return from_words(words)


def seconds(text: str) -> float:
    """Read an option that is a positive number of seconds."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number of seconds")
    return value


def print_json(value: Any) -> None:
    """Print one JSON object on one line, at once."""
    print(json.dumps(value, ensure_ascii=False), flush=True)


def progress(text: str, *, wanted: bool) -> None:
    """Tell a person how far long work has come; nothing in a pipe."""
    if wanted and sys.stderr.isatty():
        print(text, file=sys.stderr, flush=True)
