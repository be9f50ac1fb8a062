"""`modem-agent sms send`: one SMS through the running agent."""

from __future__ import annotations

import argparse
import base64
from typing import Any, Final

from agent.cli.common import add_options, connect, guarded, print_json, progress, seconds
from agent.cli.exits import DONE, FAILED, USAGE, complain
from agent.cli.terminal import printable

_WIRE: Final = ("req", "ok", "done")
_EXAMPLES: Final = """examples:
  modem-agent sms send +447700900123 "The pump is off"
  modem-agent sms send 000 hello --report
  modem-agent sms send 2936 --data 0a1b2c --json"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the sub-command."""
    parser = subparsers.add_parser(
        "sms",
        help="send an SMS through the running agent",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    actions = parser.add_subparsers(dest="action", required=True, metavar="send")
    send = actions.add_parser(
        "send",
        help="send an SMS",
        description="Sends an SMS through the running agent: within the budget, in as many parts\n"
        "as it takes, never twice. Waits until the network has taken it.\n\n"
        "Exit status 0: taken (with --report: delivered; with --no-wait: queued); 1: it failed,\n"
        "nobody can know, or it still waits after --timeout; 69: no agent.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_options(send)
    send.add_argument("to", metavar="TO", help="+international, or a number as it is dialled")
    send.add_argument("text", nargs="*", metavar="TEXT", help="its words are joined by spaces")
    send.add_argument("--data", metavar="HEX", help="8-bit data in place of a text")
    send.add_argument("--report", action="store_true", help="ask for a delivery report, await it")
    send.add_argument("--id", help="an SMS with an id that is known is not sent again")
    send.add_argument("--no-wait", action="store_true", help="return when it is queued")
    send.add_argument("--timeout", type=seconds, metavar="S", help="wait no longer than this")
    send.set_defaults(func=run)


@guarded
def run(options: argparse.Namespace) -> int:
    """Queue, follow, tell."""
    if bool(options.text) == (options.data is not None):
        return complain("sms send: exactly one of TEXT and --data is needed", USAGE)
    try:
        data = None if options.data is None else bytes.fromhex(options.data)
    except ValueError:
        return complain("sms send: --data is not hexadecimal", USAGE)
    fields = {
        "to": options.to,
        "text": " ".join(options.text) if options.text else None,
        "data": None if data is None else base64.b64encode(data).decode("ascii"),
        "report": options.report,
        "id": options.id,
        "wait": not options.no_wait,
        "timeout_s": options.timeout,
    }
    answer: dict[str, Any] = {}
    with connect(options) as client:
        for answer in client.stream("sms", **fields):
            if not answer["done"]:
                why = f": {answer['error']}" if answer["error"] else ""
                progress(f"{answer['id']} {answer['state']}{why}", wanted=not options.json)
    if options.json:
        print_json({key: value for key, value in answer.items() if key not in _WIRE})
    else:
        print(printable(_outcome(answer)))
    return _status(answer, options)


def _outcome(answer: dict[str, Any]) -> str:
    words = [answer["id"], answer["state"], f"to {answer['to']}"]
    if answer["segments"] > 1:
        words.append(f"in {answer['segments']} parts")
    if answer["error"]:
        words.append(f"({answer['error']})")
    return " ".join(words)


def _status(answer: dict[str, Any], options: argparse.Namespace) -> int:
    if options.no_wait:
        return DONE if answer["state"] not in ("failed", "unknown") else FAILED
    good = ("delivered",) if options.report else ("sent", "delivered")
    return DONE if answer["state"] in good else FAILED
