"""Turns stored SMS into whole messages: journals each part, joins them out of the journal."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from agent.inbound.message import Arrival, fingerprint
from agent.journal.rows import insert
from agent.payload.platforms import spell
from at import sms
from at.store.stored import HEADLESS, UNSHOWN, Stored

__all__ = [
    "UNPROVEN",
    "Origin",
    "Taken",
    "as_read",
    "give_up_incomplete",
    "journal_reading",
    "origin",
    "set_aside",
    "take",
]

UNPROVEN: Final = "unproven-read"  # verdict, and field of the error of a Stored that comes to it

JOINED_WITHIN: Final = timedelta(minutes=10)  # between the time stamps of two parts of one message
PATIENCE_S: Final = 7 * 86400.0  # an incomplete set ends after this
# Two sets of parts under one reference may overlap; nearer than this they cannot be told apart.
DISTINCT: Final = timedelta(seconds=30)

_DATA_DOWNLOAD: Final = frozenset({0x7C, 0x7D, 0x7E, 0x7F})  # TS 23.040 9.2.3.9: to the (U)SIM, ME
_TYPE_0: Final = 0x40
_WAP_PORTS: Final = frozenset({2805, 2923, 2948, 2949, *range(9200, 9208)})


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one stored SMS: segment is its row, already journalled.

    arrival: the whole message, where this part completed one; segments: its parts' rows.
    receipt: set for a status report. verdict: "part" or "repeat", "" where the arrival's speaks.
    """

    segment: int
    verdict: str = ""
    arrival: Arrival | None = None
    segments: tuple[int, ...] = ()
    receipt: sms.StatusReport | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """What tells one SMS from another; "" and None for what cannot be told."""

    sender: str = ""
    stamp: str = ""
    reference: int | None = None
    sequence: int = 1


@dataclass(frozen=True, slots=True)
class _Part:
    n: int
    sent_at: datetime | None
    elapsed_s: float
    sequence: int
    data: bytes


def take(db: sqlite3.Connection, stored: Stored, now: datetime) -> Taken:
    """Journal one stored SMS inside the caller's transaction and say what it completes."""
    tpdu = stored.pdu.tpdu if stored.pdu is not None else None
    if stored.error is not None and stored.error.field == UNPROVEN:
        segment = journal_reading(db, stored, now)
        said = origin(stored)
        arrival = Arrival(
            "sms",
            now,
            said.sender,
            datetime.fromisoformat(said.stamp) if said.stamp else None,
            data=as_read(stored.raw),
            verdict=UNPROVEN,
            detail=str(stored.error),
        )
        return Taken(segment, arrival=arrival, segments=(segment,))
    if isinstance(tpdu, sms.Deliver):
        return _take_deliver(db, stored, tpdu, now)
    if isinstance(tpdu, sms.StatusReport):
        segment = _journal(db, stored, now, spell(tpdu.recipient), tpdu.timestamp)
        arrival = Arrival("sms", now, sender=spell(tpdu.recipient), verdict="receipt")
        return Taken(segment, arrival=arrival, segments=(segment,), receipt=tpdu)
    segment = _journal(db, stored, now, "", None)
    if tpdu is None:
        unshown = stored.direct and stored.error is not None and stored.error.field in UNSHOWN
        verdict = "unsupported" if unshown else "undecodable"
        detail = str(stored.error or "")
        arrival = Arrival("sms", now, data=as_read(stored.raw), verdict=verdict, detail=detail)
    else:  # a draft or a sent message that somebody left in the memory
        arrival = Arrival("sms", now, verdict="junk", detail="not a received message")
    return Taken(segment, arrival=arrival, segments=(segment,))


def _take_deliver(
    db: sqlite3.Connection, stored: Stored, tpdu: sms.Deliver, now: datetime
) -> Taken:
    sender, user_data = spell(tpdu.originator), tpdu.user_data
    concat = user_data.concat
    if tpdu.pid == _TYPE_0:
        # TS 23.040 9.2.3.9: acknowledged, its contents discarded.
        segment = _journal(db, stored, now, sender, tpdu.timestamp)
        arrival = Arrival(
            "sms", now, sender, tpdu.timestamp.time, verdict="junk", detail="message type 0"
        )
        return Taken(segment, arrival=arrival, segments=(segment,))
    if HEADLESS in stored.flags:
        segment = _journal(db, stored, now, sender, tpdu.timestamp, user_data)
        arrival = Arrival(
            "sms",
            now,
            sender,
            tpdu.timestamp.time,
            text=user_data.text,
            verdict="unsupported",
            detail="handed over without its coding: it may be a part",
        )
        return Taken(segment, arrival=arrival, segments=(segment,))
    if concat is None or concat.total == 1:
        segment = _journal(db, stored, now, sender, tpdu.timestamp, user_data)
        arrival = _whole(tpdu, user_data, (_stamp(tpdu.timestamp),), (user_data,), now)
        return Taken(segment, arrival=arrival, segments=(segment,))
    if _is_repeat(db, sender, tpdu, concat):
        segment = _journal(
            db, stored, now, sender, tpdu.timestamp, user_data, concat=concat, verdict="repeat"
        )
        return Taken(segment, verdict="repeat")
    segment = _journal(
        db, stored, now, sender, tpdu.timestamp, user_data, concat=concat, verdict="part"
    )
    parts = _complete_set(db, segment, sender, tpdu, concat)
    if parts is None:
        return Taken(segment, verdict="part")
    shifts = _shift_tables(user_data)
    pieces = tuple(
        sms.UserData(
            user_data.alphabet,
            part.data,
            (replace(concat, sequence=part.sequence).element, *shifts),
        )
        for part in parts
    )
    stamps = tuple(_stamp_of(db, part.n) for part in parts)
    arrival = _whole(tpdu, sms.join(pieces), stamps, pieces, now)
    return Taken(segment, arrival=arrival, segments=tuple(part.n for part in parts))


def _shift_tables(user_data: sms.UserData) -> tuple[sms.Element, ...]:
    """Return the header elements that say how the septets are to be read (TS 23.040 9.2.3.24)."""
    return tuple(element for element in user_data.udh if element.iei in (0x24, 0x25))


def _whole(
    tpdu: sms.Deliver,
    body: sms.UserData,
    stamps: tuple[str, ...],
    pieces: tuple[sms.UserData, ...],
    now: datetime,
) -> Arrival:
    sender = spell(tpdu.originator)
    verdict, detail = _nature(tpdu)
    text = body.text
    bodies = [piece.text if piece.text is not None else piece.octets.hex() for piece in pieces]
    return Arrival(
        channel="sms",
        received_at=now,
        sender=sender,
        sent_at=tpdu.timestamp.time,
        text=text,
        data=None if text is not None else body.octets,
        fingerprint=fingerprint(sender, zip(stamps, bodies, strict=True)),
        full=len(pieces) == 1 and body.alphabet is sms.Alphabet.GSM7 and len(body.octets) == 160,
        verdict=verdict,
        detail=detail,
    )


def _nature(tpdu: sms.Deliver) -> tuple[str, str]:
    """Return the verdict of what no one meant as a message to the agent, ("", "") for the rest."""
    ports = tpdu.user_data.ports
    if ports is not None:
        wap = ports.destination in _WAP_PORTS
        detail = f"addressed to application port {ports.destination}"
        return ("junk" if wap else "unsupported"), detail
    if tpdu.dcs.compressed:
        return "unsupported", "compressed text"
    if tpdu.user_data.is_stray_part:
        # A part of something, nobody can say of what: never run on its own.
        return "unsupported", "invalid concatenation header"
    junk = ""
    if tpdu.pid in _DATA_DOWNLOAD and tpdu.dcs.message_class in (1, 2):
        junk = "data download to the SIM or the module"
    elif not tpdu.user_data.octets and tpdu.dcs.message_class == 0:
        junk = "class 0"
    return ("junk", junk) if junk else ("", "")


def _stamp(timestamp: sms.Timestamp | None) -> str:
    """Render a time stamp with its own zone; "" where it names no time."""
    if timestamp is None or timestamp.time is None:
        return ""
    return timestamp.time.isoformat()


def _journal(
    db: sqlite3.Connection,
    stored: Stored,
    now: datetime,
    sender: str,
    timestamp: sms.Timestamp | None,
    user_data: sms.UserData | None = None,
    *,
    concat: sms.Concat | None = None,
    verdict: str | None = None,
) -> int:
    return insert(
        db,
        "segments",
        {
            "received_at": now,
            "sender": sender,
            "sent_at": _stamp(timestamp),
            "reference": concat.reference if concat else None,
            "wide": bool(concat and concat.wide),
            "total": concat.total if concat else 1,
            "sequence": concat.sequence if concat else 1,
            "alphabet": str(user_data.alphabet) if user_data else "",
            "language": user_data.locking * 256 + user_data.single if user_data else 0,
            "data": user_data.octets if user_data else b"",
            "raw": stored.raw,
            "flags": " ".join(stored.flags),
            "verdict": verdict,
        },
    )


def _is_repeat(db: sqlite3.Connection, sender: str, tpdu: sms.Deliver, concat: sms.Concat) -> bool:
    """Whether this part is on record: rows are kept for 30 days."""
    found = db.execute(
        "SELECT 1 FROM segments WHERE sender = ? AND reference = ? AND sequence = ? AND wide = ?"
        " AND total = ? AND sent_at = ? AND data = ? LIMIT 1",
        (
            sender,
            concat.reference,
            concat.sequence,
            concat.wide,
            concat.total,
            _stamp(tpdu.timestamp),
            tpdu.user_data.octets,
        ),
    ).fetchone()
    return found is not None


def _complete_set(
    db: sqlite3.Connection,
    newest: int,
    sender: str,
    tpdu: sms.Deliver,
    concat: sms.Concat,
) -> list[_Part] | None:
    """Return the parts of the message that `newest` completes, in order; None while some lack."""
    user_data = tpdu.user_data
    waiting = db.execute(
        "SELECT n, sent_at, elapsed_s, sequence, data FROM segments"
        " WHERE sender = ? AND reference = ? AND wide = ? AND total = ? AND alphabet = ?"
        " AND language = ? AND verdict = 'part' AND message IS NULL",
        (
            sender,
            concat.reference,
            concat.wide,
            concat.total,
            str(user_data.alphabet),
            user_data.locking * 256 + user_data.single,
        ),
    ).fetchall()
    parts = [
        _Part(n, datetime.fromisoformat(sent_at) if sent_at else None, at_s, sequence, data)
        for n, sent_at, at_s, sequence, data in waiting
    ]
    anchor = next(part for part in parts if part.n == newest)
    chosen: list[_Part] = []
    for sequence in range(1, concat.total + 1):
        part = _nearest([p for p in parts if p.sequence == sequence], anchor)
        if part is None:
            return None
        chosen.append(part)
    return chosen


def _nearest(candidates: list[_Part], anchor: _Part) -> _Part | None:
    """Return the candidate nearest in time to the anchor; None where it is not clear which."""
    by_distance = sorted(
        (_apart(part, anchor), part.n != anchor.n, part.n, part)
        for part in candidates
        if _apart(part, anchor) <= JOINED_WITHIN
    )
    if not by_distance:
        return None
    nearest, distance = by_distance[0][3], by_distance[0][0]
    for other_distance, _, _, other in by_distance[1:]:
        if other_distance - distance < DISTINCT and other.data != nearest.data:
            return None  # two messages under one reference at once: joining would be a guess
    return nearest


def _apart(part: _Part, other: _Part) -> timedelta:
    """How far two parts are from each other: by the network's stamps, else by their receipt."""
    if part.sent_at is not None and other.sent_at is not None:
        return abs(part.sent_at - other.sent_at)
    return timedelta(seconds=abs(part.elapsed_s - other.elapsed_s))


def _stamp_of(db: sqlite3.Connection, segment: int) -> str:
    found = db.execute("SELECT sent_at FROM segments WHERE n = ?", (segment,)).fetchone()
    return str(found[0])


def set_aside(db: sqlite3.Connection, stored: Stored, error: BaseException, now: datetime) -> Taken:
    """Journal a stored SMS that could not be taken because of a fault in here.

    It must not block those behind it, nor be lost: its evidence is kept.
    """
    segment = _journal(db, stored, now, "", None)
    detail = f"internal error: {type(error).__name__}: {error}"
    arrival = Arrival("sms", now, data=as_read(stored.raw), verdict="undecodable", detail=detail)
    return Taken(segment, arrival=arrival, segments=(segment,))


def as_read(raw: str) -> bytes:
    """Give the octets of a PDU, or what the modem said where that is no PDU (text mode)."""
    try:
        return bytes.fromhex(raw)
    except ValueError:
        return raw.encode("utf-8", "surrogateescape")


def origin(stored: Stored) -> Origin:
    """Return whose message and which part of it this is, as far as it could be read."""
    tpdu = stored.pdu.tpdu if stored.pdu is not None else None
    if isinstance(tpdu, sms.Deliver):
        concat = tpdu.user_data.concat
        part = (concat.reference, concat.sequence) if concat else (None, 1)
        return Origin(spell(tpdu.originator), _stamp(tpdu.timestamp), *part)
    if isinstance(tpdu, sms.StatusReport):
        return Origin(spell(tpdu.recipient), _stamp(tpdu.timestamp))
    return Origin()


def journal_reading(
    db: sqlite3.Connection, stored: Stored, now: datetime, *, verdict: str | None = None
) -> int:
    """Journal one reading of a message, not believed (doubt.py): its evidence alone."""
    tpdu = stored.pdu.tpdu if stored.pdu is not None else None
    timestamp = tpdu.timestamp if isinstance(tpdu, sms.Deliver | sms.StatusReport) else None
    concat = tpdu.user_data.concat if isinstance(tpdu, sms.Deliver) else None
    sender = origin(stored).sender
    return _journal(db, stored, now, sender, timestamp, concat=concat, verdict=verdict)


def give_up_incomplete(db: sqlite3.Connection, now: datetime) -> list[tuple[Arrival, list[int]]]:
    """Return, for each set of parts that has waited too long, its verdict and its segments.

    now: the wall clock, for the record; how long a part has waited is elapsed time.
    """
    groups: dict[tuple[Any, ...], list[tuple[int, int, str, bytes]]] = {}
    rows = db.execute(
        "SELECT sender, reference, wide, total, alphabet, language, n, sequence, sent_at, data"
        " FROM segments"
        " WHERE verdict = 'part' AND message IS NULL AND elapsed_s <= elapsed() - ? ORDER BY n",
        (PATIENCE_S,),
    )
    for *common, n, sequence, sent_at, data in rows:
        groups.setdefault(tuple(common), []).append((n, sequence, sent_at, data))
    given_up = []
    for (sender, _, _, total, alphabet, language), members in groups.items():
        pieces = {sequence: data for _, sequence, _, data in members}
        have = sorted(pieces)
        body = _body(alphabet, language, b"".join(pieces[sequence] for sequence in have))
        sent_at = members[0][2]
        arrival = Arrival(
            "sms",
            now.astimezone(UTC),
            sender=sender,
            sent_at=datetime.fromisoformat(sent_at) if sent_at else None,
            text=body.text,
            data=None if body.text is not None else body.octets,
            verdict="incomplete",
            detail=f"have {', '.join(map(str, have))} of {total}",
        )
        given_up.append((arrival, [n for n, *_ in members]))
    return given_up


def _body(alphabet: str, language: int, octets: bytes) -> sms.UserData:
    """Give octets the coding that their rows tell (see _journal)."""
    locking, single = divmod(language, 256)
    shifts = (sms.Element(0x25, bytes((locking,))), sms.Element(0x24, bytes((single,))))
    return sms.UserData(sms.Alphabet(alphabet), octets, shifts if language else ())
