"""Text mode whose length lies, or is not told: the next header or the final result ends a body."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from at import sms
from at.bringup.negotiation import Memories
from at.modem import Modem
from at.store.messages import MessageStore
from at.store.stored import Stored
from at.store.text_mode import TextMode
from at.urcs import URCS, MessageDelivered, MessageStored
from tests.at.peer import OK, Peer, until

HEAD = '"REC READ","+31614240689","","18/09/21,16:35:38+08",145'
FULL = '"REC READ","+31614240689","","18/09/21,16:35:38+08",145,4,0,0,"+316",145'
END = b"\r\n" + OK


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    async with Peer() as peer:
        yield peer


@pytest.fixture
async def modem(peer: Peer) -> AsyncIterator[Modem]:
    modem = await Modem.open(peer.path)
    yield modem
    await modem.close()


def store(modem: Modem, charset: str) -> MessageStore:
    return MessageStore(modem, "text", charset=charset, memories=Memories("SM"))


def text_of(stored: Stored | None) -> str | None:
    assert stored is not None
    assert stored.pdu is not None
    assert isinstance(stored.pdu.tpdu, sms.Deliver)
    return stored.pdu.tpdu.user_data.text


@pytest.mark.parametrize("charset", ["GSM", "IRA"])
@pytest.mark.parametrize("more", [0, 1, 2])
@pytest.mark.parametrize("end", [END, b"\r\nOK\r\n"])
async def test_line_end_counted_as_text_does_not_become_text(
    peer: Peer, modem: Modem, charset: str, more: int, end: bytes
) -> None:
    peer.answers["+CMGR=3"] = f"\r\n+CMGR: {FULL},{4 + more}\r\nping".encode() + end
    found = await store(modem, charset).read("SM", 3)
    assert text_of(found) == "ping"
    assert found is not None
    assert found.proven
    assert ("length" in found.flags) == bool(more)


@pytest.mark.parametrize("body", ["ping\r", "ping\n", "ping\r\n", "\r\n\r\n", "OK\r\n"])
async def test_line_end_that_is_text_stays(peer: Peer, modem: Modem, body: str) -> None:
    answer = f"\r\n+CMGR: {FULL},{len(body)}\r\n{body}\r\n".encode() + OK
    peer.answers["+CMGR=3"] = answer
    assert text_of(await store(modem, "GSM").read("SM", 3)) == body


@pytest.mark.parametrize("told", [5, 6, 7, 20, 145])
@pytest.mark.parametrize("place", [0, 1, 2])
async def test_listing_with_a_lying_length_costs_no_timeout(
    peer: Peer, modem: Modem, told: int, place: int
) -> None:
    lengths = [4, 4, 4]
    lengths[place] = told
    listed = "".join(
        f"+CMGL: {index},{HEAD},{length}\r\nping\r\n"
        for index, length in zip((3, 4, 5), lengths, strict=True)
    )
    peer.answers['+CMGL="ALL"'] = f"\r\n{listed}".encode() + OK
    peer.answers["+CMGR=*"] = f"\r\n+CMGR: {FULL},4\r\nping\r\n".encode() + OK
    found = await store(modem, "GSM").list_stored()
    assert [one.index for one in found] == [3, 4, 5]
    assert [text_of(one) for one in found] == ["ping"] * 3
    assert peer.lines.count("AT") == 0  # no resynchronisation


@pytest.mark.parametrize("charset", ["GSM", "IRA"])
async def test_body_of_several_lines_without_a_length_is_read_whole(
    peer: Peer, modem: Modem, charset: str
) -> None:
    body = "first line\r\nsecond line\r\n\r\n+49 171 is the third"
    head = '"REC READ","+31614240689","","18/09/21,16:35:38+08"'
    peer.answers['+CMGL="ALL"'] = (
        f'\r\n+CMGL: 3,{head}\r\n{body}\r\n+CMTI: "SM",9\r\n+CMGL: 4,{head}\r\n{body}\r\n'.encode()
        + OK
    )
    peer.answers["+CMGR=*"] = f'\r\n+CMGR: {head}\r\n{body}\r\n+CMTI: "SM",8\r\n'.encode() + OK
    heard: list[object] = []
    modem.on_urc = heard.append
    damage = modem.damage
    found = await store(modem, charset).list_stored()
    assert [one.index for one in found] == [3, 4]
    for one in found:
        assert one.proven
        assert text_of(one) == "first line\nsecond line\n+49 171 is the third"
    assert modem.damage == damage
    assert MessageStored("SM", 9) in heard


@pytest.mark.parametrize("more", [0, 1, 2, 5])
async def test_message_handed_over_with_a_lying_length_swallows_nothing(more: int) -> None:
    async with Peer() as peer:
        urcs = (*TextMode("GSM").urcs, *URCS)
        heard: list[object] = []
        modem = await Modem.open(peer.path, urcs=urcs, on_urc=heard.append)
        head = f'+CMT: "000",,"18/09/21,16:35:38+08",129,4,0,0,"+316",145,{4 + more}'
        peer.say(f"\r\n{head}\r\nping\r\n".encode())
        await until(lambda: heard)
        peer.say(b'\r\n+CMTI: "SM",3\r\n')
        await until(lambda: len(heard) == 2)
        await modem.close()
    assert heard == [MessageDelivered(head, "ping"), MessageStored("SM", 3)]
