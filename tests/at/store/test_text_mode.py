"""Text mode gives the same messages as PDU mode, whatever stands in their bodies."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

import pytest

from at import sms
from at.bringup.bringup import BringUp, bring_up
from at.modem import Modem
from at.simulator import PtyModem
from at.simulator.personalities import PERSONALITIES
from at.simulator.personality import Personality
from at.store.messages import Deleted, MessageStore
from tests.at.peer import OK, Peer

TIME = sms.Timestamp.of(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
GENERIC = PERSONALITIES["generic"]
SETS = ["UCS2", "IRA", "GSM", "HEX"]


def deliver(text: str, sender: str = "000") -> sms.Deliver:
    (part,) = sms.segment(text, reference=0)
    return sms.Deliver(sms.Address.parse(sender), TIME, part, dcs=_dcs(part))


def _dcs(part: sms.UserData) -> sms.Dcs:
    codes = {sms.Alphabet.GSM7: 0, sms.Alphabet.OCTETS: 4, sms.Alphabet.UCS2: 8}
    for tpdu in (sms.Submit(sms.Address.parse("1"), part),):
        if tpdu.dcs.alphabet is part.alphabet:
            return tpdu.dcs
    code = codes[part.alphabet]
    decoded = sms.decode(f"000002810000{code:02X}" + "62102030405000" + "00")
    assert isinstance(decoded.tpdu, sms.Deliver)
    return decoded.tpdu.dcs


@asynccontextmanager
async def ready(personality: Personality) -> AsyncIterator[tuple[PtyModem, MessageStore]]:
    async with PtyModem(personality) as simulated:
        modem = await Modem.open(simulated.path)
        identity = await bring_up(modem, BringUp(sms_mode="text"))
        assert identity.sms_mode == "text"
        assert identity.charset == personality.charsets[0]
        yield simulated, MessageStore.of(modem, identity)
        await modem.close()


def only(charset: str) -> Personality:
    return replace(GENERIC, charsets=(charset,))


BODIES = [
    "ping id=1",
    "OK",
    "ERROR",
    'OK\r\n+CMTI: "SM",1\r\n\r\nOK\r\n',
    "+CMS ERROR: 500",
    "\r\n",
    "> ",
    '{"cmd":"ping","args":{"a":"[1]"},"id":"x~|^\\\\"}',
    "10 € {}",
    "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞ",
    "x" * 160,
    "",
    " two  spaces ",
]
ASCII = [body for body in BODIES if body.isascii()]


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("charset", ["UCS2", "GSM", "HEX"])
async def test_body_is_read_as_it_was_sent(charset: str, body: str) -> None:
    async with ready(only(charset)) as (simulated, store):
        simulated.deliver(deliver(body))
        (stored,) = await store.list_stored()
        assert stored.pdu is not None
        assert isinstance(stored.pdu.tpdu, sms.Deliver)
        assert stored.pdu.tpdu.user_data.text == body
        assert stored.proven
        assert await store.delete(stored) is Deleted.DONE
        assert await store.list_stored(everywhere=True) == []


@pytest.mark.parametrize("counts", ["characters", "udl"])
@pytest.mark.parametrize("body", ASCII)
async def test_ascii_body_is_read_however_its_length_is_counted(body: str, counts: str) -> None:
    personality = replace(only("IRA"), text_length=counts)  # type: ignore[arg-type]  # a literal
    async with ready(personality) as (simulated, store):
        simulated.deliver(deliver(body))
        (stored,) = await store.list_stored()
        assert stored.pdu is not None
        assert isinstance(stored.pdu.tpdu, sms.Deliver)
        assert stored.pdu.tpdu.user_data.text == body


@pytest.mark.parametrize("mode", ["pdu", "text"])
async def test_messages_whose_status_is_not_shown_are_read_all_the_same(
    mode: Literal["pdu", "text"],
) -> None:
    report = sms.StatusReport(180, sms.Address.parse("2936"), TIME, TIME, 0)
    async with PtyModem(replace(GENERIC, status_shown=False)) as simulated:
        modem = await Modem.open(simulated.path)
        store = MessageStore.of(modem, await bring_up(modem, BringUp(sms_mode=mode)))
        simulated.deliver(deliver("ping"))
        simulated.deliver(sms.encode(report).hex())
        stored = await store.list_stored(everywhere=True)
        found = [one.pdu.tpdu for one in stored if one.pdu is not None]
        assert [await store.delete(one) for one in stored] == [Deleted.DONE] * 2
        await modem.close()
    assert {type(one) for one in found} == {sms.Deliver, sms.StatusReport}
    assert report in found


@pytest.mark.parametrize("charset", SETS)
@pytest.mark.parametrize("sender", ["000", "2936", "+447700900123", "KORE"])
async def test_sender_is_read_as_it_was_sent(charset: str, sender: str) -> None:
    async with ready(only(charset)) as (simulated, store):
        simulated.deliver(deliver("ping", sender))
        (stored,) = await store.list_stored()
        assert stored.pdu is not None
        assert isinstance(stored.pdu.tpdu, sms.Deliver)
        assert str(stored.pdu.tpdu.originator) == sender
        assert stored.pdu.tpdu.timestamp == TIME


@pytest.mark.parametrize("charset", SETS)
async def test_parts_keep_their_header_where_it_is_shown(charset: str) -> None:
    parts = sms.segment("part " * 50, reference=7)
    async with ready(only(charset)) as (simulated, store):
        for part in parts:
            simulated.deliver(sms.Deliver(sms.Address.parse("000"), TIME, part, dcs=_dcs(part)))
        stored = await store.list_stored()
        found = [one.pdu.tpdu.user_data for one in stored
                 if one.pdu is not None and isinstance(one.pdu.tpdu, sms.Deliver)]  # fmt: skip
        assert sms.join(found).text == "part " * 50


@pytest.mark.parametrize("charset", SETS)
async def test_header_that_is_not_shown_is_an_error_and_never_part_one(charset: str) -> None:
    (first, *_) = sms.segment("part " * 50, reference=7)
    personality = replace(only(charset), text_header="strip")
    async with ready(personality) as (simulated, store):
        simulated.deliver(sms.Deliver(sms.Address.parse("000"), TIME, first, dcs=_dcs(first)))
        (stored,) = await store.list_stored()
        assert stored.pdu is None
        assert stored.error is not None
        assert stored.error.field == "udh"
        assert stored.proven
        assert await store.delete(stored) is Deleted.DONE


@pytest.mark.parametrize("charset", SETS)
async def test_ucs2_and_octets_are_read_in_every_set(charset: str) -> None:
    async with ready(only(charset)) as (simulated, store):
        simulated.deliver(deliver("Привет 🙂"))
        octets = sms.UserData(sms.Alphabet.OCTETS, b"\x00OK\r\n\xff")
        simulated.deliver(sms.Deliver(sms.Address.parse("2936"), TIME, octets, dcs=_dcs(octets)))
        first, second = await store.list_stored()
        for one, wanted in ((first, "Привет 🙂".encode("utf-16-be")), (second, octets.octets)):
            assert one.pdu is not None
            assert isinstance(one.pdu.tpdu, sms.Deliver)
            assert one.pdu.tpdu.user_data.octets == wanted


@pytest.mark.parametrize("charset", SETS)
@pytest.mark.parametrize("to", ["000", "2936", "+447700900123"])
async def test_sent_message_is_the_one_pdu_mode_would_send(charset: str, to: str) -> None:
    (part,) = sms.segment("abc123 OK WT dup", reference=0)
    submit = sms.Submit(sms.Address.parse(to), part)
    async with ready(only(charset)) as (simulated, store):
        await store.send(submit)
        await store.send(submit)
        first, second = simulated.sent
        assert first.pdu[6:] == second.pdu[6:]
        sent = sms.decode(first.pdu, direction="mo").tpdu
        assert isinstance(sent, sms.Submit)
        assert sent.destination == submit.destination
        assert sent.user_data == part


async def test_escape_characters_are_sent_in_ucs2() -> None:
    (part,) = sms.segment('{"a":[1]} €', reference=0)
    async with ready(only("UCS2")) as (simulated, store):
        await store.send(sms.Submit(sms.Address.parse("000"), part))
        sent = sms.decode(simulated.sent[0].pdu, direction="mo").tpdu
        assert isinstance(sent, sms.Submit)
        assert sent.user_data.text == '{"a":[1]} €'


async def test_escape_character_that_would_abort_the_prompt_is_refused() -> None:
    (part,) = sms.segment("{", reference=0)
    async with ready(only("GSM")) as (simulated, store):
        with pytest.raises(sms.EncodeError):
            await store.send(sms.Submit(sms.Address.parse("000"), part))
        assert simulated.sent == []


async def test_auto_takes_text_mode_only_where_pdu_mode_is_missing() -> None:
    async with Peer({"+CMGF=?": b"\r\n+CMGF: (1)\r\n" + OK,
                     "+CPIN?": b"\r\n+CPIN: READY\r\n" + OK}) as peer:  # fmt: skip
        modem = await Modem.open(peer.path)
        identity = await bring_up(modem, BringUp(sms_mode="auto"))
        await modem.close()
    assert identity.sms_mode == "text"
    assert "AT+CMGF=1" in peer.lines


def _stored_text(header: str, body: str) -> Callable[[str], bytes]:
    return lambda _: f"\r\n{header}\r\n{body}\r\n".encode("latin-1") + OK


async def test_reading_twice_agrees_although_the_status_changes() -> None:
    tail = '"000",,"26/01/02,03:04:05+00"'
    answers = iter(["REC UNREAD", "REC READ"])

    def answer(text: str) -> bytes:
        return _stored_text(f'+CMGR: "{next(answers)}",{tail}', "ping")(text)

    async with Peer({"+CMGR=1": answer}) as peer:
        modem = await Modem.open(peer.path)
        stored = await MessageStore(modem, "text", charset="IRA").read("", 1)
        await modem.close()
    assert stored is not None
    assert stored.flags  # the coding is not shown
    assert stored.proven
    assert len(peer.lines) == 2


async def test_body_shorter_than_its_length_is_told_and_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("at.commands.READ_TIMEOUT_S", 0.1)
    header = '+CMGR: "REC READ","000",,"26/01/02,03:04:05+00",129,4,0,0,"1",129,40'
    async with Peer({"+CMGR=1": _stored_text(header, "ping")}) as peer:
        modem = await Modem.open(peer.path)
        stored = await MessageStore(modem, "text", charset="IRA").read("", 1)
        await modem.close()
    assert stored is not None
    assert stored.pdu is None
    assert stored.error is not None


async def test_clean_reading_and_a_damaged_one_that_look_alike_do_not_agree() -> None:
    rest = ',"+44",,"26/01/02,03:04:05+00",145,4,0,0,"+44",145,9'
    headers = iter(f'+CMGR: "REC READ{quote}{rest}' for quote in ['"', "", '"'])
    async with Peer({"+CMGR=1": lambda _: _stored_text(next(headers), "ping id=1")("")}) as peer:
        modem = await Modem.open(peer.path)
        modem.distrust()
        stored = await MessageStore(modem, "text", charset="IRA").read("", 1)
        await modem.close()
    assert stored is not None
    assert stored.proven
    assert stored.pdu is not None
    assert len(peer.lines) == 3
