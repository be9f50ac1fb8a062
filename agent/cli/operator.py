"""`modem-agent operator`: commands through an SMS platform's API, and their answers."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from agent.cli.common import body, progress, seconds
from agent.cli.exits import CONFIGURATION, DONE, FAILED, UNAVAILABLE, USAGE, complain
from agent.config.model import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.config.model import Problem
    from agent.operator.inventory import Device, Inventory
    from agent.operator.message import Composed
    from agent.operator.received import Log
    from agent.operator.sending import Outcome

NO_ANSWER: Final = 75  # sysexits.h EX_TEMPFAIL
RETRY_WAIT_S: Final = 60.0


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the sub-command; its `func` takes the parsed options and gives the exit status."""
    parser = subparsers.add_parser(
        "operator",
        help="send commands to devices through the SMS platforms' APIs",
        description="Sends commands through the APIs of the SMS platforms, and reads the answers. "
        "An inventory names the platforms' accounts and the devices (docs/operator.md).",
        epilog="Exit status of send: 0 the command succeeded, 1 it failed or was refused, "
        "69 the platform cannot be reached, 75 no answer in time, 2 usage, 78 inventory.",
    )
    parser.add_argument(
        "--inventory",
        type=Path,
        metavar="FILE",
        help="default: operator.toml in the user's configuration folder",
    )
    actions = parser.add_subparsers(
        dest="action", required=True, metavar="check|send|messages|listen"
    )
    check = actions.add_parser("check", help="tell everything that is wrong with the inventory")
    check.add_argument("--json", action="store_true", help="print one JSON object")
    check.set_defaults(func=_check)
    sending = actions.add_parser(
        "send",
        help="send a command, wait for its answer",
        description="Sends a command with an id, signed where the device has a key.",
    )
    sending.add_argument("device", metavar="DEVICE", help="its name in the inventory")
    sending.add_argument(
        "command", nargs="+", metavar="COMMAND", help="in line or JSON form; -: from stdin"
    )
    sending.add_argument("--wait", type=seconds, metavar="S", help="wait so long for the answer")
    sending.add_argument(
        "--retry",
        type=_count,
        default=0,
        metavar="N",
        help=f"send it again so often under the same id, each time after --wait "
        f"(default then: {RETRY_WAIT_S:g})",
    )
    sending.add_argument("--json", action="store_true", help="print one JSON object")
    sending.set_defaults(func=_send)
    listing = actions.add_parser("messages", help="list what the platform knows of a device")
    listing.add_argument("device", metavar="DEVICE", help="its name in the inventory")
    listing.add_argument("--json", action="store_true", help="print JSON, one object a line")
    listing.set_defaults(func=_messages)
    listening = actions.add_parser(
        "listen",
        help="receive the platforms' callbacks and pushes",
        description="Serves one path per platform (/super-sim …) and prints one JSON object for "
        "each message and status, once. `send --wait` reads them too.",
    )
    listening.add_argument(
        "--http", required=True, metavar="HOST:PORT", help="serve here; port 0: a free one"
    )
    listening.set_defaults(func=_listen)
    for action in (check, sending, listing, listening):
        action.add_argument(
            "--inventory",
            type=Path,
            metavar="FILE",
            default=argparse.SUPPRESS,
            help="inventory",
        )


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 4):
        raise argparse.ArgumentTypeError(f"{text} is not a number from 0 to 999")
    return int(text)


def _check(options: argparse.Namespace) -> int:
    from agent.operator.inventory import default_path  # noqa: PLC0415
    from agent.operator.inventory_file import load  # noqa: PLC0415

    path = options.inventory or default_path()
    inventory: Inventory | None = None
    problems: Sequence[Problem] = ()
    try:
        inventory = load(path)
    except ConfigError as error:
        problems = error.problems
    warnings = inventory.warnings if inventory is not None else ()
    if options.json:
        rows = [
            [{"path": p.path, "expected": p.expected, "got": p.got} for p in some]
            for some in (problems, warnings)
        ]
        told = {"file": str(path), "ok": not problems, "problems": rows[0], "warnings": rows[1]}
        _print_object(told)
    else:
        for kind, some in (("error", problems), ("warning", warnings)):
            for problem in some:
                print(f"{kind}: {problem}", file=sys.stderr)
        if inventory is None:
            count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
            print(f"{path}: {count}", file=sys.stderr)
        else:
            devices = ", ".join(
                f"{one.name} ({one.account.platform})" for one in inventory.devices.values()
            )
            print(f"{path}: good; devices {devices}")
    return DONE if inventory is not None else CONFIGURATION


def _send(options: argparse.Namespace) -> int:
    found = _found(options)
    if isinstance(found, int):
        return found
    inventory, device = found
    try:
        from agent.operator.sending import send  # noqa: PLC0415 - aiohttp, for this alone
    except ImportError:
        return _missing()
    from agent.config.paths import counters_path  # noqa: PLC0415
    from agent.operator.message import NotSentError, compose  # noqa: PLC0415

    try:
        message = compose(body(options.command), device, counters_path())
    except NotSentError as error:
        if options.json:
            _print_object(_object(device, error.message, None))
        return _complain(str(error), FAILED)
    wait_s = options.wait
    if wait_s is None and options.retry:
        wait_s = RETRY_WAIT_S
    outcome = asyncio.run(
        send(
            device,
            message,
            log=inventory.log,
            wait_s=wait_s,
            retries=options.retry,
            tell=lambda text: progress(_printable(text), wanted=not options.json),
        )
    )
    if options.json:
        _print_object(_object(device, message, outcome))
    elif outcome.answer is not None:
        print(outcome.answer.text)
    elif outcome.platform_id and wait_s is None:
        print(_printable(f"{message.id} sent as {outcome.platform_id}: {_size(message)}"))
    return _status(device, message, outcome, waited=wait_s is not None)


def _status(device: Device, message: Composed, outcome: Outcome, *, waited: bool) -> int:
    """Give the exit status, and say on standard error what is known where it is not 0."""
    platform = device.account.platform
    if outcome.answer is not None and outcome.answer.is_final:
        return DONE if outcome.answer.state == "succeeded" else FAILED
    if outcome.refused:
        return _complain(f"{platform} refused it: {outcome.refused}", FAILED)
    if not outcome.platform_id:
        return _complain(f"{platform} cannot be reached: {outcome.unavailable}", UNAVAILABLE)
    if outcome.failed:
        return _complain(f"{message.id}: {platform} says {outcome.platform_status}", FAILED)
    if not waited:
        return DONE
    known = [f"{platform} says {outcome.platform_status or 'nothing'} of {outcome.platform_id}"]
    if outcome.answer is not None:
        known.append(f"the agent says {outcome.answer.state} {outcome.answer.detail}".rstrip())
    if outcome.unavailable:
        known.append(outcome.unavailable)
    if platform == "m2m-portal":
        known.append("the portal lists no answers: they come to `operator listen` only")
    return _complain(f"{message.id}: no answer in time; {'; '.join(known)}", NO_ANSWER)


def _object(device: Device, message: Composed | None, outcome: Outcome | None) -> dict[str, Any]:
    answer = outcome.answer if outcome is not None else None
    return {
        "device": device.name,
        "platform": device.account.platform,
        "id": message.id if message else None,
        "message": message.text if message else None,
        "septets": message.septets if message else None,
        "segments": message.segments if message else None,
        "tries": outcome.tries if outcome else 0,
        "platform_id": (outcome.platform_id or None) if outcome else None,
        "platform_status": (outcome.platform_status or None) if outcome else None,
        "answer": answer.to_json() if answer is not None else None,
    }


def _size(message: Composed) -> str:
    parts = "1 SMS" if message.segments == 1 else f"{message.segments} SMS"
    return f"{message.septets} septets, {parts}"


def _messages(options: argparse.Namespace) -> int:
    found = _found(options)
    if isinstance(found, int):
        return found
    _, device = found
    try:
        from agent.operator.http import (  # noqa: PLC0415 - aiohttp, for this alone
            RefusedError,
            UnavailableError,
        )
        from agent.operator.sending import listed  # noqa: PLC0415
    except ImportError:
        return _missing()
    try:
        rows = asyncio.run(listed(device))
    except RefusedError as error:
        return _complain(f"{device.account.platform} refused it: {error}", FAILED)
    except UnavailableError as error:
        return _complain(f"{device.account.platform} cannot be reached: {error}", UNAVAILABLE)
    for row in rows:
        if options.json:
            _print_object(row)
        else:
            told = f"{row['at']:28} {row['direction']:8} {row['status']:10} {row['text']}"
            print(_printable(told))
    return DONE


def _listen(options: argparse.Namespace) -> int:
    host, _, port = options.http.rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) < 65536):
        return _complain("--http takes HOST:PORT", USAGE)
    from agent.operator.inventory import default_path  # noqa: PLC0415
    from agent.operator.inventory_file import load  # noqa: PLC0415
    from agent.operator.received import Log  # noqa: PLC0415

    inventory = load(options.inventory or default_path())
    try:
        log = Log(inventory.log)
    except OSError as error:
        return _complain(str(error), FAILED)
    try:
        return asyncio.run(_serve(inventory, log, host.strip("[]") or "127.0.0.1", int(port)))
    except ImportError:
        return _missing()
    except OSError as error:
        return _complain(f"cannot listen: {error}", FAILED)
    finally:
        log.close()


async def _serve(inventory: Inventory, log: Log, host: str, port: int) -> int:
    from agent.operator.listening import Listener  # noqa: PLC0415 - aiohttp, for this alone

    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    status = DONE

    def emit(event: dict[str, Any]) -> None:
        nonlocal status
        try:
            _print_object(event)
        except BrokenPipeError:  # who read the lines has gone
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            status = FAILED
            ended.set()

    listener = Listener(inventory, log, emit, lambda text: complain(f"operator: {text}", 0))
    await listener.serve(host, port, ended)
    return status


def _print_object(value: object) -> None:
    """Print one object on one line, in ASCII: what comes from outside may hold anything."""
    print(json.dumps(value), flush=True)


def _found(options: argparse.Namespace) -> tuple[Inventory, Device] | int:
    """Give the inventory and the device that is meant, or the exit status."""
    from agent.operator.inventory import default_path  # noqa: PLC0415
    from agent.operator.inventory_file import load  # noqa: PLC0415

    inventory = load(options.inventory or default_path())
    device = inventory.devices.get(options.device)
    if device is None:
        names = ", ".join(inventory.devices) or "none"
        return _complain(f"no device {json.dumps(options.device)}; there are: {names}", USAGE)
    return inventory, device


def _missing() -> int:
    return _complain("aiohttp is missing; install with pip install '.[operator]'", FAILED)


def _complain(text: str, status: int) -> int:
    return complain(f"operator: {_printable(text)}", status)


def _printable(text: str) -> str:
    """What a platform says must not steer a terminal."""
    return "".join(one if one.isprintable() else "?" for one in text)
