"""`modem-agent history`: every message ever received, with its verdict."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from agent.cli import offline
from agent.cli.common import add_parser as add
from agent.cli.common import guarded, print_json
from agent.cli.exits import DONE, FAILED, UNAVAILABLE, USAGE, complain
from agent.cli.terminal import is_person, local, pairs, printable, table
from agent.cli.times import moment

if TYPE_CHECKING:
    from agent.journal.history import Filters

__all__ = ["add_parser", "row"]

NEWEST: Final = 20
ALL: Final = 10_000
HEADING: Final = ("RECEIVED", "BY", "FROM", "ID", "VERDICT", "STATE", "TOLD", "TEXT")
_WIDTHS: Final = (19, 7, 15, 12, 13, 11, 4)  # of --follow, where no row is known beforehand
_TOLD_MARKS: Final = {"pending": "…", "reported": "yes", "undeliverable": "NO"}


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the sub-command."""
    parser = add(
        subparsers,
        "history",
        summary="list the messages received, with what became of them",
        description="Lists every message received, the newest last: its verdict and why, the state "
        "of\nits command, whether the outcome was told. Parts that wait for others are listed too."
        "\nReads the journal itself where no agent runs.\n\n"
        "Exit status 0: done; 1: the journal cannot be read; 69: --follow without an agent.",
        examples="  modem-agent history\n"
        "  modem-agent history --since 2d --verdict stranger\n"
        "  modem-agent history --state failed --json | jq .command\n"
        "  modem-agent history --id 7f3a\n"
        "  modem-agent history --follow\n"
        "how one message fared, step by step: modem-agent explain --id 7f3a",
    )
    parser.add_argument("--since", type=moment, metavar="TIME", help="2026-11-21, 10:00, 2h …")
    parser.add_argument("--until", type=moment, metavar="TIME", help="before this time")
    parser.add_argument("--sender", metavar="ADDR", help="with or without its +")
    parser.add_argument("--channel", choices=("sms", "mqtt", "console"))
    parser.add_argument("--state", help="of the command (succeeded …) or its report (pending …)")
    parser.add_argument("--verdict", help="accepted, rejected, duplicate, stranger, part …")
    parser.add_argument("--id", help="of the command or the message")
    parser.add_argument("--command", metavar="NAME", help="the command's name")
    parser.add_argument(
        "-n", type=_count, default=NEWEST, metavar="N", help="the newest N (default 20; 0: all)"
    )
    parser.add_argument("-f", "--follow", action="store_true", help="go on with what comes")
    offline.add_option(parser)
    parser.set_defaults(func=run)


def _count(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) > ALL:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 0 (all) to {ALL}")
    return int(text) or ALL


@guarded
def run(options: argparse.Namespace) -> int:
    """List, and follow."""
    from agent.journal.readonly import (  # noqa: PLC0415 - SQLite only where it is needed
        ReadOnlyError,
    )

    client = offline.client_or_none(options)
    if client is None and options.follow:
        return complain("history --follow needs a running agent", UNAVAILABLE)
    try:
        if client is None:
            try:
                items = _on_disk(options)
            except ValueError as error:
                return complain(f"history: {error}", USAGE)
            _show(items, options)
        else:
            with client:
                answers = client.stream("history", **_fields(options))
                items = (answer["item"] for answer in answers if not answer["done"])
                _show(items, options)
    except ReadOnlyError as error:
        return complain(error, FAILED)
    except KeyboardInterrupt:
        if not options.follow:
            raise
    return DONE


def _fields(options: argparse.Namespace) -> dict[str, Any]:
    fields = {
        name: getattr(options, name)
        for name in ("sender", "channel", "state", "verdict", "id", "command", "follow")
    }
    for name in ("since", "until"):
        value = getattr(options, name)
        fields[name] = None if value is None else value.isoformat()
    return {**fields, "limit": options.n}


def _on_disk(options: argparse.Namespace) -> Iterator[Mapping[str, Any]]:
    """Read the journal itself. Raises ValueError at once for a filter that finds nothing ever."""
    from agent.journal.history import Filters  # noqa: PLC0415

    names = ("since", "until", "sender", "channel", "state", "verdict", "id", "command")
    filters = Filters(**{name: getattr(options, name) for name in names}, limit=options.n)
    return _read(filters, options)


def _read(filters: Filters, options: argparse.Namespace) -> Iterator[Mapping[str, Any]]:
    from agent.journal.history import selected  # noqa: PLC0415

    with offline.journal(offline.configuration(options)) as db:
        yield from selected(db, filters)


def _show(items: Iterator[Mapping[str, Any]], options: argparse.Namespace) -> None:
    if options.json:
        for item in items:
            print_json(item)
        return
    person = is_person()
    if options.follow:
        widths = _WIDTHS if person else None
        for line in table([], HEADING, person=person, widths=widths):
            print(line)
        for item in items:
            print(table([row(item)], HEADING, person=person, widths=widths)[-1], flush=True)
        return
    for line in table([row(item) for item in items], HEADING, person=person):
        print(line)


def row(item: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the cells of one item, under HEADING."""
    command = item["command"]
    cells = (
        local(item["received_at"]),
        item["channel"],
        item["sender"] or "-",
        item["id"] or "-",
        item["verdict"],
        command["state"] if command else "-",
        _told(item),
        _text(item),
    )
    return tuple(printable(cell) for cell in cells)


def _told(item: Mapping[str, Any]) -> str:
    """Whether the outcome has been told: where it goes several ways, how the worst fared.

    That a message was published as received tells nobody what became of it.
    """
    states = {report["state"] for report in item["reports"] if report["kind"] != "received"}
    for state in ("undeliverable", "pending", "reported"):
        if state in states:
            return _TOLD_MARKS[state]
    return "-"


def _text(item: Mapping[str, Any]) -> str:
    if item["kind"] == "part":
        return f"(part {item['detail']})"
    why = " ".join(word for word in (item["reason"], item["detail"]) if word)
    command = item["command"]
    if command and not why:
        why = " ".join(word for word in (command["reason"], command["detail"]) if word)
        why = " ".join(word for word in (why, pairs(command["result"])) if word)
    text = item["text"]
    if text is None:
        text = "(8-bit data)" if item["data"] else "-"
    return f"{text}  [{why}]" if why else str(text)
