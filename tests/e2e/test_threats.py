"""Who can do what over the air: the rows of docs/security.md that come by SMS, on real parts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from at.simulator.texts import pdus_of
from tests.e2e.threats import CLOSED, KEY, OPEN, OTHER, Box, signed
from tests.support.agent import simulated


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    with simulated(tmp_path) as modem:
        box = Box(tmp_path, modem)
        yield box
        box.agent.kill()


# ---- a spoofed number -------------------------------------------------------------------------


def test_a_spoofed_number_reads_at_most_and_is_never_answered_itself(box: Box) -> None:
    box.start()
    assert box.deliver(CLOSED, "mark id=a") == ("rejected", "signature", "missing")
    assert box.deliver("+" + OPEN, "reboot id=b") == ("rejected", "signature", "missing")
    assert box.deliver(CLOSED, "ping id=c")[0] == "accepted"
    assert box.deliver("+447700900123", "mark id=d")[0] == "stranger"
    assert box.deliver("KORE", "ping id=e")[0] == "stranger"
    box.quiet()
    assert box.effects == []
    # To the platforms' own addresses, as their rows spell them; never to what the message says.
    assert {to for to, _ in box.replies} == {CLOSED, OPEN}


def test_a_spoofed_number_cannot_take_the_id_of_a_command_to_come(box: Box) -> None:
    box.start()
    c = int(time.time())
    assert box.deliver(CLOSED, "mark id=x1")[:2] == ("rejected", "signature")
    assert box.deliver(CLOSED, "ping id=x2")[0] == "accepted"
    assert box.deliver(CLOSED, signed(KEY, c, "mark", id_="x1"))[0] == "accepted"
    assert box.deliver(CLOSED, signed(KEY, c + 1, "mark", id_="x2"))[0] == "accepted"
    box.agent.wait(lambda: sorted(box.effects) == ["x1", "x2"], "both effects")


def test_guessing_signatures_silences_the_replies_but_no_valid_signature(box: Box) -> None:
    box.start()
    c = int(time.time())
    for n in range(5):
        wrong = f"mark id=g{n} c={c + n} m=AAAAAAAAA{'ABCDE'[n]}"
        assert box.deliver(CLOSED, wrong) == ("rejected", "signature", "m wrong")
    assert box.deliver(CLOSED, signed(KEY, c, "mark", id_="good"))[0] == "accepted"
    box.reply("good OK")
    refused = [text for _, text in box.replies if " ER signature" in text]
    assert len(refused) == 3
    assert box.effects == ["good"]


# ---- a stolen key -----------------------------------------------------------------------------


def test_a_stolen_key_is_worth_what_it_may_until_it_is_taken_out(box: Box) -> None:
    both = {"keys": {"0": {"file": str(box.key_path)}, "ops": {"file": str(box.other_path)}}}
    box.start(security=both, command={"restart": {"keys": ["ops"]}})
    c = int(time.time())
    assert box.deliver(CLOSED, signed(KEY, c, "mark", id_="k1"))[0] == "accepted"
    assert box.deliver(CLOSED, signed(KEY, c + 1, "restart", id_="k2")) == (
        "rejected",
        "denied",
        "key",
    )
    # Signed for another device: the device id is part of what is signed.
    elsewhere = signed(KEY, c + 2, "mark", id_="k3", device="gw2")
    assert box.deliver(CLOSED, elsewhere) == ("rejected", "signature", "m wrong")
    box.agent.wait(lambda: box.effects == ["k1"], "the one effect")
    box.agent.stop()
    box.start(security={"keys": {"ops": {"file": str(box.other_path)}}})
    stolen = signed(KEY, c + 3, "mark", id_="k4")
    assert box.deliver(CLOSED, stolen) == ("rejected", "signature", "k unknown")
    assert box.deliver(CLOSED, signed(OTHER, c, "mark", k="ops", id_="k5"))[0] == "accepted"
    box.agent.wait(lambda: box.effects == ["k1", "k5"], "the effect of the key that stayed")


# ---- a replayed message -----------------------------------------------------------------------


def test_a_replayed_message_runs_once_whatever_is_changed_around_it(box: Box) -> None:
    box.start()
    c = int(time.time())
    text = signed(KEY, c, "mark", {"note": "once"})
    now = datetime.now(UTC)
    (pdu,) = pdus_of(CLOSED, text, now)
    box.modem.deliver(pdu)
    box.agent.wait(lambda: len(box.effects) == 1, "the effect")
    box.modem.deliver(pdu)  # as it was
    (later,) = pdus_of(CLOSED, text, now + timedelta(hours=1))  # sent anew, with the same signature
    box.modem.deliver(later)
    (other,) = pdus_of(OPEN, text, now)  # and under another sender
    box.modem.deliver(other)
    sql = "SELECT verdict, reason FROM messages WHERE text = ? ORDER BY n"
    rows = box.agent.wait_rows(sql, text, count=4)
    assert [(row["verdict"], row["reason"]) for row in rows] == [
        ("accepted", ""),
        ("duplicate", ""),
        ("rejected", "replay"),
        ("rejected", "replay"),
    ]
    box.quiet()
    assert len(box.effects) == 1


def test_replays_spend_no_more_of_the_sms_budget_than_refusals_do(box: Box) -> None:
    box.start(budget={"sms_per_hour": 8})
    text = signed(KEY, int(time.time()), "mark", id_="seen")
    for n in range(6):
        (pdu,) = pdus_of(CLOSED, text, datetime.now(UTC) + timedelta(seconds=n))
        box.modem.deliver(pdu)
        box.verdict(text, count=n + 1)
    fresh = signed(KEY, int(time.time()) + 1, "mark", id_="mine")
    assert box.deliver(CLOSED, fresh)[0] == "accepted"
    box.reply("mine OK")
    repeated = [one for _, one in box.replies if one.endswith(" dup")]
    assert len(repeated) <= 2
    assert box.effects == ["seen", "mine"]


def test_a_replay_after_the_journal_was_lost_is_refused_until_somebody_confirms(box: Box) -> None:
    box.start()
    text = signed(KEY, int(time.time()) - 5, "mark", id_="old")
    assert box.deliver(CLOSED, text)[0] == "accepted"
    box.agent.wait(lambda: box.effects == ["old"], "the effect")
    box.agent.stop()
    box.agent.journal_path.write_bytes(b"no database at all, but something was here" * 100)
    box.start()
    assert box.deliver(CLOSED, text)[:2] == ("rejected", "unproven")
    soon = datetime.now(UTC) + timedelta(minutes=1)
    fresh = signed(KEY, int(time.time()) + 60, "mark", id_="new")
    (pdu,) = pdus_of(CLOSED, fresh, soon)
    box.modem.deliver(pdu)
    assert box.verdict(fresh)[0] == "accepted"
    box.agent.wait(lambda: box.effects == ["old", "new"], "the effect of the fresh command")
    assert list(box.agent.journal_path.parent.glob("journal.db.damaged-*"))


# ---- a hostile user of a portal ---------------------------------------------------------------


def test_a_hostile_portal_user_gets_neither_past_signatures_nor_into_a_program(box: Box) -> None:
    always = {"require_signature": "always", "keys": {"0": {"file": str(box.key_path)}}}
    box.start(enabled=("super-sim",), security=always)  # closed: the portal is the only way in
    assert box.deliver(CLOSED, "mark id=p1") == ("rejected", "signature", "missing")
    assert box.deliver(CLOSED, "ping id=p2")[0] == "accepted"
    box.agent.stop()
    # Where a portal's users are trusted with commands, they are bound to what is configured.
    box.start(enabled=("super-sim",), command={"reboot": {"channels": ["console"]}})
    shell = 'mark note="x; touch /tmp/p" id=p3'
    assert box.deliver(CLOSED, shell)[0] == "accepted"
    assert box.deliver(CLOSED, "mark note=--help id=p4")[0] == "accepted"
    assert box.agent.wait_command("p4")["detail"] == "note begins with -"
    assert box.deliver(CLOSED, 'mark note="$(id)" id=p5')[:2] == ("rejected", "bad-args")
    assert box.deliver(CLOSED, "mark id=p6; mark id=p7")[0] == "accepted"
    assert box.deliver(CLOSED, "reboot id=p8") == ("rejected", "denied", "channel")
    assert box.deliver(CLOSED, "sms to=+447700900123 text=hi id=p9") == (
        "rejected",
        "denied",
        "off",
    )
    assert box.deliver(CLOSED, "at line=+CPWD id=p10") == ("rejected", "denied", "off")
    box.quiet()
    assert sorted(box.effects) == ["p3", "p6"]
    assert not Path("/tmp/p").exists()
    assert {to for to, _ in box.replies} == {CLOSED}


# ---- a full SIM -------------------------------------------------------------------------------


def test_a_full_sim_is_emptied_and_what_waited_outside_arrives(box: Box) -> None:
    for storage in ("SM", "ME"):
        box.modem.control("fill", storage=storage)
    box.modem.deliver_text(CLOSED, "mark id=late")  # there is no room: the network keeps it
    box.start(enabled=("super-sim",))
    box.agent.wait_command("late", timeout_s=20)
    assert box.effects == ["late"]
    box.agent.wait(
        lambda: not any(box.modem.messages(name) for name in ("SM", "ME")), "empty memories"
    )
    assert box.agent.query("SELECT count(*) AS n FROM messages WHERE verdict = 'stranger'")[0]["n"]


# ---- a flood ----------------------------------------------------------------------------------


def test_a_flood_of_refused_messages_spends_a_quarter_of_the_sms_budget(box: Box) -> None:
    budget = {"sms_per_hour": 8, "sms_per_day": 100, "commands_per_minute": 100}
    box.start(budget=budget)
    for n in range(30):
        box.modem.deliver_text("+447700900123", f"mark id=s{n}")
        box.modem.deliver_text(OPEN, f"mark id=f{n}")  # unsigned: refused, and told so
    c = int(time.time())
    box.modem.deliver_text(CLOSED, signed(KEY, c, "mark", id_="mine"))
    box.agent.wait_command("mine", timeout_s=20)
    box.agent.wait_rows("SELECT 1 FROM messages WHERE verdict = 'stranger'", count=30)
    assert box.reply("mine OK") == (CLOSED, "mine OK")
    assert box.effects == ["mine"]
    told = box.agent.query("SELECT count(*) AS n FROM sends WHERE free = 1")[0]["n"]
    assert told <= 2
    assert all(to in (CLOSED, OPEN) for to, _ in box.replies)
