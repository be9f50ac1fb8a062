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
from agent.config.paths import find_config
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
    """Connect to the running agent; raises NoAgentError, ConfigError.

    With --config it is that configuration's agent or none: nothing is asked of another device's.
    """
    if not hasattr(options, "agent_at"):  # not again at each reconnection
        options.agent_at = _agent_at(options)
    paths, device = options.agent_at
    return Client.connect(paths, device=device)


def _agent_at(options: argparse.Namespace) -> tuple[list[Path] | None, str | None]:
    """Say where to look (None: the usual places), and for which device (None: any)."""
    named = [options.socket] if options.socket is not None else None
    if getattr(options, "config", None) is not None:
        from agent.config.loader import load  # noqa: PLC0415 - most clients need none of it

        config = load(options.config, secrets="unread")
        own = [config.control.socket] if config.control.socket is not None else None
        return named or own, config.device.id
    source = find_config() if named is None else None
    if source is not None:
        from agent.config.control_socket import socket_of  # noqa: PLC0415 - as above

        own_socket = socket_of(source)
        # Who was not given it may not know of it: the usual places are left to --socket.
        named = [own_socket] if own_socket is not None else None
    return named, None


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
    from agent.payload.request import from_words  # noqa: PLC0415 - only who sends needs the grammar

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
