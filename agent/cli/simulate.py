"""`modem-agent simulate`: a simulated modem for any program that speaks AT."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli import simulate_http

if TYPE_CHECKING:
    from at.simulator.shell import Shell

OK, FAILED, USAGE = 0, 1, 2


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the sub-command; its `func` takes the parsed options and gives the exit status."""
    parser = subparsers.add_parser(
        "simulate",
        help="run a simulated modem on a pseudo terminal or a TCP port",
        description="Runs a simulated modem until it is interrupted. The first line of output "
        "says where it is; any program that speaks AT can open it.",
    )
    parser.add_argument("--config", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    parser.add_argument("--personality", default="generic", metavar="NAME", help="the make")
    parser.add_argument("--list", action="store_true", help="list the personalities, then end")
    parser.add_argument("--link", type=Path, help="a symbolic link to the terminal")
    parser.add_argument("--tcp", metavar="HOST:PORT", help="serve TCP instead; port 0: a free one")
    parser.add_argument("--baud", type=int, help="pace the line as a serial line of this speed")
    parser.add_argument("--boot", action="store_true", help="power up first, with its boot lines")
    parser.add_argument(
        "--reenumerate",
        type=float,
        metavar="SECONDS",
        help="a restart takes the port away for so long",
    )
    parser.add_argument("--pin", help="the card asks for this PIN")
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a fault from the start, such as noise=0.1 or mute=true (repeatable)",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the random faults")
    parser.add_argument(
        "--deliver",
        nargs=2,
        action="append",
        default=[],
        metavar=("FROM", "TEXT"),
        help="a message that lies in the modem from the start (repeatable)",
    )
    parser.add_argument("--control", type=Path, metavar="PATH", help="control socket (JSON lines)")
    parser.add_argument("--json", action="store_true", help="the first line as a JSON object")
    simulate_http.add_options(parser)
    parser.set_defaults(func=run)


def run(options: argparse.Namespace) -> int:
    """Simulate until SIGINT or SIGTERM; 0 ended so, 1 it cannot start, 2 usage."""
    from at.simulator.personalities import PERSONALITIES  # noqa: PLC0415

    names = sorted(PERSONALITIES)
    if options.list:
        print(json.dumps(names) if options.json else "\n".join(names))
        return OK
    wrong = _wrong_use(options, names)
    if wrong:
        return _complain(wrong, USAGE)
    if options.http is not None:
        return simulate_http.run(options)
    return _run_modem(options)


def _run_modem(options: argparse.Namespace) -> int:
    from at.errors import EncodeError  # noqa: PLC0415 - only who simulates pays for the imports

    try:
        return asyncio.run(_serve(_shell(options), options))
    except EncodeError as error:
        return _complain(f"--deliver: {error}", USAGE)
    except ValueError as error:
        return _complain(str(error), USAGE)
    except OSError as error:
        return _complain(f"cannot start: {error}", FAILED)


def _wrong_use(options: argparse.Namespace, names: list[str]) -> str:
    """Return what is wrong with the options, "" for nothing."""
    if options.personality not in names:
        return f"--personality is one of: {', '.join(names)}"
    if options.baud is not None and not 50 <= options.baud <= 4_000_000:
        return "--baud is 50 to 4000000"
    if options.tcp is not None:
        if options.link is not None:
            return "--link is for a terminal, not for --tcp"
        _, colon, port = options.tcp.rpartition(":")
        if not (colon and port.isascii() and port.isdigit() and int(port) < 65536):
            return "--tcp takes HOST:PORT"
    return ""


def _complain(text: str, status: int) -> int:
    print(f"modem-agent simulate: {text}", file=sys.stderr)
    return status


def _shell(options: argparse.Namespace) -> Shell:
    from at.simulator import PtyModem, TcpModem  # noqa: PLC0415

    if options.tcp is None:
        return PtyModem(
            options.personality,
            link=options.link,
            seed=options.seed,
            baud=options.baud,
            boot=options.boot,
            reenumerate_s=options.reenumerate,
        )
    host, _, port = options.tcp.rpartition(":")
    return TcpModem(
        options.personality,
        host=host.strip("[]") or "127.0.0.1",
        port=int(port),
        seed=options.seed,
        baud=options.baud,
        boot=options.boot,
        reenumerate_s=options.reenumerate,
    )


def _prepare(shell: Shell, options: argparse.Namespace) -> None:
    """Put in place what the options say; raises ValueError where they cannot be meant."""
    from at.simulator import operate  # noqa: PLC0415

    for fault in options.fault:
        name, _, text = fault.partition("=")
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        operate(shell, "faults", **{name: value})
    if options.pin is not None:
        operate(shell, "sim", pin=options.pin, locked=True, state="SIM PIN")
    for sender, text in options.deliver:
        shell.deliver_text(sender, text)


async def _serve(shell: Shell, options: argparse.Namespace) -> int:
    from at.simulator.control import control_socket  # noqa: PLC0415

    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(shell)
        if options.control is not None:
            await stack.enter_async_context(control_socket(shell, options.control))
        _prepare(shell, options)
        _tell(shell, options)
        await ended.wait()
    return OK


def _tell(shell: Shell, options: argparse.Namespace) -> None:
    if options.json:
        told = {
            "path": shell.path,
            "link": str(options.link) if options.link else None,
            "personality": options.personality,
            "control": str(options.control) if options.control else None,
        }
        print(json.dumps(told), flush=True)
    else:
        print(shell.path, flush=True)
