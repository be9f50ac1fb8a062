"""How messages come to the agent, and how each of them ends in the journal."""

from __future__ import annotations

from typing import Any

import pytest

from at.simulator.texts import pdus_of
from tests.e2e.conftest import MakeRoad
from tests.e2e.road import STAMP, Road, parts_of

QUICK_POLL = {"modem": {"poll_s": 1}}


def verdicts(road: Road) -> list[tuple[str, str]]:
    return [(row["sender"], row["verdict"]) for row in road.agent.rows("messages")]


def replies_to(road: Road, id_: str) -> list[str]:
    return [reply for reply in road.replies() if reply.startswith(f"{id_} ")]


def run_and_check(road: Road, id_: str) -> None:
    road.wait(lambda: replies_to(road, id_), "reply")
    road.settle()
    assert road.effects() == [id_]
    assert len(replies_to(road, id_)) == 1
    assert road.check(id_) == "succeeded"
    road.check_replies(id_, "succeeded")


@pytest.mark.parametrize("mode", ["pdu", "text"])
def test_a_command_present_before_the_start_is_run_once_told_once_and_deleted(
    make_road: MakeRoad, mode: str
) -> None:
    road = make_road(modem={"poll_s": 30, "sms_mode": mode})
    road.modem.deliver(parts_of("mark id=a note=x")[0], announce=False)
    road.start()
    run_and_check(road, "a")


@pytest.mark.parametrize("mode", ["pdu", "text"])
def test_a_command_that_is_announced_is_run_once_told_once_and_deleted(
    make_road: MakeRoad, mode: str
) -> None:
    road = make_road(modem={"poll_s": 30, "sms_mode": mode})
    road.start()
    road.agent.wait_log("modem ready")
    road.modem.deliver(parts_of("mark id=a note=x")[0])
    run_and_check(road, "a")


@pytest.mark.parametrize("mode", ["pdu", "text"])
def test_a_command_that_is_not_announced_is_found_by_the_slow_timer(
    make_road: MakeRoad, mode: str
) -> None:
    road = make_road(modem={"poll_s": 1, "sms_mode": mode})
    road.start()
    road.agent.wait_log("modem ready")
    road.wait(lambda: not road.stored(), "first sweep")
    road.modem.deliver(parts_of("mark id=a note=x")[0], announce=False)
    run_and_check(road, "a")


def test_deletes_by_index_and_never_everything(road: Road) -> None:
    for n in range(3):
        road.deliver(parts_of(f"mark id=a{n} note=x")[0], announce=False)
    road.start(bring_up=True)
    road.wait(lambda: not road.stored(), "deletion")
    deletions = [point for point in road.points() if point.startswith("AT+CMGD")]
    assert {name.split(",")[0] for name in deletions} == {"AT+CMGD=1", "AT+CMGD=2", "AT+CMGD=3"}


def test_what_is_no_command_a_stranger_and_the_undecodable_end_with_their_verdict_and_leave_the_sim(
    road: Road,
) -> None:
    road.deliver(parts_of("good morning")[0], announce=False)
    road.deliver(parts_of("mark id=a note=x", sender="+4915112345678")[0], announce=False)
    road.deliver("0004038100F000006250403020", announce=False)  # ends inside the time stamp
    road.start()
    road.wait(lambda: not road.stored(), "empty memories")
    road.wait(lambda: len(verdicts(road)) == 3, "three verdicts")
    assert sorted(verdict for _, verdict in verdicts(road)) == [
        "not-a-command",
        "stranger",
        "undecodable",
    ]
    assert ("+4915112345678", "stranger") in verdicts(road)
    road.settle()
    assert road.effects() == []
    assert [reply.split()[0] for reply in road.replies()] == ["last"]


def test_no_sms_leaves_because_of_a_stranger_whatever_it_says(road: Road) -> None:
    bodies = ["ping", "mark id=s note=x", '{"cmd":"ping"}', "ping id=s reply=sms", "nonsense k=v"]
    for body in bodies:
        road.deliver(parts_of(body, sender="+4915112345678")[0], announce=False)
    road.start()
    road.settle()
    assert [reply.split()[0] for reply in road.replies()] == ["last"]
    strangers = [verdict for sender, verdict in verdicts(road) if sender == "+4915112345678"]
    assert strangers == ["stranger"] * len(bodies)


def test_two_messages_with_one_reference_from_one_sender_days_apart_are_not_mixed(
    road: Road,
) -> None:
    old = pdus_of("000", "mark id=a note=" + "x" * 200, STAMP.replace(day=1), reference=7)
    new = pdus_of("000", "mark id=b note=" + "y" * 200, STAMP, reference=7)
    road.deliver(old[0], announce=False)
    for pdu in new:
        road.deliver(pdu, announce=False)
    road.start()
    road.settle()
    assert road.effects() == ["b"]
    (row,) = road.agent.query("SELECT args FROM commands WHERE id = 'b'")
    assert "x" not in row["args"]


def test_a_burst_of_announcements_is_taken_whole(road: Road) -> None:
    road.start()
    road.agent.wait_log("modem ready")
    for n in range(15):
        road.deliver(parts_of(f"mark id=a{n} note=x")[0])
    road.settle()
    road.wait(lambda: len(road.effects()) == 15, "all effects")
    assert sorted(road.effects()) == sorted(f"a{n}" for n in range(15))


def _row(road: Road, sql: str) -> dict[str, Any]:
    (row,) = road.agent.query(sql)
    return row


def test_an_8_bit_command_runs_and_its_text_is_journalled(road: Road) -> None:
    road.start()
    for pdu in pdus_of("2936", b'{"cmd":"mark","args":{"note":"x"},"id":"a"}', STAMP):
        road.deliver(pdu)
    run_and_check(road, "a")


def test_8_bit_data_that_is_no_text_is_never_run(road: Road) -> None:
    road.start()
    for pdu in pdus_of("2936", b"\xff\xfe mark id=a note=x", STAMP):
        road.deliver(pdu)
    road.settle()
    assert road.effects() == []
    assert _row(road, "SELECT verdict FROM messages WHERE data IS NOT NULL")["verdict"] == (
        "not-a-command"
    )
