"""The [platforms] section: rows enabled, overridden, and their effective trust."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agent.configuration.complaints import Complaints, guess, join, listed, shown
from agent.configuration.sections import PlatformSection, Sections
from agent.platforms import CLOSED, OPEN, ROWS, Platform, clashes, with_effective_trust

NUMBER = re.compile(r"\+?[0-9*#abc]{1,20}")  # 20 digits: TS 23.040 9.1.2.5
NAME = re.compile(r"[^\x00-\x1f\x7f]{1,11}")  # 11 characters: the same clause, in septets
CHARSETS = ("gsm7", "gsm7-basic")
SEGMENTS_MAX = 10


def origins(sections: Sections, complaints: Complaints) -> tuple[Platform, ...]:
    """Give the enabled rows in the order of `enabled`, ready to match senders with."""
    for name in sections.platforms:
        if name not in ROWS:
            complaints.error(
                join("platforms", name),
                f"one of {listed(('enabled', *ROWS))}{guess(name, ('enabled', *ROWS))}",
                "an unknown platform",
            )
    overridden = {
        name: _override(row, sections.platforms.get(name), complaints) for name, row in ROWS.items()
    }
    enabled = _enabled(sections.enabled, overridden, complaints)
    for row in enabled:
        if not row.senders:
            complaints.error(
                f"platforms.{row.name}.senders",
                "the addresses its messages come from: the platform has none of its own",
                "none",
            )
    for sender, first, second in clashes(enabled):
        complaints.error(
            f"platforms.{second}.senders",
            "senders that no other enabled platform has",
            f"{shown(sender)}, which is also a sender of {first}",
        )
    explicit = {name for name, section in sections.platforms.items() if section.trust is not None}
    return with_effective_trust(enabled, explicit)


def _enabled(
    names: tuple[str, ...] | None, rows: Mapping[str, Platform], complaints: Complaints
) -> tuple[Platform, ...]:
    key = "platforms.enabled"
    if not names:
        got = "nothing" if names is None else "an empty array"
        complaints.error(key, f"at least one of {listed(ROWS)}; there is no default", got)
        return ()
    for index, name in enumerate(names):
        if complaints.one_of(join(key, index), name, ROWS) and name in names[:index]:
            complaints.error(join(key, index), "each platform once", shown(name))
    return tuple(rows[name] for name in dict.fromkeys(names) if name in rows)


def _override(row: Platform, section: PlatformSection | None, complaints: Complaints) -> Platform:
    if section is None:
        return row
    key = join("platforms", row.name)
    changes: dict[str, Any] = {}
    if section.senders is not None:
        changes["senders"] = section.senders
        for index, sender in enumerate(section.senders):
            if not (NUMBER.fullmatch(sender) or NAME.fullmatch(sender)) or sender != sender.strip():
                complaints.error(
                    join(f"{key}.senders", index),
                    "a number of at most 20 digits, or a name of at most 11 characters",
                    shown(sender),
                )
    if section.reply_to is not None:
        changes["reply_to"] = section.reply_to
        _reply_to(row, section.reply_to, f"{key}.reply_to", complaints)
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


def _reply_to(row: Platform, address: str, key: str, complaints: Complaints) -> None:
    if not NUMBER.fullmatch(address):
        complaints.error(key, "a number of at most 20 digits", shown(address))
    elif row.reply_digits is not None and len(address.removeprefix("+")) > row.reply_digits:
        complaints.error(key, f"a number of at most {row.reply_digits} digits", shown(address))
