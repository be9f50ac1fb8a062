"""`modem-agent explain`: what would become of a message, or what became of one, and why."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from typing import Any, Final

from agent.cli import offline
from agent.cli.common import add_parser as add
from agent.cli.common import body, guarded, print_json
from agent.cli.exits import CONFIGURATION, DONE, FAILED, USAGE, complain
from agent.cli.terminal import local, pairs, printable
from at.errors import EncodeError

__all__ = ["add_parser", "lines"]

_WIRE: Final = ("req", "ok", "done")
_MARKS: Final = {"passed": "  ", "decided": "->", "skipped": "  "}


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the sub-command."""
    parser = add(
        subparsers,
        "explain",
        summary="say what would become of a message, or what became of one, and why",
        description="Judges a text as if it had come just now, with the journal as it is, and says "
        "which\ncheck decided; nothing is written and nothing runs. With --id or --message: the "
        "road\nof messages that were received, step by step.\n\n"
        "Exit status 0: told, whatever the verdict; 1: no such message; 78: configuration.",
        examples="  modem-agent explain 'reboot delay=5' --from 000\n"
        "  modem-agent explain '{\"enable\":true}' --from +447700900123\n"
        "  modem-agent explain ping --channel mqtt --json\n"
        "  modem-agent explain --id 7f3a\n"
        "  modem-agent explain --message 12",
    )
    parser.add_argument("text", nargs="*", metavar="TEXT", help="the message; -: standard input")
    parser.add_argument(
        "--from",
        dest="sender",
        metavar="ADDR",
        help="sender of the SMS (default: the first of the first platform)",
    )
    parser.add_argument("--channel", choices=("sms", "mqtt", "console"), default="sms")
    parser.add_argument("--id", help="the road of the messages with this id")
    parser.add_argument("--message", type=int, metavar="N", help="the road of message N (history)")
    offline.add_option(parser)
    parser.set_defaults(func=run)


@guarded
def run(options: argparse.Namespace) -> int:
    """Explain a text or a message."""
    from agent.journal.readonly import (  # noqa: PLC0415 - SQLite only where it is needed
        ReadOnlyError,
    )

    given = (bool(options.text), options.id is not None, options.message is not None)
    if sum(given) != 1:
        return complain("explain: exactly one of TEXT, --id and --message is needed", USAGE)
    try:
        if options.text:
            return _explain(options, body(options.text))
        return _roads(options)
    except ReadOnlyError as error:
        return complain(error, FAILED)


def _roads(options: argparse.Namespace) -> int:
    client = offline.client_or_none(options)
    found: Iterable[Mapping[str, Any]]
    if client is None:
        found = _roads_on_disk(options)
    else:
        with client:
            answers = client.stream("road", id=options.id, message=options.message)
            found = [answer for answer in answers if not answer["done"]]
    for one in found:
        _tell_road(one, options)
    if not found:
        what = (
            f"message {options.message}" if options.id is None else f"message with id {options.id}"
        )
        return complain(f"no {what} was received", FAILED)
    return DONE


def _roads_on_disk(options: argparse.Namespace) -> list[dict[str, Any]]:
    from agent.journal.history import Filters, selected  # noqa: PLC0415
    from agent.journal.timeline import road  # noqa: PLC0415

    filters = Filters(id=options.id, message=options.message, limit=100)
    with offline.journal(offline.configuration(options)) as db:
        return [{"item": item, "steps": road(db, item)} for item in selected(db, filters)]


def _tell_road(one: Mapping[str, Any], options: argparse.Namespace) -> None:
    item = one["item"]
    if options.json:
        print_json({**item, "steps": one["steps"]})
        return
    text = item["text"] if item["text"] is not None else "(8-bit data)" if item["data"] else ""
    print(f"message {item['n']}: {printable(text)}")
    for step in one["steps"]:
        at = local(step["at"], milliseconds=True)
        print(f"  {at:23}  {step['step']:13}  {printable(step['text'])}".rstrip())
    if item["kind"] == "message":
        for line in _checks(item["checks"]):
            print(printable(f"  {line}"))


def _explain(options: argparse.Namespace, text: str) -> int:
    client = offline.client_or_none(options)
    if client is None:
        try:
            told = _explain_on_disk(options, text)
        except OSError as error:
            return complain(error, CONFIGURATION)
        except EncodeError as error:
            return complain(f"explain: --from: {error.detail}", USAGE)
    else:
        with client:
            fields = {"text": text, "from": options.sender, "channel": options.channel}
            told = client.ask("explain", **fields)
    if options.json:
        print_json({key: value for key, value in told.items() if key not in _WIRE})
    else:
        for line in lines(told):
            print(printable(line))
    return DONE


def _explain_on_disk(options: argparse.Namespace, text: str) -> dict[str, Any]:
    """Judge without an agent: with its journal, or an empty one before its first start."""
    from agent.commands.catalogue import build  # noqa: PLC0415
    from agent.inbound.explain import arrival_of, explain  # noqa: PLC0415
    from agent.inbound.judge import Judge  # noqa: PLC0415
    from agent.journal.readonly import empty_journal, open_read_only  # noqa: PLC0415
    from agent.payload.signatures import key_of  # noqa: PLC0415
    from agent.system.clock import Clock, iso  # noqa: PLC0415

    config = offline.configuration(options)
    clock = Clock()
    keys = {}
    for key_id, key in config.security.keys.items():
        try:
            keys[key_id] = key_of(key.path.read_bytes())
        except (OSError, ValueError) as error:
            told = getattr(error, "strerror", None) or error
            complain(f"key {key_id} counts as unknown: {key.path}: {told}", FAILED)
    judge = Judge(config, build(config), clock, keys)
    arrival = arrival_of(
        text, config, channel=options.channel, sender=options.sender, now=clock.wall()
    )
    known = config.journal.path.exists()
    opened = open_read_only(config.journal.path) if known else empty_journal(iso(clock.wall()))
    with opened as db:
        return explain(db, judge, config, arrival)


def lines(told: Mapping[str, Any]) -> list[str]:
    """Say it for a person; the texts in it are not yet made printable."""
    by = f"by {told['channel']}" + (f" from {told['sender']}" if told["sender"] else "")
    why = " ".join(word for word in (told["reason"], told["detail"]) if word)
    said = [f"{told['verdict']}{': ' + why if why else ''} ({by})"]
    if told["command"]:
        said.append(f"command   {' '.join(w for w in (told['command'], pairs(told['args'])) if w)}")
    if told["id"]:
        said.append(f"id        {told['id']} ({told['id_from']})")
    if told["key"] is not None:
        said.append(f"signed    validly, with key {told['key']}")
    if told["due"]:
        said.append(f"runs      {told['due']}")
    if told["expires_at"]:
        said.append(f"expires   {told['expires_at']}")
    if told["existing"]:
        known = told["existing"]
        said.append(f"known as  {known['command']}, {known['state']}, {known['received_at']}")
    if told["verdict"] in ("accepted", "rejected", "duplicate"):
        nobody = f"nobody: {told['untold']}" if told["untold"] else "nobody"
        said.append(f"told      {' and '.join(told['reports']) or nobody}")
    return said + _checks(told["steps"])


def _checks(steps: list[Mapping[str, str]] | None) -> list[str]:
    if steps is None:
        return ["checks    not recorded"]
    said = ["checks"]
    for step in steps:
        text = step["text"] or ("not reached" if step["result"] == "skipped" else "")
        said.append(f"  {_MARKS[step['result']]} {step['check']:10} {text}")
    return said
