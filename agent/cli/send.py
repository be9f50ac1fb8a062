"""`modem-agent send`: a command through the running agent, as the console's."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from typing import Any, Final

from agent.cli.common import add_parser as add
from agent.cli.common import body, connect, guarded, print_json, progress, seconds
from agent.cli.exits import DONE, FAILED
from agent.cli.terminal import local, pairs, printable
from agent.control.client import AgentGoneError, NoAgentError

__all__ = ["add_parser", "outcome"]

RETURN_S: Final = 60.0  # how long an agent that ended meanwhile (restart) may stay away
LOOK_S: Final = 0.5


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the sub-command."""
    parser = add(
        subparsers,
        "send",
        summary="give the running agent a command and wait for its outcome",
        description="Gives the running agent a command, in line or JSON form, as its console.\n"
        "Without words, or with -, the command is read from standard input.\n\n"
        "Exit status 0: it succeeded (or is scheduled, or --no-wait and it was accepted);\n"
        "1: it was refused, failed, or still runs after --timeout; 69: no agent.",
        examples="  modem-agent send ping\n"
        "  modem-agent send restart-vpn name=wg0\n"
        '  modem-agent send \'{"enable":true,"when":"NextBoot"}\'\n'
        "  modem-agent send reboot when=+2h --json",
    )
    parser.add_argument("command", nargs="*", metavar="COMMAND", help="the command's words")
    parser.add_argument("--id", help="what to call it (default: the payload's id, or made up)")
    parser.add_argument("--no-wait", action="store_true", help="do not wait for the outcome")
    parser.add_argument(
        "--wait", action="store_true", help="wait also for what is scheduled for later"
    )
    parser.add_argument("--timeout", type=seconds, metavar="S", help="wait no longer than this")
    parser.set_defaults(func=run)


@guarded
def run(options: argparse.Namespace) -> int:
    """Send, follow, tell."""
    text = body(options.command)
    answer: dict[str, Any] = {}
    for answer in _answers(options, text):
        if not answer["done"] and answer.get("state") != "scheduled":
            progress(f"{answer['id']} {answer['state']}", wanted=not options.json)
        if not answer["done"] and answer.get("state") == "scheduled" and not options.wait:
            break
    if options.json:
        print_json({key: value for key, value in answer.items() if key not in _WIRE})
    else:
        print(printable(outcome(answer)))
    return _status(answer, options)


_WIRE: Final = ("req", "ok", "done")


def outcome(answer: dict[str, Any]) -> str:
    """Say in one line what became of a command, or is becoming."""
    state = answer.get("state")
    words = [answer.get("id"), state or answer["verdict"], answer["reason"], answer["detail"]]
    if state == "scheduled":
        words.append(f"for {local(answer['due_at'])}" if answer.get("due_at") else "")
    if answer.get("result"):
        words.append(pairs(answer["result"]))
    if answer.get("verdict") == "duplicate":
        words.append("(known already, not run again)")
    return " ".join(str(word) for word in words if word)


def _answers(options: argparse.Namespace, text: str) -> Iterator[dict[str, Any]]:
    """Yield the answers; an agent that ends in between is followed over its return."""
    fields = {"text": text, "id": options.id, "timeout_s": options.timeout}
    known: dict[str, Any] = {}
    try:
        with connect(options) as client:
            for answer in client.stream("send", **fields, wait=not options.no_wait):
                known = {**known, **answer}
                yield known
            return
    except AgentGoneError:
        if not known.get("id"):
            raise
    progress("the agent ended; waiting for its return", wanted=not options.json)
    end = time.monotonic() + (options.timeout or RETURN_S)
    while True:
        try:
            with connect(options) as client:
                for answer in client.stream("follow", id=known["id"], timeout_s=options.timeout):
                    known = {**known, **answer}
                    yield known
                return
        except NoAgentError as error:
            if time.monotonic() > end:
                told = f"{error}; ask for it later: modem-agent history --id {known['id']}"
                raise NoAgentError(told) from None
        time.sleep(LOOK_S)


def _status(answer: dict[str, Any], options: argparse.Namespace) -> int:
    if answer.get("state") == "succeeded":
        return DONE
    if answer.get("state") is None or answer.get("ended"):
        return FAILED
    scheduled = answer["state"] == "scheduled" and not options.wait
    return DONE if options.no_wait or scheduled else FAILED
