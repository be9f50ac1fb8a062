"""`modem-agent demo`: the whole road of a command, without hardware or server."""

from __future__ import annotations

import argparse

from agent.cli.exits import FAILED, complain


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the sub-command."""
    parser = subparsers.add_parser(
        "demo",
        help="show the whole road of a command, without hardware or server",
        description="Starts a simulated modem on a pseudo terminal, an embedded MQTT broker and "
        "the real agent between them, sends it messages from three platforms and a stranger, and "
        "reads back what became of them.",
    )
    parser.add_argument("--config", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    parser.add_argument("--keep", action="store_true", help="leave everything running afterwards")
    parser.add_argument(
        "--http",
        action="store_true",
        help="from the HTTP APIs of five simulated platforms instead, and back to them",
    )
    parser.set_defaults(func=run)


def run(options: argparse.Namespace) -> int:
    """Play the demonstration; 0 where everything was as it must be, else 1."""
    # Simulator and broker are for this only.
    from agent.demo.play import play  # noqa: PLC0415
    from agent.demo.stage import StageError  # noqa: PLC0415

    try:
        if options.http:
            from agent.demo.platforms import play_http  # noqa: PLC0415 - aiohttp, for this only

            return play_http(keep=options.keep)
        return play(keep=options.keep)
    except ImportError as error:
        return complain(f"{error.name} is missing: pip install '.[simulator]'", FAILED)
    except StageError as error:
        return complain(error, FAILED)
