"""Stored messages: memories, listing, reading, deleting."""

from __future__ import annotations

import pytest

from at.simulator import SimulatedModem
from at.simulator.personality import Personality
from at.simulator.storage import Joined, Slot, Storage
from tests.at.simulator.host import HELLO, SUBMIT, Host


def test_joined_view_counts_through_its_memories() -> None:
    small, large = Storage("ME", 2, 0), Storage("SM", 3, 0)
    view = Joined("MT", (small, large))
    slots = [Slot(0, f"{number:02X}", 1) for number in range(5)]
    assert [view.add(slot) for slot in slots] == [0, 1, 2, 3, 4]
    assert view.full
    assert view.add(slots[0]) is None
    assert large.get(0) is slots[2]
    assert view.delete(2)
    assert not view.delete(2)
    assert [index for index, _ in view.items()] == [0, 1, 3, 4]
    assert (view.used, view.capacity) == (4, 5)


def test_cpms_tells_counts_and_limits_of_three_memories() -> None:
    host = Host()
    host.modem.deliver(HELLO)
    assert host.send("AT+CPMS?") == ['+CPMS: "SM",1,30,"SM",1,30,"SM",1,30', "OK"]
    assert host.send('AT+CPMS="MT","ME","ME"') == ["+CPMS: 1,130,0,100,0,100", "OK"]
    assert host.send('AT+CPMS="SM"') == ["+CPMS: 1,30,0,100,0,100", "OK"]
    assert host.send('AT+CPMS="XX"') == ["+CMS ERROR: 302"]
    assert host.send("AT+CPMS=?") == [
        '+CPMS: ("SM","ME","MT"),("SM","ME"),("SM","ME")',
        "OK",
    ]


def test_reading_marks_as_read_and_listing_filters() -> None:
    host = Host()
    host.modem.deliver(HELLO)
    host.modem.deliver(HELLO)
    assert host.send("AT+CMGR=1") == ["+CMGR: 0,,30", HELLO, "OK"]
    assert host.send("AT+CMGR=1") == ["+CMGR: 1,,30", HELLO, "OK"]
    assert host.send("AT+CMGL=1") == ["+CMGL: 1,1,,30", HELLO, "OK"]
    assert host.send("AT+CMGL") == ["+CMGL: 2,0,,30", HELLO, "OK"]
    assert host.send("AT+CMGL=0") == ["OK"]
    assert host.send("AT+CMGL=4") == ["+CMGL: 1,1,,30", HELLO, "+CMGL: 2,1,,30", HELLO, "OK"]
    assert host.send("AT+CMGL=5") == ["+CMS ERROR: 304"]


def test_a_listing_is_one_block() -> None:
    host = Host()
    host.modem.deliver(HELLO)
    host.modem.deliver(HELLO)
    pdu = HELLO.encode()
    assert host.raw("AT+CMGL=4\r") == (
        b"\r\n+CMGL: 1,0,,30\r\n" + pdu + b"\r\n+CMGL: 2,0,,30\r\n" + pdu + b"\r\n\r\nOK\r\n"
    )


@pytest.mark.parametrize(
    ("flag", "left"), [(0, [2, 3, 4]), (1, [2, 3, 4]), (2, [2, 3]), (3, [2]), (4, [])]
)
def test_delete_flags(flag: int, left: list[int]) -> None:
    host = Host()
    memory = host.modem.stores["SM"]
    for status in (1, 0, 2, 3):
        memory.add(Slot(status, HELLO, 30))
    assert host.send(f"AT+CMGD=1,{flag}") == ["OK"]
    assert [index for index, _ in memory.items()] == left


def test_lowest_free_slot_is_used_again() -> None:
    host = Host()
    assert [host.modem.deliver(HELLO) for _ in range(3)] == [1, 2, 3]
    host.send("AT+CMGD=2")
    assert host.modem.deliver(HELLO) == 2
    assert host.send("AT+CMGD=?") == ["+CMGD: (1,2,3),(0-4)", "OK"]


@pytest.mark.parametrize(("habit", "answer"), [("ok", "OK"), ("error", "+CMS ERROR: 321")])
def test_an_empty_slot_is_answered_as_the_make_does(habit: str, answer: str) -> None:
    row = Personality("odd", empty_slot=habit, delete_empty=habit)  # type: ignore[arg-type] # data
    host = Host(SimulatedModem(row))
    assert host.send("AT+CMGR=7") == [answer]
    assert host.send("AT+CMGD=7") == [answer]


def test_a_slot_out_of_range_is_an_error() -> None:
    host = Host()
    assert host.send("AT+CMGR=31") == ["+CMS ERROR: 321"]
    assert host.send("AT+CMGD=0") == ["+CMS ERROR: 321"]
    assert host.send("AT+CMGR=x") == ["+CMS ERROR: 304"]


def test_a_full_memory_leaves_messages_with_the_service_centre() -> None:
    row = Personality("small", storages={"SM": 2, "ME": 2}, full_urc="*FULL", room_urc="*ROOM")
    host = Host(SimulatedModem(row))
    host.send("AT+CNMI=2,1")
    assert [host.modem.deliver(HELLO) for _ in range(4)] == [1, 2, None, None]
    assert host.heard() == ['+CMTI: "SM",1', '+CMTI: "SM",2', "*FULL"]
    assert host.lines(host.raw("AT+CMGD=1\r")) == ["OK", "*ROOM", '+CMTI: "SM",1', "*FULL"]
    assert len(host.modem.traffic.waiting) == 1


def test_writing_and_sending_from_memory() -> None:
    host = Host()
    assert host.raw("AT+CMGW=18\r") == b"\r\n> "
    assert host.lines(host.raw(SUBMIT + "\x1a")) == ["+CMGW: 1", "OK"]
    assert host.send("AT+CMGL=2") == ["+CMGL: 1,2,,18", SUBMIT, "OK"]
    assert host.send("AT+CMSS=1") == ["+CMSS: 1", "OK"]
    assert host.send('AT+CMSS=1,"12345"') == ["+CMSS: 2", "OK"]
    assert [one.pdu for one in host.modem.sent] == [SUBMIT, "00010005812143F5000005E8329BFD06"]
    assert host.send("AT+CMGL=3") == ["+CMGL: 1,3,,18", SUBMIT, "OK"]
    assert host.send("AT+CMSS=2") == ["+CMS ERROR: 321"]


def test_a_received_message_cannot_be_sent() -> None:
    host = Host()
    host.modem.deliver(HELLO)
    assert host.send("AT+CMSS=1") == ["+CMS ERROR: 302"]


def test_a_pdu_that_is_none_is_kept_as_it_is() -> None:
    host = Host()
    host.modem.deliver("00zz1")
    assert host.send("AT+CMGR=1") == ["+CMGR: 0,,1", "00ZZ1", "OK"]
