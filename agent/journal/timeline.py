"""The road of one received message, step by step, as the journal has it."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from agent.journal.history import Item, dicts
from agent.system.clock import iso

__all__ = ["road"]


def road(db: sqlite3.Connection, item: Item) -> list[Item]:
    """Return the steps an item took, in order of time: {"at", "step", "text"} each.

    at: ISO 8601, None for what is not known to have a time. step: one word.
    """
    steps = _arrival(item)
    if item["kind"] == "part":
        return steps
    steps.append(_step(item["received_at"], "verdict", _joined(item, "verdict")))
    command = item["command"]
    since = ""
    if command is not None and item["verdict"] == "duplicate":
        since = item["received_at"]
        text = (
            f"repeats {_name(command)}, received {command['received_at']}: "
            f"{_joined(command, 'state')}"
        )
        steps.append(_step(since, "duplicate", text))
    elif command is not None:
        steps += _life(command)
        steps += _repeats(db, item["n"], command["n"])
    for report in item["reports"]:
        steps += _told(report)
    if item["untold"]:
        ended = command["finished_at"] if command and not since else item["received_at"]
        steps.append(_step(ended, "untold", item["untold"]))
    if command is not None:
        steps += _sent(db, command["n"], since)
    return sorted(steps, key=lambda step: step["at"] or "")


def _step(at: str | None, step: str, text: str) -> Item:
    return {"at": at, "step": step, "text": text}


def _joined(row: Item, first: str) -> str:
    words = [row[first], row.get("reason"), row.get("detail")]
    return " ".join(word for word in words if word)


def _arrival(item: Item) -> list[Item]:
    sender = f" from {item['sender']}" if item["sender"] else ""
    if item["kind"] == "part":
        text = f"part {item['detail']}{sender}: {item['verdict']}"
        if item["verdict"] == "part":
            text += ", waits for the others"
        return [_step(item["received_at"], "received", text)]
    steps = []
    if item["sent_at"]:
        at = iso(datetime.fromisoformat(item["sent_at"]))
        steps.append(_step(at, "sent", "time stamp of the service centre"))
    for part in item["parts"]:
        of = f"part {part['sequence']} of {part['total']}" if part["total"] > 1 else "message"
        flags = f" (flags: {part['flags']})" if part["flags"] else ""
        steps.append(_step(part["received_at"], "received", f"{of}{sender} by sms{flags}"))
    if not item["parts"]:
        text = f"message{sender} by {item['channel']}"
        steps.append(_step(item["received_at"], "received", text))
    if item["platform"]:
        text = f"{item['sender']} is platform {item['platform']}"
        steps.append(_step(item["received_at"], "platform", text))
    return steps


def _life(command: Item) -> list[Item]:
    name = _name(command)
    steps = []
    signed = f"signed with key {command['key']}" if command["key"] is not None else ""
    if command["state"] != "rejected":
        text = ", ".join(word for word in (name, signed) if word)
        steps.append(_step(command["received_at"], "accepted", text))
    elif signed:
        steps.append(_step(command["received_at"], "signed", f"validly {signed}"))
    due = _due(command)
    if due:
        steps.append(_step(command["received_at"], "scheduled", due))
    if command["started_at"]:
        steps.append(_step(command["started_at"], "running", name))
    if command["finished_at"] and command["state"] != "rejected":
        told = ", ".join(f"{key}={value}" for key, value in command["result"].items())
        text = " ".join(word for word in (_joined(command, "state"), told) if word)
        steps.append(_step(command["finished_at"], command["state"], text))
    return steps


def _name(command: Item) -> str:
    return f"{command['command'] or 'command'} id {command['id']}"


def _due(command: Item) -> str:
    words = []
    if command["delay_s"] is not None:
        words.append(f"after {command['delay_s']:g} s")
    elif command["due_at"]:
        words.append(f"at {command['due_at']}")
    if command["next_boot"]:
        words.append("at the next boot")
    if words and command["expires_at"]:
        words.append(f"no later than {command['expires_at']}")
    return ", ".join(words)


def _repeats(db: sqlite3.Connection, n: int, command: int) -> list[Item]:
    sql = "SELECT received_at, channel, verdict FROM messages WHERE command = ? AND n <> ?"
    return [
        _step(row["received_at"], "repeat", f"told again by {row['channel']}: {row['verdict']}")
        for row in dicts(db, sql, command, n)
        if row["verdict"] == "duplicate"
    ]


def _told(report: Item) -> list[Item]:
    what = f"{report['kind']} by {report['channel']}"
    planned = f"{what}, not before {report['not_before']}" if report["fallback"] else what
    steps = [_step(report["created_at"], "report", planned)]
    tries = f" after {report['attempts']} failed tries" if report["attempts"] else ""
    error = f": {report['error']}" if report["error"] else ""
    if report["finished_at"]:
        steps.append(_step(report["finished_at"], report["state"], f"{what}{tries}{error}"))
    elif tries or error:
        steps.append(_step(None, "pending", f"{what}{tries}{error}"))
    return steps


def _sent(db: sqlite3.Connection, command: int, since: str) -> list[Item]:
    sql = (
        "SELECT recipient, text, state, error, created_at, finished_at FROM sends"
        " WHERE command = ? AND created_at >= ? ORDER BY n"
    )
    steps = []
    for row in dicts(db, sql, command, since):
        error = f": {row['error']}" if row["error"] else ""
        text = f"SMS to {row['recipient']} {row['state']}{error}: {row['text'] or '8-bit data'}"
        steps.append(_step(row["finished_at"] or row["created_at"], "sms", text))
    return steps
