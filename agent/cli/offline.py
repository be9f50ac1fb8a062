"""The journal of an agent that is not running, for the sub-commands that only read."""

from __future__ import annotations

import argparse
import contextlib
import sqlite3
from collections.abc import Iterator
from typing import TYPE_CHECKING

from agent.cli.common import connect
from agent.control.client import Client, NoAgentError

if TYPE_CHECKING:
    from agent.config.model import Config

__all__ = ["add_option", "client_or_none", "configuration", "journal"]


def add_option(parser: argparse.ArgumentParser) -> None:
    """Add --offline."""
    parser.add_argument(
        "--offline",
        action="store_true",
        help="ask no agent: read this configuration and its journal as they are on disk",
    )


def client_or_none(options: argparse.Namespace) -> Client | None:
    """Connect to the running agent, None where there is none and none was insisted on."""
    if options.offline:
        return None
    try:
        return connect(options)
    except NoAgentError:
        if options.socket is not None:
            raise
        return None


def configuration(options: argparse.Namespace) -> Config:
    """Load the configuration; raises ConfigError."""
    from agent.config.loader import load  # noqa: PLC0415 - a running agent has read it

    return load(getattr(options, "config", None), secrets="unread")


@contextlib.contextmanager
def journal(config: Config) -> Iterator[sqlite3.Connection]:
    """Open its journal without touching it; raises ReadOnlyError."""
    from agent.journal.readonly import open_read_only  # noqa: PLC0415

    with open_read_only(config.journal.path) as db:
        yield db
