"""What makes two messages one: ids, repeats, parts; the same in PDU and in text mode."""

from __future__ import annotations

import pytest

from at.simulator.texts import pdus_of
from tests.e2e.conftest import MakeRoad
from tests.e2e.road import STAMP, Road, parts_of


@pytest.fixture(params=["pdu", "text"])
def road(make_road: MakeRoad, request: pytest.FixtureRequest) -> Road:
    """A modem and an agent that is not started yet, in each mode."""
    return make_road(modem={"poll_s": 30, "sms_mode": request.param})


def replies_to(road: Road, id_: str) -> list[str]:
    return [reply for reply in road.replies() if reply.startswith(f"{id_} ")]


def test_the_same_id_with_another_body_is_an_id_conflict(road: Road) -> None:
    road.start()
    road.deliver(parts_of("mark id=a note=one")[0])
    road.wait(lambda: replies_to(road, "a"), "reply")
    road.deliver(parts_of("mark id=a note=two")[0])
    road.wait(lambda: len(replies_to(road, "a")) == 2, "second reply")
    assert replies_to(road, "a")[1].startswith("a ER id-conflict")
    road.settle()
    assert road.effects() == ["a"]
    rows = road.agent.query("SELECT state, reason FROM commands WHERE id = 'a' ORDER BY n")
    assert [(row["state"], row["reason"]) for row in rows] == [
        ("succeeded", ""),
        ("rejected", "id-conflict"),
    ]


def test_the_same_message_again_is_not_run_but_its_outcome_is_told_again(road: Road) -> None:
    road.start()
    pdu = parts_of("mark note=x")[0]  # its id is its fingerprint
    road.deliver(pdu)
    road.wait(lambda: len(road.replies()) == 1, "reply")
    road.deliver(pdu)
    road.wait(lambda: len(road.replies()) == 2, "second reply")
    first, second = road.replies()
    assert second == f"{first} dup"
    road.settle()
    assert len(road.effects()) == 1
    (row,) = road.agent.query("SELECT id FROM commands WHERE command = 'mark'")
    assert len(row["id"]) == 12
    assert first.startswith(row["id"])


def test_a_repeat_of_one_part_of_a_finished_message_is_only_deleted(road: Road) -> None:
    first, second = parts_of("mark id=a note=" + "x" * 200)
    road.start()
    for pdu in (second, first):
        road.deliver(pdu)
    road.wait(lambda: replies_to(road, "a"), "reply")
    for pdu in (first, second, first):
        road.deliver(pdu)
    road.settle()
    assert road.effects() == ["a"]
    assert len(replies_to(road, "a")) == 1
    repeats = road.agent.query("SELECT n FROM segments WHERE verdict = 'repeat'")
    assert len(repeats) == 3
    assert len(road.agent.query("SELECT n FROM messages WHERE id = 'a'")) == 1


def test_parts_of_two_messages_with_one_reference_from_two_senders_are_not_mixed(
    road: Road,
) -> None:
    ours = pdus_of("000", "mark id=a note=" + "x" * 200, STAMP, reference=7)
    theirs = pdus_of("2936", "mark id=b note=" + "y" * 200, STAMP, reference=7)
    for pdu in (theirs[1], ours[0]):
        road.deliver(pdu, announce=False)
    road.start()
    road.wait(lambda: not road.stored(), "both parts taken")
    assert road.effects() == []
    for pdu in (theirs[0], ours[1]):
        road.deliver(pdu)
    road.wait(lambda: len(road.effects()) == 2, "both commands")
    road.settle()
    assert sorted(road.effects()) == ["a", "b"]
    rows = road.agent.query("SELECT id, args, platform FROM commands WHERE command = 'mark'")
    notes = {row["id"]: (row["args"], row["platform"]) for row in rows}
    assert set(notes["a"][0]) & set("y") == set()
    assert notes["a"][1] == "super-sim"
    assert notes["b"][1] == "programmable-wireless"
