"""The order of checks, and that no message whatever gets past them by accident."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.commands.catalogue import build
from agent.inbound.judge import Judge
from agent.inbound.message import Arrival
from agent.inbound.verdict import Accepted, Judgement, OfCommand
from agent.journal.file import open_file
from agent.journal.rows import insert, set_meta
from agent.payload.request import read
from agent.payload.signatures import key_of, sign_request
from tests.agent.parts import NOW, TurnedClock, arrival, settings

KEY = b"a key"
VERDICTS = {"accepted", "rejected", "duplicate", "stranger", "not-a-command"}


class Court:
    """A judge with a journal, a trusted clock, an open platform and a key."""

    def __init__(self, folder: Path) -> None:
        (folder / "key").write_bytes(KEY)
        config = settings(
            folder,
            {
                "platforms": {"enabled": ["super-sim", "connectivitypro"]},
                "security": {"keys": {"0": {"file": str(folder / "key")}}},
                "command": {
                    "mark": {
                        "exec": ["/bin/true", "{n}"],
                        "args": {"n": {"type": "integer", "required": True}},
                    },
                    "barred": {"exec": ["/bin/true"], "channels": ["mqtt"]},
                },
            },
        )
        self.registry = build(config)
        self.clock = TurnedClock(trust=True)
        self.judge = Judge(config, self.registry, self.clock, {"0": key_of(KEY)})
        self.db, _ = open_file(config.journal.path, self.clock)

    def verdict(self, one: Arrival) -> Judgement:
        return self.judge.judge(self.db, one)

    def reason(self, text: str, **how: object) -> str:
        return self.verdict(arrival(text, **how)).reason  # type: ignore[arg-type]  # Arrival's own

    def signed(self, text: str, c: int) -> str:
        request = read(text, known=self.registry, cut_risk=False).request
        assert request is not None
        return f"{text} c={c} m={sign_request(request, KEY, 'gw', '0', str(c))}"

    def know(self, id_: str, text: str) -> None:
        """Remember an accepted command."""
        judged = self.verdict(arrival(text))
        assert isinstance(judged, Accepted)
        values = {
            "space": judged.space,
            "id": id_,
            "canonical": judged.claim.canonical,
            "command": "mark",
            "state": "succeeded",
            "channel": "sms",
            "received_at": NOW,
        }
        insert(self.db, "commands", values)

    def use(self, counter: int) -> None:
        self.db.execute("INSERT INTO counters VALUES ('0', ?)", (counter,))


@pytest.fixture
def court(tmp_path: Path) -> Iterator[Court]:
    made = Court(tmp_path)
    with contextlib.closing(made.db):
        yield made


def test_the_sender_is_asked_before_anything_that_is_said(court: Court) -> None:
    for text in ("mark n=x", "{", court.signed("mark n=1 id=a", 5), "ping"):
        judged = court.verdict(arrival(text, sender="+49151"))
        assert (judged.verdict, judged.reason) == ("stranger", "")


def test_the_grammar_is_asked_before_the_signature(court: Court) -> None:
    assert court.reason("mark n=x id=a c=1 m=AAAAAAAAAA") == "bad-args"
    assert court.reason("{") == "parse"


def test_the_signature_is_asked_before_the_duplicate(court: Court) -> None:
    text = court.signed("mark n=1 id=a", 5)
    court.know("a", text)
    assert court.verdict(arrival(text)).verdict == "duplicate"
    assert court.reason("mark n=1 id=a c=5 m=AAAAAAAAAA") == "signature"


def test_the_duplicate_is_asked_before_the_counter_the_expiry_and_the_permission(
    court: Court,
) -> None:
    text = court.signed("mark n=1 exp=+1h id=a", 5)
    court.know("a", text)
    court.use(5)
    late = arrival(text, sent_at=NOW - timedelta(days=2))
    assert court.verdict(late).verdict == "duplicate"


def test_another_body_under_a_known_id_is_a_conflict_before_all_that(court: Court) -> None:
    court.know("a", court.signed("mark n=1 id=a", 5))
    court.use(6)
    assert court.reason(court.signed("mark n=2 id=a", 6)) == "id-conflict"


def test_the_counter_is_asked_before_the_expiry_and_the_expiry_before_the_permission(
    court: Court,
) -> None:
    late = NOW - timedelta(days=2)
    court.use(5)
    assert court.reason(court.signed("barred exp=+1h id=a", 5), sent_at=late) == "replay"
    assert court.reason(court.signed("barred exp=+1h id=a", 6), sent_at=late) == "expired"
    assert court.reason(court.signed("barred exp=+9d id=a", 7), sent_at=late) == "denied"


def test_after_damage_old_counters_and_old_messages_prove_nothing(court: Court) -> None:
    set_meta(court.db, "reset_at", "2026-06-01T12:00:00.000Z")
    seconds = int(NOW.timestamp())
    assert court.reason(court.signed("mark n=1 id=a", seconds), sent_at=NOW) == "unproven"
    fresh = court.signed("mark n=1 id=a", seconds + 1)
    assert court.reason(fresh, sent_at=NOW - timedelta(seconds=1)) == "unproven"
    assert court.reason(fresh, sent_at=None) == "unproven"
    assert court.verdict(arrival(fresh, sent_at=NOW)).verdict == "accepted"
    assert court.verdict(arrival("ping", sent_at=None)).verdict == "accepted"
    assert court.verdict(arrival("mark n=1", channel="console", id="c")).verdict == "accepted"


def test_judging_writes_nothing(court: Court) -> None:
    before = court.db.total_changes
    for text in (court.signed("mark n=1 id=a", 5), "mark n=1 id=b", "hello", "{"):
        court.verdict(arrival(text))
    assert court.db.total_changes == before


# Whole characters only: no channel hands over half of one.
LINE = "mark ping set barred sms at reboot n=1 n=x id=a id= when=+1d when=now exp=+1h exp=x k=0 c=1"
REST = 'm=AAAAAAAAAA reply=sms reply=x ; " {"cmd":"mark" "args":{"n":1}} {"cmd":"\\ud800"} = \x00 ü'
WORDS = st.sampled_from([*LINE.split(), *REST.split(), "DC" + "0" * 32, "HC" + "f" * 20])
BODIES = st.one_of(st.text(max_size=300), st.lists(WORDS, max_size=8).map(" ".join))
COURTS: list[Court] = []


def shared_court() -> Court:
    if not COURTS:
        COURTS.append(Court(Path(tempfile.mkdtemp(prefix="court-"))))
    return COURTS[0]


@pytest.fixture(scope="module", autouse=True)
def _close_the_shared_court() -> Iterator[None]:
    yield
    for court in COURTS:
        court.db.close()
    COURTS.clear()


@given(BODIES, st.sampled_from(["sms", "mqtt", "console"]), st.sampled_from(["000", "+49151", "K"]))
def test_any_text_on_any_channel_has_a_verdict_and_only_a_valid_one_is_accepted(
    text: str, channel: str, sender: str
) -> None:
    court = shared_court()
    one = arrival(text, channel=channel)
    judged = court.verdict(replace(one, sender=sender) if channel == "sms" else one)
    assert judged.verdict in VERDICTS
    if channel == "sms" and sender != "000":
        assert judged.verdict == "stranger"
    if isinstance(judged, Accepted):
        # On an open platform nothing that changes something gets through unsigned.
        assert channel != "sms" or judged.handler.read_only
    _storable(judged)


@given(st.binary(max_size=200))
def test_any_octets_have_a_verdict(data: bytes) -> None:
    judged = shared_court().verdict(Arrival("sms", NOW, sender="000", sent_at=NOW, data=data))
    assert judged.verdict in VERDICTS
    _storable(judged)


def _storable(judged: Judgement) -> None:
    """What is said of a message can be journalled: no half characters, no endless numbers."""
    with contextlib.closing(sqlite3.connect(":memory:")) as db:
        canonical = judged.claim.canonical if isinstance(judged, OfCommand) else ""
        db.execute(
            "SELECT ?, ?, ?, ?", (judged.heard.text, judged.reason, judged.detail, canonical)
        )


def test_a_message_with_a_time_in_the_far_past_or_future_is_judged(court: Court) -> None:
    for year in (1970, 2000, 2099):
        judged = court.verdict(arrival("ping exp=+1h", sent_at=datetime(year, 1, 1, tzinfo=UTC)))
        assert judged.verdict in VERDICTS


def test_octets_that_could_not_be_decoded_are_no_text(court: Court) -> None:
    broken = Arrival("sms", NOW, data=b"ping", verdict="undecodable")
    assert court.verdict(broken).heard.text is None


def test_after_a_loss_at_unknown_time_nothing_is_proven_until_two_clocks_agree(
    court: Court,
) -> None:
    set_meta(court.db, "reset_at", "2020-01-01T00:00:00.000Z")
    set_meta(court.db, "reset_elapsed_s", "0.0")
    clock = court.judge.clock
    assert isinstance(clock, TurnedClock)
    clock.trust = False
    fresh = court.signed("mark n=1 id=a", int(NOW.timestamp()) + 10)
    clock.set(-86_400.0)
    clock.tell_network_time(f'"{NOW:%y/%m/%d,%H:%M:%S}+00"')  # the network alone is not enough
    assert court.reason(fresh, sent_at=NOW) == "unproven"
    assert court.verdict(arrival("ping", sent_at=None)).verdict == "accepted"
    clock.set(86_400.0)
    assert court.reason(fresh, sent_at=NOW - timedelta(hours=1)) == "unproven"
    assert court.verdict(arrival(fresh, sent_at=NOW)).verdict == "accepted"


@pytest.mark.parametrize("how", [{"expires_in_s": 60.0}, {}])
def test_a_relative_expiry_without_a_time_stamp_needs_no_clock(
    court: Court, how: dict[str, float]
) -> None:
    court.clock.trust = False
    court.clock.set(-56 * 365 * 86_400.0)
    one = Arrival("mqtt", court.clock.wall(), text="mark n=1 exp=+1h id=a", **how)  # type: ignore[arg-type]
    judged = court.verdict(one)
    assert isinstance(judged, Accepted)
    assert judged.expires_in_s == how.get("expires_in_s", 3600.0)
    assert judged.expires_at is None
    over = replace(one, expires_in_s=0.0)
    assert court.verdict(over).reason == "expired"
