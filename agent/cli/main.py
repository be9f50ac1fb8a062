"""Finds the sub-command and loads nothing but that one."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any, Final

from agent import __version__
from agent.cli.exits import CONFIGURATION, FAILED, complain

__all__ = ["main"]

# The sub-commands in the order of the help; each lives in agent.cli.<name>.
COMMANDS: Final = (
    "run",
    "demo",
    "doctor",
    "status",
    "history",
    "explain",
    "send",
    "sms",
    "at",
    "console",
    "sign",
    "operator",
    "pdu",
    "simulate",
    "config",
    "install",
)


def _formatter(prog: str) -> argparse.HelpFormatter:
    """As argparse's own, which would load shutil to learn a width: 0.5 MB in every agent."""
    try:
        columns = int(os.environ.get("COLUMNS") or os.get_terminal_size().columns)
    except (OSError, ValueError):
        columns = 0  # no terminal
    return argparse.HelpFormatter(prog, width=(columns or 80) - 2)


class _Parser(argparse.ArgumentParser):
    """A parser, also of the sub-commands, with that formatter."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"formatter_class": _formatter, **options})


def _parser(names: Sequence[str]) -> argparse.ArgumentParser:
    parser = _Parser(
        prog="modem-agent",
        description="Keeps a gateway commandable by SMS.",
        epilog="Exit status: 0 done, 1 failed, 2 usage, 69 no modem or no running agent, "
        "78 configuration.",
    )
    parser.add_argument("--version", action="version", version=f"modem-agent {__version__}")
    parser.add_argument("--config", metavar="FILE", help="configuration file")
    # Without `prog`, argparse formats a whole usage to learn it.
    subparsers = parser.add_subparsers(
        prog=parser.prog, dest="subcommand", metavar="COMMAND", required=True
    )
    for name in names:
        importlib.import_module(f"agent.cli.{name}").add_parser(subparsers)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status; no traceback reaches a user."""
    words = list(sys.argv[1:] if argv is None else argv)
    wanted = [word for word in _words(words) if word in COMMANDS][:1]
    options = _parser(wanted or COMMANDS).parse_args(words)
    from agent.config.model import ConfigError  # noqa: PLC0415 - after the usage errors

    try:
        status: int = options.func(options)
        sys.stdout.flush()
    except ConfigError as error:
        return complain(error, CONFIGURATION)
    except BrokenPipeError:
        # The reader of our output has gone (`| head`): not an error, and nothing more to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        return complain(error, FAILED)
    return status


def _words(words: Sequence[str]) -> list[str]:
    """Return the words that may name the sub-command: the file of --config may be called so."""
    after_config = [False, *(word == "--config" for word in words)]
    return [word for word, named in zip(words, after_config, strict=False) if not named]
