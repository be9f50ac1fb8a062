from __future__ import annotations

import contextlib
import itertools
import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.inbound import reassembly
from agent.journal.file import open_file
from agent.journal.readonly import empty_journal
from agent.journal.rows import insert
from at import sms
from at.errors import DecodeError
from at.store.messages import Stored
from tests.agent.parts import NOW, TurnedClock, body, stored

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
DAY_S = DAY.total_seconds()


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def db(tmp_path: Path, clock: TurnedClock) -> Iterator[sqlite3.Connection]:
    made, _ = open_file(tmp_path / "journal.db", clock)
    with contextlib.closing(made):
        yield made


def parts(text: str, reference: int = 7, **how: object) -> list[sms.UserData]:
    return list(sms.segment(text, reference=reference, **how))  # type: ignore[arg-type]  # as given


def take(db: sqlite3.Connection, one: Stored, now: datetime = NOW) -> reassembly.Taken:
    taken = reassembly.take(db, one, now)
    if taken.arrival is not None:  # what the intake does with it
        values = {"received_at": now, "channel": "sms", "sender": "", "verdict": "x"}
        message = insert(db, "messages", values)
        for segment in taken.segments:
            db.execute("UPDATE segments SET message = ? WHERE n = ?", (message, segment))
    return taken


LONG = "set note=" + "0123456789" * 40
assert len(parts(LONG)) == 3


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_parts_join_in_whatever_order_they_come(
    db: sqlite3.Connection, order: tuple[int, ...]
) -> None:
    pieces = [stored(piece) for piece in parts(LONG)]
    *first, last = [take(db, pieces[n]) for n in order]
    assert all(taken.verdict == "part" and taken.arrival is None for taken in first)
    assert last.arrival is not None
    assert last.arrival.text == LONG
    assert len(last.segments) == 3


def test_the_fingerprint_is_that_of_all_parts_in_order(db: sqlite3.Connection) -> None:
    pieces = [stored(piece) for piece in parts(LONG)]
    forward = [take(db, piece) for piece in pieces][-1].arrival
    other, _ = open_file(Path(str(_path(db))).with_name("other.db"), TurnedClock())
    with contextlib.closing(other):
        backward = [take(other, piece) for piece in reversed(pieces)][-1].arrival
    assert forward is not None
    assert backward is not None
    assert forward.fingerprint == backward.fingerprint
    assert forward.fingerprint is not None
    assert len(forward.fingerprint) == 12


def _path(db: sqlite3.Connection) -> str:
    return str(db.execute("PRAGMA database_list").fetchone()[2])


def test_a_part_seen_before_is_a_repeat_also_after_the_message_was_finished(
    db: sqlite3.Connection,
) -> None:
    pieces = [stored(piece) for piece in parts(LONG)]
    assert take(db, pieces[0]).verdict == "part"
    assert take(db, pieces[0]).verdict == "repeat"
    for piece in pieces[1:]:
        take(db, piece)
    for piece in pieces:
        again = take(db, piece)
        assert (again.verdict, again.arrival) == ("repeat", None)


def test_a_part_with_other_data_is_no_repeat(db: sqlite3.Connection) -> None:
    first = parts("a" * 300)[0]
    take(db, stored(first))
    assert take(db, stored(parts("b" * 300)[0])).verdict == "part"


@pytest.mark.parametrize(
    "change",
    ["sender", "reference", "width", "total", "coding", "time"],
)
def test_parts_that_differ_in_what_makes_a_message_do_not_join(
    db: sqlite3.Connection, change: str
) -> None:
    first, second = parts("x" * 300)
    take(db, stored(first))
    others = {
        "sender": lambda: stored(second, sender="2936"),
        "reference": lambda: stored(parts("x" * 300, reference=8)[1]),
        "width": lambda: stored(parts("x" * 300, wide=True)[1]),
        "total": lambda: stored(parts("x" * 400)[1]),
        "coding": lambda: stored(parts("ж" * 120)[1]),
        "time": lambda: stored(second, at=NOW + timedelta(minutes=11)),
    }
    assert take(db, others[change]()).arrival is None


def test_time_stamps_within_ten_minutes_join(db: sqlite3.Connection) -> None:
    first, second = parts("x" * 300)
    take(db, stored(first))
    joined = take(db, stored(second, at=NOW + timedelta(minutes=9)))
    assert joined.arrival is not None


def test_two_messages_under_one_reference_at_once_are_not_guessed_together(
    db: sqlite3.Connection,
) -> None:
    ours, theirs = parts("a" * 300), parts("b" * 300)
    take(db, stored(ours[0]))
    take(db, stored(theirs[0], at=NOW + SECOND))
    assert take(db, stored(ours[1], at=NOW + SECOND)).arrival is None


def test_the_nearer_of_two_messages_under_one_reference_is_completed(
    db: sqlite3.Connection,
) -> None:
    ours, theirs = parts("a" * 300), parts("b" * 300)
    take(db, stored(ours[0], at=NOW - timedelta(minutes=5)))
    take(db, stored(theirs[0]))
    joined = take(db, stored(theirs[1], at=NOW + SECOND))
    assert joined.arrival is not None
    assert joined.arrival.text == "b" * 300


def test_a_clock_that_is_set_between_two_parts_does_not_part_them(db: sqlite3.Connection) -> None:
    first, second = parts("x" * 300)
    take(db, stored(first), NOW - 40 * DAY)  # a box without a clock, before NTP
    joined = take(db, stored(second, at=NOW + SECOND), NOW)
    assert joined.arrival is not None


def test_an_incomplete_set_ends_after_seven_days_with_what_it_had(
    db: sqlite3.Connection, clock: TurnedClock
) -> None:
    first, _, third = parts(LONG)
    for piece in (first, third):
        take(db, stored(piece))
    clock.set(300 * DAY_S)
    clock.turn(6 * DAY_S)
    assert reassembly.give_up_incomplete(db, clock.wall()) == []
    clock.turn(DAY_S + 1)
    ((arrival, segments),) = reassembly.give_up_incomplete(db, clock.wall())
    assert arrival.verdict == "incomplete"
    assert arrival.detail == "have 1, 3 of 3"
    assert arrival.text == LONG[:153] + LONG[306:]
    assert arrival.sender == "000"
    assert len(segments) == 2


def test_what_cannot_be_decoded_is_kept_as_it_was_read(db: sqlite3.Connection) -> None:
    error = DecodeError(field="scts", octet=12, need=7, have=1)
    broken = Stored("SM", 1, "rec-unread", "0004FF", None, error, (), True, 0)
    taken = take(db, broken)
    assert taken.arrival is not None
    assert taken.arrival.verdict == "undecodable"
    assert "scts" in taken.arrival.detail
    assert db.execute("SELECT raw FROM segments").fetchall() == [("0004FF",)]
    assert taken.arrival.data == bytes.fromhex("0004FF")


def test_what_cannot_be_decoded_in_text_mode_is_kept_as_it_was_read(
    db: sqlite3.Connection,
) -> None:
    error = DecodeError(field="header", octet=0)
    raw = '"+44' + "\n" + "caf\xe9"
    taken = take(db, Stored("SM", 1, "rec-unread", raw, None, error, (), True, 0))
    assert taken.arrival is not None
    assert taken.arrival.data == raw.encode()


def concatenated(*elements: str, text: str = "ping", **how: object) -> Stored:
    """A message whose header has these elements (hex: identifier and data)."""
    udh = tuple(sms.Element(int(one[:2], 16), bytes.fromhex(one[2:])) for one in elements)
    user_data = sms.UserData(sms.Alphabet.GSM7, sms.gsm7.encode(text), udh)
    deliver = sms.Deliver(sms.Address.parse("000"), sms.Timestamp.of(NOW), user_data, **how)  # type: ignore[arg-type]  # as given
    pdu = sms.Pdu(None, deliver, ("concat",))
    return Stored("SM", 1, "rec-unread", "00", pdu, None, pdu.flags, True, 0)


@pytest.mark.parametrize("element", ["00070000", "0800070000", "00070100", "00070102", "00070001"])
def test_a_concatenation_of_less_than_two_parts_is_ignored(
    db: sqlite3.Connection, element: str
) -> None:
    taken = take(db, concatenated(element))
    assert taken.arrival is not None
    assert (taken.arrival.verdict, taken.arrival.text) == ("", "ping")


@pytest.mark.parametrize("element", ["00070200", "00070203", "08000702", "000702", "0007", "00"])
def test_what_may_be_one_part_of_several_is_published_and_never_run(
    db: sqlite3.Connection, element: str
) -> None:
    taken = take(db, concatenated(element))
    assert taken.arrival is not None
    assert taken.arrival.verdict == "unsupported"
    assert taken.arrival.text == "ping"


def test_of_concatenations_of_both_widths_the_last_counts(db: sqlite3.Connection) -> None:
    assert take(db, concatenated("00070301", "0800070201", text="pi")).verdict == "part"
    joined = take(db, concatenated("00070301", "0800070202", text="ng"))
    assert joined.arrival is not None
    assert (joined.arrival.verdict, joined.arrival.text) == ("", "ping")


@pytest.mark.parametrize("elements", [(), ("00070201",), ("05" + "0B84" * 2,)])
def test_a_message_of_type_0_is_discarded_whatever_it_says(
    db: sqlite3.Connection, elements: tuple[str, ...]
) -> None:
    taken = take(db, concatenated(*elements, pid=0x40))
    assert taken.arrival is not None
    assert (taken.arrival.verdict, taken.arrival.detail) == ("junk", "message type 0")
    assert (taken.arrival.text, taken.arrival.data) == (None, None)


def test_a_draft_is_junk(db: sqlite3.Connection) -> None:
    submit = sms.Submit(sms.Address.parse("000"), body("x"))
    draft = Stored("SM", 1, "sto-unsent", "00", sms.Pdu(None, submit, ()), None, (), True, 0)
    taken = take(db, draft)
    assert taken.arrival is not None
    assert taken.arrival.verdict == "junk"


def test_a_single_message_that_is_full_says_so(db: sqlite3.Connection) -> None:
    for length, full in ((159, False), (160, True)):
        taken = take(db, stored("x" * length))
        assert taken.arrival is not None
        assert taken.arrival.full is full


def test_a_message_addressed_to_a_wap_port_is_junk_and_to_another_port_unsupported(
    db: sqlite3.Connection,
) -> None:
    for port, verdict in ((2948, "junk"), (4711, "unsupported")):
        element = sms.Element(0x05, port.to_bytes(2, "big") + b"\0\0")
        data = sms.UserData(sms.Alphabet.OCTETS, b"mark id=a", (element,))
        taken = take(db, stored(data))
        assert taken.arrival is not None
        assert (taken.arrival.verdict, taken.arrival.detail[-4:]) == (verdict, str(port))


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=400), st.randoms())
def test_any_text_in_any_order_of_its_parts_comes_out_whole(text: str, random) -> None:  # type: ignore[no-untyped-def]  # hypothesis's
    pieces = [stored(piece) for piece in parts(text)]
    random.shuffle(pieces)
    with empty_journal("now") as db:
        last = [reassembly.take(db, piece, NOW) for piece in pieces][-1]
    assert last.arrival is not None
    assert last.arrival.text == text
