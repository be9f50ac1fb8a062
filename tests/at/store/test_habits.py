"""What modems do beside the standards: listings that fail, slots and lengths that mislead."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from at import commands, sms
from at.bringup.bringup import BringUp, bring_up
from at.bringup.negotiation import Memories
from at.errors import CommandError
from at.modem import Modem
from at.simulator.texts import pdus_of
from at.store.messages import Deleted, MessageStore
from at.store.reader import RECORD
from at.urcs import MessageDelivered
from tests.at.bringup.test_bringup import ANSWERS
from tests.at.peer import ERROR, OK, Peer
from tests.at.store.test_messages import ONE, TWO, entry, listing, reading

CMS_320 = b"\r\n+CMS ERROR: 320\r\n"
CMS_310 = b"\r\n+CMS ERROR: 310\r\n"


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    async with Peer() as peer:
        peer.answers["+CPMS?"] = b'\r\n+CPMS: "SM",3,5,"SM",3,5,"SM",3,5\r\n' + OK
        yield peer


@pytest.fixture
async def modem(peer: Peer) -> AsyncIterator[Modem]:
    modem = await Modem.open(peer.path)
    yield modem
    await modem.close()


def store(modem: Modem, mode: str = "pdu", charset: str = "UCS2") -> MessageStore:
    return MessageStore(modem, mode, charset=charset, memories=Memories("SM"))


@pytest.mark.parametrize("listed", [CMS_320, ERROR, b"\r\n" + entry(1, ONE).encode() + CMS_320])
@pytest.mark.parametrize("code", ["320", "321", "500"])
async def test_one_unreadable_record_does_not_hide_the_others(
    peer: Peer, modem: Modem, listed: bytes, code: str
) -> None:
    peer.answers |= {"+CMGL=4": listed, "+CMGR=*": OK}
    peer.answers |= {"+CMGR=1": reading(ONE), "+CMGR=4": reading(TWO)}
    peer.answers["+CMGR=2"] = f"\r\n+CMS ERROR: {code}\r\n".encode()
    found = {one.index: one for one in await store(modem).list_stored()}
    assert (found[1].raw, found[4].raw) == (ONE, TWO)
    assert (2 in found) == (code != "321")
    if code != "321":
        assert found[2].error is not None
        assert found[2].error.field == RECORD
        assert found[2].proven


async def test_unreadable_record_is_deleted_only_while_it_is_unreadable(
    peer: Peer, modem: Modem
) -> None:
    peer.answers |= {"+CMGL=4": CMS_320, "+CMGR=*": OK, "+CMGR=2": CMS_320}
    messages = store(modem)
    (bad,) = await messages.list_stored()
    peer.answers["+CMGR=2"] = reading(ONE)
    assert await messages.delete(bad) is Deleted.CHANGED
    assert "AT+CMGD=2" not in peer.lines
    peer.answers["+CMGR=2"] = CMS_320
    assert await messages.delete(bad) is Deleted.DONE
    assert "AT+CMGD=2" in peer.lines


@pytest.mark.parametrize("answer", [CMS_310, b"\r\n+CME ERROR: 10\r\n"])
async def test_trouble_of_the_card_is_not_a_records(
    peer: Peer, modem: Modem, answer: bytes
) -> None:
    peer.answers |= {"+CMGL=4": answer, "+CMGR=*": answer}
    with pytest.raises(CommandError):
        await store(modem).list_stored()


async def test_memory_of_which_nothing_can_be_read_is_trouble(peer: Peer, modem: Modem) -> None:
    peer.answers |= {"+CMGL=4": CMS_320, "+CMGR=*": CMS_320}
    with pytest.raises(CommandError):
        await store(modem).list_stored()


async def test_listing_that_is_321_is_empty(peer: Peer, modem: Modem) -> None:
    peer.answers["+CMGL=4"] = b"\r\n+CMS ERROR: 321\r\n"
    assert await store(modem).list_stored() == []
    assert peer.lines == ["AT+CMGL=4"]


@pytest.mark.parametrize("answer", [CMS_320, OK])
async def test_odd_message_listed_twice_alike_has_been_read_twice(
    peer: Peer, modem: Modem, answer: bytes
) -> None:
    peer.answers |= {"+CMGL=4": listing(entry(1, ONE + "00")), "+CMGR=1": answer}
    (found,) = await store(modem).list_stored()
    assert found.flags
    assert found.proven


@pytest.mark.parametrize(
    ("mode", "answer"),
    [
        ("pdu", b"\r\n+CMGR: 0,,0\r\n\r\n"),
        ("pdu", b"\r\n+CMGR: 0,,0\r\n00\r\n"),
        ("text", b"\r\n+CMGR: 0,,0\r\n\r\n"),
        ("text", b'\r\n+CMGR: "REC READ","",,""\r\n\r\n'),
    ],
)
async def test_empty_slot_shown_as_an_empty_message_is_no_message(
    peer: Peer, modem: Modem, mode: str, answer: bytes
) -> None:
    peer.answers["+CMGR=7"] = answer + OK
    assert await store(modem, mode).read("SM", 7) is None
    assert peer.lines == ["AT+CMGR=7"]


@pytest.mark.parametrize("told", [4, 5, 6, 9, 20, 60])
@pytest.mark.parametrize("first", [True, False])
async def test_length_that_lies_hides_no_message(
    peer: Peer, modem: Modem, monkeypatch: pytest.MonkeyPatch, told: int, *, first: bool
) -> None:
    monkeypatch.setattr(commands, "LIST_TIMEOUT_S", 0.1)
    monkeypatch.setattr(commands, "READ_TIMEOUT_S", 0.1)
    head = '"REC READ","+31614240689","","18/09/21,16:35:38+08",145'
    full = '"REC READ","+31614240689","","18/09/21,16:35:38+08",145,4,0,0,"+316",145,4'
    lengths = [told, 4] if first else [4, told]
    listed = "".join(
        f"+CMGL: {index},{head},{length}\r\nping\r\n"
        for index, length in zip((3, 4), lengths, strict=True)
    )
    peer.answers['+CMGL="ALL"'] = f"\r\n{listed}".encode() + OK
    peer.answers["+CMGR=*"] = f"\r\n+CMGR: {full}\r\nping\r\n".encode() + OK
    found = await store(modem, "text", "GSM").list_stored()
    assert [one.index for one in found] == [3, 4]


@pytest.mark.parametrize("deleted", [OK, CMS_320])
async def test_listed_place_that_is_a_plain_error_is_a_bad_record(
    peer: Peer, modem: Modem, deleted: bytes
) -> None:
    head = '"REC READ","+31614240689","","18/09/21,16:35:38+08"'
    listed = f"\r\n+CMGL: 3,{head}\r\nping\r\n+CMGL: 4,{head}\r\nping\r\n"
    peer.answers['+CMGL="ALL"'] = listed.encode() + OK
    peer.answers["+CMGR=3"] = ERROR
    peer.answers["+CMGR=4"] = f"\r\n+CMGR: {head}\r\nping\r\n".encode() + OK
    peer.answers["+CMGD=3"] = deleted
    messages = store(modem, "text", "GSM")
    bad, good = await messages.list_stored()
    assert bad.error is not None
    assert bad.error.field == RECORD
    assert good.pdu is not None
    if deleted is OK:
        assert await messages.delete(bad) is Deleted.DONE
    else:
        with pytest.raises(CommandError):
            await messages.delete(bad)
    assert peer.lines[-1] == "AT+CMGD=3"


@pytest.mark.parametrize("mode", ["pdu", "text"])
async def test_place_that_is_not_answered_costs_its_timeouts_once(
    peer: Peer, modem: Modem, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setattr(commands, "READ_TIMEOUT_S", 0.05)
    monkeypatch.setattr(commands, "LIST_TIMEOUT_S", 0.5)
    head = '"REC READ","+31614240689","","18/09/21,16:35:38+08"'
    peer.answers |= {"+CMGL=4": CMS_320, "+CMGR=*": OK}
    peer.answers['+CMGL="ALL"'] = f"\r\n+CMGL: 2,{head}\r\nping\r\n".encode() + OK
    peer.answers |= {"+CMGR=1": reading(ONE), "+CMGR=2": None, "+CMGD=2": CMS_320}
    if mode == "text":
        peer.answers["+CMGR=1"] = f"\r\n+CMGR: {head}\r\nping\r\n".encode() + OK
    messages = store(modem, mode, "GSM")
    bad = next(one for one in await messages.list_stored() if one.index == 2)
    assert bad.error is not None
    with pytest.raises(CommandError):
        await messages.delete(bad)
    asked = peer.lines.count("AT+CMGR=2")
    for _ in range(3):
        again = next(one for one in await messages.list_stored() if one.index == 2)
        assert again.raw == bad.raw
        with pytest.raises(CommandError):
            await messages.delete(again)
    assert peer.lines.count("AT+CMGR=2") == asked
    peer.answers["+CMGR=2"] = peer.answers["+CMGR=1"]
    assert await messages.read("SM", 2) is not None  # announced anew: asked again


@pytest.mark.parametrize("count", [4, 5])
async def test_fifth_listing_looks_into_every_memory(peer: Peer, modem: Modem, count: int) -> None:
    memories = Memories("SM", others=("ME",))
    messages = MessageStore(modem, "pdu", memories=memories)
    assert memories.all == ("SM", "ME")
    await messages.list_stored()
    peer.lines.clear()
    for _ in range(count):
        await messages.list_stored()
    looked = [line for line in peer.lines if line.startswith('AT+CPMS="ME"')]
    assert len(looked) == (count >= 5)


async def test_announcement_of_a_memory_that_cannot_be_selected_is_read_in_the_usual_one(
    peer: Peer, modem: Modem
) -> None:
    memories = Memories("SM")
    messages = MessageStore(modem, "pdu", memories=memories)
    peer.answers |= {'+CPMS="MT"*': CMS_320, "+CMGR=7": reading(ONE)}
    found = await messages.read("MT", 7)
    assert found is not None
    assert (found.storage, found.raw) == ("SM", ONE)
    assert await messages.delete(found) is Deleted.DONE
    assert peer.lines[-1] == "AT+CMGD=7"


async def test_message_handed_over_is_acknowledged_where_the_service_is_not_told() -> None:
    async with Peer() as peer:
        peer.answers |= ANSWERS
        peer.answers |= {"+CSMS*": ERROR, "+CSMS?": ERROR, "+CNMA": OK}
        peer.answers["+CNMI=?"] = b"\r\n+CNMI: (0-2),(2),(0),(0-1),(0,1)\r\n" + OK
        peer.answers["+CNMI=*"] = OK
        peer.answers["+CNMI?"] = b"\r\n+CNMI: 2,2,0,1,0\r\n" + OK
        modem = await Modem.open(peer.path)
        identity = await bring_up(modem, BringUp())
        assert identity.acknowledging
        messages = MessageStore.of(modem, identity)
        await messages.delete(messages.delivered(MessageDelivered("+CMT: ,24", ONE)))
        assert peer.lines[-1] == "AT+CNMA"
        peer.answers["+CNMA"] = ERROR  # three times in vain: this modem wants none
        for _ in range(4):
            await messages.delete(messages.delivered(MessageDelivered("+CMT: ,24", ONE)))
        await modem.close()


async def test_header_before_the_pdu_of_the_next_message_is_not_believed(
    peer: Peer, modem: Modem
) -> None:
    """The lines between them were lost, in each listing alike: reading the place alone tells."""
    when = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    ((one,), (two,)) = (pdus_of("000", f"mark id=n{n}", when) for n in (1, 2))
    length = sms.tpdu_length(bytes.fromhex(one))
    lines = (f"+CMGL: 1,1,,{length}", f"x{one}", f"y+CMGL: 2,1,,{length}", two)
    peer.answers["+CMGL=4"] = ("\r\n" + "\r\n".join(lines) + "\r\n").encode() + OK
    peer.answers["+CMGR=1"] = f"\r\n+CMGR: 1,,{length}\r\n{one}\r\n".encode() + OK
    found = await store(modem).list_stored()
    assert [(stored.index, stored.raw, stored.proven) for stored in found] == [(1, one, True)]
