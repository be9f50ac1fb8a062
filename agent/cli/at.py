"""`modem-agent at`: AT lines, through the running agent or directly on the port."""

from __future__ import annotations

import argparse
import asyncio
from typing import Any, Final

from agent.cli.common import add_parser as add
from agent.cli.common import connect, guarded, print_json, seconds
from agent.cli.exits import DONE, FAILED, UNAVAILABLE, complain
from agent.cli.terminal import printable
from agent.control.client import NoAgentError

__all__ = ["add_parser", "show"]

TIMEOUT_S: Final = 30.0


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the sub-command."""
    parser = add(
        subparsers,
        "at",
        summary="send AT lines to the modem",
        description="Sends AT lines in their turn through the running agent; where none runs, "
        "directly\non the configured port. What would break the agent's work is refused, some of "
        "it\nunless --force is given (docs/command-line.md).\n\n"
        "Exit status 0: every answer was OK; 1: an ERROR or a refusal; 69: no modem.",
        examples="  modem-agent at AT+CSQ\n"
        "  modem-agent at +COPS? +CREG?\n"
        "  modem-agent at '+COPS=?' --timeout 180\n"
        "  modem-agent at ATI --port /dev/ttyUSB2",
    )
    parser.add_argument("line", nargs="+", metavar="COMMAND", help="with or without AT before it")
    parser.add_argument("--timeout", type=seconds, default=TIMEOUT_S, metavar="S", help="30")
    parser.add_argument("--force", action="store_true", help="also what changes vital settings")
    parser.add_argument("--port", metavar="PATH", help="open this port, ask no agent")
    parser.set_defaults(func=run)


@guarded
def run(options: argparse.Namespace) -> int:
    """Send each line and show its answer, until one fails."""
    if options.port is not None:
        return asyncio.run(_directly(options, options.port, 115200))
    try:
        client = connect(options)
    except NoAgentError:
        if options.socket is not None:
            raise
        return _without_agent(options)
    with client:
        for line in options.line:
            answer = client.ask("at", line=line, force=options.force, timeout_s=options.timeout)
            if not show(line, answer["lines"], answer["final"], as_json=options.json):
                return FAILED
    return DONE


def show(line: str, lines: list[str], final: str, *, as_json: bool = False) -> bool:
    """Print an answer; whether it was OK."""
    if as_json:
        print_json({"line": line, "lines": lines, "final": final})
    else:
        for text in (*lines, final):
            print(printable(text))
    return final == "OK"


def _without_agent(options: argparse.Namespace) -> int:
    from agent.config.loader import load  # noqa: PLC0415 - a running agent has read it

    modem = load(getattr(options, "config", None), secrets="unread").modem
    return asyncio.run(_directly(options, modem.port, modem.baudrate))


async def _directly(options: argparse.Namespace, port: str, baudrate: int) -> int:
    from agent.modem import line_filter  # noqa: PLC0415 - only without an agent
    from at import commands  # noqa: PLC0415
    from at.bringup.discovery import open_modem  # noqa: PLC0415
    from at.errors import AtError, CommandError, CommandTimeoutError, PortError  # noqa: PLC0415

    try:
        checked = [line_filter.check(line, force=options.force) for line in options.line]
    except line_filter.RefusedLineError as error:
        return complain(error, FAILED)
    modem: Any = None
    try:
        modem = await open_modem(port, baudrate=baudrate)
        await _in_step(modem, port)
        for line, known in zip(options.line, checked, strict=True):
            try:
                lines = await modem.send(commands.raw(known.line, options.timeout))
                final = "OK"
            except CommandError as error:
                lines, final = (), error.result
            except CommandTimeoutError as error:
                return complain(error, FAILED)
            if not show(line, list(lines), final, as_json=options.json):
                return FAILED
    except PortError as error:
        return complain(error, UNAVAILABLE)
    except AtError as error:
        return complain(f"{port}: {error}", UNAVAILABLE)
    finally:
        if modem is not None:
            await modem.close()
    return DONE


async def _in_step(modem: Any, port: str) -> None:
    """Find the modem listening, its echo off: an echo would be taken for a part of the answer."""
    from at import commands  # noqa: PLC0415
    from at.errors import CommandTimeoutError, PortError  # noqa: PLC0415

    try:
        await modem.resynchronise()
        await modem.send(commands.do("E0"))
    except CommandTimeoutError:
        raise PortError(port, "no modem answers there") from None
