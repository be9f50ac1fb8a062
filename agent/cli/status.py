"""`modem-agent status`: how the running agent is."""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any, Final

from agent.cli.common import add_parser as add
from agent.cli.common import connect, guarded, print_json, seconds
from agent.cli.exits import DONE
from agent.cli.terminal import is_person, local, printable, span
from agent.control.client import NoAgentError

__all__ = ["add_parser", "lines"]

INTERVAL_S: Final = 2.0
RADIO_EVERY: Final = 5  # looks at the agent for each one at the modem: its port has other work
_HOME_AND_CLEAR: Final = "\x1b[H\x1b[J"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the sub-command."""
    parser = add(
        subparsers,
        "status",
        summary="tell how the running agent is",
        description="Asks the running agent for its modem, network, broker, queues and journal.\n"
        "Exit status 0: an agent answers; 69: none does.",
        examples="  modem-agent status\n"
        "  modem-agent status --watch\n"
        "  modem-agent status --json | jq .modem.signal_dbm",
    )
    parser.add_argument("--watch", action="store_true", help="tell again and again, until ^C")
    parser.add_argument(
        "--interval", type=seconds, default=INTERVAL_S, metavar="S", help="of --watch (default: 2)"
    )
    parser.set_defaults(func=run)


@guarded
def run(options: argparse.Namespace) -> int:
    """Tell it once, or until interrupted."""
    if options.watch:
        return _watch(options)
    with connect(options) as client:
        _tell(client.ask("status"), options)
    return DONE


def _watch(options: argparse.Namespace) -> int:
    """Tell it until ^C; an agent that goes away may come back."""
    looks = 0
    try:
        while True:
            try:
                with connect(options) as client:
                    while True:
                        answer = client.ask("status", radio=looks % RADIO_EVERY == 0)
                        looks += 1
                        _clear(options)
                        _tell(answer, options)
                        time.sleep(options.interval)
            except NoAgentError as error:
                _clear(options)
                if options.json:
                    print_json({"error": str(error)})
                else:
                    print(printable(error), flush=True)
                looks = 0
                time.sleep(options.interval)
    except KeyboardInterrupt:
        return DONE


def _clear(options: argparse.Namespace) -> None:
    if is_person() and not options.json:
        sys.stdout.write(_HOME_AND_CLEAR)


def _tell(answer: dict[str, Any], options: argparse.Namespace) -> None:
    if options.json:
        print_json({key: value for key, value in answer.items() if key not in _WIRE})
        return
    for name, text in lines(answer):
        print(f"{name:9} {printable(text)}")
    sys.stdout.flush()


_WIRE: Final = ("req", "ok", "done")


def lines(answer: dict[str, Any]) -> list[tuple[str, str]]:
    """Say it for a person: (name, text) each."""
    modem, journal, clock = answer["modem"], answer["journal"], answer["clock"]
    rows = [
        ("device", f"{answer['device']}, modem-agent {answer['version']}, {_up(answer)}"),
        ("modem", _modem(modem)),
    ]
    if modem.get("inbox"):
        rows.append(("inbox", f"CANNOT BE READ: {modem['inbox']}"))
    if modem.get("unregistered_since"):
        rows.append(("network", f"NOT REGISTERED since {modem['unregistered_since']}"))
    elif modem["registration"]:
        rows.append(("network", _network(modem)))
    if modem["storage_total"] is not None:
        room = f"{modem['storage_used']} of {modem['storage_total']} messages"
        rows.append(("storage", room if modem["storage_total"] else "NO ROOM for any message"))
    rows.append(("broker", _broker(answer["mqtt"])))
    rows.append(("senders", _senders(answer["platforms"])))
    rows.append(("commands", _joined(journal["commands"])))
    waiting = f"{journal['reports_pending']} pending, {journal['sms_queued']} SMS queued"
    rows.append(("reports", waiting))
    sent = f"{journal['sms_last_hour']} in the last hour, {journal['sms_last_day']} in the last day"
    rows.append(("sms sent", sent))
    rows.append(("journal", _journal(journal)))
    rows.append(("clock", "trusted" if clock["trusted"] else "not synchronised"))
    return rows


def _up(answer: dict[str, Any]) -> str:
    return f"up {span(answer['uptime_s'])}, process {answer['pid']}"


def _joined(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {state}" for state, count in counts.items())


def _modem(modem: dict[str, Any]) -> str:
    names = (modem["manufacturer"], modem["model"], modem["firmware"])
    words = [" ".join(name for name in names if name), f"since {local(modem['since'])}"]
    if modem["imei"]:
        words.append(f"IMEI {modem['imei']}")
    if modem["iccid"]:
        words.append(f"ICCID {modem['iccid']}")
    reason = f" ({modem['reason']})" if modem["reason"] else ""
    return ", ".join([f"{modem['link']}{reason}", *(word for word in words if word)])


def _network(modem: dict[str, Any]) -> str:
    dbm = modem["signal_dbm"]
    words = [modem["registration"], modem["operator"], modem["technology"]]
    return ", ".join([*(w for w in words if w), *([f"{dbm} dBm"] if dbm is not None else [])])


def _broker(mqtt: dict[str, Any] | None) -> str:
    if mqtt is None:
        return "none configured"
    if mqtt["connected"]:
        return f"{mqtt['broker']} connected, MQTT {mqtt['protocol']}"
    reason = f" ({mqtt['reason']})" if mqtt["reason"] else ""
    return f"{mqtt['broker']} not connected{reason}"


def _senders(platforms: list[dict[str, Any]]) -> str:
    return ", ".join(f"{row['name']} ({row['trust']})" for row in platforms)


def _journal(journal: dict[str, Any]) -> str:
    words = [journal["path"]]
    if journal["last_message_at"]:
        words.append(f"last message {local(journal['last_message_at'])}")
    if journal["parts_waiting"]:
        words.append(f"{journal['parts_waiting']} parts wait for others")
    if journal["unavailable"]:
        words.append(f"NOTHING CAN BE ACCEPTED: {journal['unavailable']}")
    if journal["reset_at"]:
        words.append(
            f"BEGUN ANEW {local(journal['reset_at'])}, unproven commands are refused; "
            "/confirm at `modem-agent console` ends that"
        )
    return ", ".join(words)
