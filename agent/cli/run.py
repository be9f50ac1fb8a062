"""`modem-agent run`: the agent itself."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from typing import TYPE_CHECKING

from agent.cli.exits import CONFIGURATION, DONE, FAILED, complain
from agent.system import sd_notify

if TYPE_CHECKING:
    from agent.config.model import Config

log = logging.getLogger(__name__)


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the sub-command."""
    parser = subparsers.add_parser(
        "run",
        help="run the agent",
        description="Runs the agent in the foreground until SIGTERM, SIGINT or SIGHUP, as systemd "
        "does. `restart` re-executes it where no service manager would start it again.",
    )
    parser.add_argument(
        "--config", metavar="FILE", default=argparse.SUPPRESS, help="configuration file"
    )
    parser.add_argument(
        "-v", "--verbose", action="count", default=0, help="log more; twice: AT traffic too"
    )
    parser.set_defaults(func=run)


def run(options: argparse.Namespace) -> int:
    """Run the agent; 0 after an orderly end, 1 where it cannot run, 78 for its configuration.

    After `restart` without a service manager it does not return: the same process starts anew.
    """
    from agent.config.loader import load  # noqa: PLC0415 - `--help` needs none of it

    _log(options.verbose)
    config = load(options.config)
    for warning in config.warnings:
        logging.getLogger("agent").warning("configuration %s", warning)
    status, restart = asyncio.run(_run(config))
    return _execute_again() if restart and not sd_notify.has_manager() else status


def _execute_again() -> int:
    """Replace this process by a new agent with the same words; returns only where that fails.

    Everything is closed: no descriptor but the standard ones is inherited (PEP 446).
    """
    log.info("executing again argv=%s", sys.orig_argv)
    sys.stdout.flush()
    try:
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - no shell
    except OSError as error:
        return complain(f"cannot start again: {sys.executable}: {error.strerror}", FAILED)


async def _run(config: Config) -> tuple[int, bool]:
    """Return the exit status, and whether a restart was asked for."""
    from agent.app import App  # noqa: PLC0415
    from agent.commands.catalogue import HandlerError  # noqa: PLC0415
    from agent.journal.journal import Journal, JournalError  # noqa: PLC0415
    from agent.payload.signatures import key_of  # noqa: PLC0415
    from agent.system.clock import Clock  # noqa: PLC0415

    keys = {key_id: key_of(key.path.read_bytes()) for key_id, key in config.security.keys.items()}
    clock = Clock()
    try:
        journal = await Journal.open(config.journal.path, clock)
    except JournalError as error:
        return complain(error, FAILED), False
    try:
        app = App(config, journal, keys, clock)
        await app.run()
    except HandlerError as error:
        return complain(error, CONFIGURATION), False
    except JournalError as error:
        return complain(error, FAILED), False
    finally:
        await journal.close()
    return DONE, app.restart_requested


def _log(verbose: int) -> None:
    """Log to standard error; under journald without times, with its level prefixes."""
    levels = (logging.INFO, logging.DEBUG, logging.DEBUG)
    under_journald = "JOURNAL_STREAM" in os.environ
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Prefixed() if under_journald else logging.Formatter(_PLAIN))
    logging.basicConfig(level=levels[min(verbose, 2)], handlers=[handler])
    # Message bodies and numbers pass the driver at DEBUG: only for who asks twice.
    logging.getLogger("at").setLevel(logging.DEBUG if verbose > 1 else logging.INFO)
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    # It warns of every trigger that `model_override` rightly leaves alone.
    logging.getLogger("transitions").setLevel(logging.ERROR)


_PLAIN = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class _Prefixed(logging.Formatter):
    """The level as journald reads it (sd-daemon(3)): `<3>` for an error."""

    _LEVELS = {"CRITICAL": 2, "ERROR": 3, "WARNING": 4, "INFO": 6, "DEBUG": 7}  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__("%(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines, each with the prefix."""
        prefix = f"<{self._LEVELS.get(record.levelname, 6)}>"
        return "\n".join(prefix + line for line in super().format(record).splitlines())
