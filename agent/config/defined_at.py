"""The [platforms] section: rows enabled, overridden, and their effective trust."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agent.config.problems import Complaints, guess, join, listed, shown
from agent.config.sections import PlatformSection, Sections
from agent.payload.platforms import (
    CLOSED,
    OPEN,
    ROWS,
    SID_SEPTETS,
    Platform,
    address_for,
    clashes,
    is_number,
    read_sender,
    with_effective_trust,
)
from at.errors import EncodeError
from at.sms import read_number

ROW_NAME = re.compile(
    r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?"
)  # a word in commands, topics and logs
SENDER = "sender"  # reply_to: the number that the message came from
SIDS = {"none": 0, "either": SID_SEPTETS}
NAME = re.compile(r"[^\x00-\x1f\x7f]{1,11}")  # 11 characters: the same clause, in septets
CHARSETS = ("gsm7", "gsm7-basic")
SEGMENTS_MAX = 10


def origins(sections: Sections, complaints: Complaints) -> tuple[Platform, ...]:
    """Give the enabled rows in the order of `enabled`, ready to match senders with."""
    overridden = {
        name: _override(row, sections.platforms.get(name), complaints)
        for name, row in known_rows(sections, complaints).items()
    }
    enabled = _enabled(sections.enabled, overridden, complaints)
    for row in enabled:
        if not row.senders:
            complaints.error(
                f"platforms.{row.name}.senders",
                "the addresses its messages come from: the platform has none of its own",
                "none",
            )
        _answers(row, complaints)
    for sender, first, second in clashes(enabled):
        complaints.error(
            f"platforms.{second}.senders",
            "senders that no other enabled platform has",
            f"{shown(sender)}, which is also a sender of {first}",
        )
    explicit = {name for name, section in sections.platforms.items() if section.trust is not None}
    return with_effective_trust(enabled, explicit)


def known_rows(sections: Sections, complaints: Complaints) -> dict[str, Platform]:
    """Give all rows: ours, and those of one's own, which the configuration must describe."""
    rows = dict(ROWS)
    for name, section in sections.platforms.items():
        if name in ROWS:
            continue
        key = join("platforms", name)
        misspelt = name not in (sections.enabled or ()) and guess(name, ROWS)
        if section.senders is None or misspelt:
            expected = f"one of {listed(('enabled', *ROWS))}{guess(name, ('enabled', *ROWS))}"
            complaints.error(
                key, f"{expected}, or senders for a platform of your own", "an unknown platform"
            )
        elif not ROW_NAME.fullmatch(name):
            complaints.error(key, "a name of a-z 0-9 - for a platform of your own", shown(name))
        else:
            # What it carries is its owner's knowledge: nothing is warned of.
            rows[name] = Platform(name, long_messages=True)
    return rows


def _enabled(
    names: tuple[str, ...] | None, rows: Mapping[str, Platform], complaints: Complaints
) -> tuple[Platform, ...]:
    key = "platforms.enabled"
    if not names:
        got = "nothing" if names is None else "an empty array"
        complaints.error(key, f"at least one of {listed(rows)}; there is no default", got)
        return ()
    for index, name in enumerate(names):
        if complaints.one_of(join(key, index), name, rows) and name in names[:index]:
            complaints.error(join(key, index), "each platform once", shown(name))
    return tuple(rows[name] for name in dict.fromkeys(names) if name in rows)


def _override(row: Platform, section: PlatformSection | None, complaints: Complaints) -> Platform:
    if section is None:
        return row
    key = join("platforms", row.name)
    changes: dict[str, Any] = {}
    if section.senders is not None:
        changes["senders"] = tuple(
            _sender(sender, join(f"{key}.senders", index), complaints)
            for index, sender in enumerate(section.senders)
        )
    if section.reply_to is not None:
        changes["reply_to"] = _reply_to(row, section.reply_to, f"{key}.reply_to", complaints)
    if section.sid is not None:
        if row.name in ROWS:
            complaints.error(
                f"{key}.sid", "nothing: this platform's SIDs are known", shown(section.sid)
            )
        elif complaints.one_of(f"{key}.sid", section.sid, SIDS):
            changes["sid_septets"] = SIDS[section.sid]
    if section.trust is not None and complaints.one_of(
        f"{key}.trust", section.trust, (CLOSED, OPEN)
    ):
        changes["trust"] = section.trust
    if section.charset is not None and complaints.one_of(
        f"{key}.charset", section.charset, CHARSETS
    ):
        changes["charset"] = section.charset
    if section.max_segments is not None and complaints.within(
        f"{key}.max_segments", section.max_segments, 1, SEGMENTS_MAX
    ):
        changes["max_segments"] = section.max_segments
        if section.max_segments > 1 and not row.long_messages:
            complaints.warn(
                f"{key}.max_segments",
                "1: the platform documents no messages of several parts",
                shown(section.max_segments),
            )
    return replace(row, **changes)


def _sender(written: str, key: str, complaints: Complaints) -> str:
    """Give a sender as it is matched; complain of what is neither a number nor a name."""
    expected = "a number of at most 20 digits, or a name of at most 11 characters"
    try:
        sender = read_sender(written)
    except EncodeError as error:
        complaints.error(key, expected, f"{shown(written)} ({error.detail})")
        return written
    if not is_number(sender):
        name = sender.strip('"')
        if not NAME.fullmatch(name) or name != name.strip():
            complaints.error(key, expected, shown(written))
        elif '"' not in written and 2 * sum(map(str.isdigit, name)) > len(name):
            complaints.warn(key, "a number; a name of digits in double quotes", shown(written))
    return sender


def _reply_to(row: Platform, written: str, key: str, complaints: Complaints) -> str | None:
    if written == SENDER:
        return None
    try:
        address = read_number(written)
    except EncodeError as error:
        complaints.error(
            key, 'a number of at most 20 digits, or "sender"', f"{shown(written)} ({error.detail})"
        )
        return written
    if row.reply_digits is not None and len(address.removeprefix("+")) > row.reply_digits:
        complaints.error(key, f"a number of at most {row.reply_digits} digits", shown(written))
    return address


def _answers(row: Platform, complaints: Complaints) -> None:
    """Warn of senders whose commands the row could not answer by SMS."""
    for index, sender in enumerate(row.senders):
        if address_for(row, sender) is None:
            longest = "" if row.reply_digits is None else f" of at most {row.reply_digits} digits"
            complaints.warn(
                join(f"platforms.{row.name}.senders", index),
                f"a number{longest}, which replies could go to (or reply_to)",
                shown(sender),
            )
